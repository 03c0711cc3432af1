package openrc

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// libexec reads one of OpenRC's own shell files and returns its path.
func libexec(fsys fs.FS, name string) ([]byte, string, error) {
	for _, dir := range []string{"lib/rc/sh", "usr/lib/rc/sh", "usr/libexec/rc/sh", "libexec/rc/sh"} {
		file := path.Join(dir, name)
		text, err := readFile(fsys, file)
		if !errors.Is(err, fs.ErrNotExist) {
			return text, "/" + file, err
		}
	}
	return nil, "", fs.ErrNotExist
}

// Installed reports whether the machine has OpenRC.
func Installed(fsys fs.FS) bool {
	_, _, err := libexec(fsys, "openrc-run.sh")
	return err == nil
}

// Elsewhere returns the script of a service as OpenRC calls it, and the conf.d file that
// it reads, if that is not the one of InitDir's and of the service's name. Up to 0.63
// OpenRC follows a link before it looks for conf.d beside the script, and up to 0.56 it
// takes the name of the script too, except one that is linked in its own folder.
func Elsewhere(fsys fs.FS, service string) (script, conf string, ok bool) {
	link := InitDir + service
	script = link
	for range 40 { // as many as the kernel follows
		target, err := fs.ReadLink(fsys, script[1:])
		if err != nil {
			break
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(script), target)
		}
		script = path.Clean(target)
	}
	text, _, err := libexec(fsys, "openrc-run.sh")
	if err != nil || bytes.Contains(text, []byte("$RC_PATH")) {
		return "", "", false
	}
	name := service
	if !bytes.Contains(text, []byte("$RC_USER_SERVICES")) { // its main() in C
		dir := path.Dir(script)
		target, _ := fs.ReadLink(fsys, link[1:])
		if i := strings.LastIndex(target, "/"); i >= 0 && target[:i] != dir {
			name = target[i+1:]
		}
		called := path.Join(dir, name)
		if _, err := fs.Lstat(fsys, called[1:]); err != nil && path.IsAbs(target) {
			called = target
		}
		script, name = called, path.Base(called)
	}
	conf = path.Join(path.Dir(path.Dir(script)), "conf.d", name)
	return script, conf, conf != "/etc/conf.d/"+service
}

// Host returns what is wrong with the machine's OpenRC or with rdgen's files for
// it, and notes about what is right and worth knowing. A machine without OpenRC
// has neither.
func Host(fsys fs.FS) (errs []error, notes []string) {
	text, file, err := libexec(fsys, "openrc-run.sh")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return []error{err}, nil
	}
	_, err = fs.Stat(fsys, ConfPath[1:])
	hooked := err == nil
	if hooked {
		start := starts(fsys)
		if start.err != nil {
			errs = append(errs, start.err)
		}
		if start.early {
			notes = append(notes, file+": this OpenRC reads scripts before the hook can enter; their functions and daemons run in the domain, "+
				"but the lines that stand in no function are run outside of it first")
		}
		files := shipped()
		for _, file := range []string{ConfPath, HookPath, EnterPath, SupervisePath, StopPath, SlipsPath} {
			if err := upToDate(fsys, file, files[file]); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if bytes.Contains(text, []byte("RC_VRF_EXEC")) {
		note := "OpenRC has Alpine's patch for vrf= and netns=; rdgen is first and covers more, so the patch does nothing"
		if !hooked {
			note = "OpenRC has Alpine's patch for vrf= and netns=; a script without rdgen's line gets only its daemon into the domain"
		}
		notes = append(notes, file+": "+note)
	}
	return append(errs, unread(fsys)...), notes
}

// upToDate compares a part of the hook with the one that this rdgen installs.
func upToDate(fsys fs.FS, file string, want []byte) error {
	text, err := readFile(fsys, file[1:])
	switch {
	case err != nil:
		return &problem.Error{Pos: problem.Pos{File: ConfPath}, Msg: file + " is missing, so services that name a domain do not start",
			Hint: "install rdgen again, or remove " + ConfPath}
	case !bytes.Equal(text, want):
		return &problem.Error{Pos: problem.Pos{File: file}, Msg: "is not of this version of rdgen", Hint: "install rdgen's files for OpenRC again"}
	}
	return nil
}

// unread finds domains that are named where no service's conf.d is.
func unread(fsys fs.FS) []error {
	var errs []error
	files := []string{"etc/rc.conf"}
	for _, glob := range []string{"etc/rc.conf.d/*.conf", "etc/init.d/*", "usr/local/etc/init.d/*"} {
		found, _ := fs.Glob(fsys, glob)
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := readFile(fsys, file)
		if err != nil || !bytes.Contains(text, []byte("vrf=")) && !bytes.Contains(text, []byte("netns=")) || "/"+file == ConfPath {
			continue
		}
		src, err := parse("/"+file, text)
		if err != nil {
			continue // its own reader says so
		}
		for _, stmt := range src.file.Stmts {
			c, ok := stmt.Cmd.(*syntax.CallExpr)
			if !ok || len(c.Args) > 0 {
				continue
			}
			for _, a := range c.Assigns {
				name := a.Name.Value
				if (name == "vrf" || name == "netns") && a.Value != nil && a.Value.Lit() != "" {
					errs = append(errs, misplaced(file, name, src, a))
				}
			}
		}
	}
	return errs
}

func misplaced(file, name string, src *source, a *syntax.Assign) error {
	e := &problem.Error{Pos: src.pos(a.Pos()), Msg: name + "= in a script is not read; the service runs where its conf.d says",
		Hint: "write it into /etc/conf.d/" + path.Base(file)}
	if !strings.Contains(file, "init.d/") {
		e.Msg = name + "= here is for every service of the machine, and for those that make the domain too"
		e.Hint = "write it into the conf.d file of each service that it is meant for"
	}
	return e
}
