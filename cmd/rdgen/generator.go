package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/parallel"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/systemd"
	"rdgen/templates"
)

// asGenerator reports whether the arguments are those that systemd gives to a
// generator (systemd.generator(7)): three absolute paths, or one in a test. No
// verb of rdgen begins with a slash.
func asGenerator(args []string) bool {
	return (len(args) == 1 || len(args) == 3) &&
		!slices.ContainsFunc(args, func(a string) bool { return !filepath.IsAbs(a) })
}

// What a generator's exit code says to systemd/rdgen-generator, which is its parent: all
// is made; or all is made, and what cannot be followed is held. Every other is a failure.
const (
	exitMade = 0
	exitHeld = 3
)

// generator is rdgen as systemd's generator, unless there is nothing to do.
func generator(dir string, getenv func(string) string, log io.Writer) int {
	switch {
	case getenv("SYSTEMD_SCOPE") == "user":
		report(log, userScope)
		return 1
	case getenv("SYSTEMD_IN_INITRD") == "1":
		return exitMade // the services are those of the real root file system
	}
	return runGenerator("/", dir, log)
}

// runGenerator makes the drop-ins of all services that name a domain in dir,
// which has less precedence than /etc: what an administrator has there under the
// same name wins. A service whose conf.d file cannot be followed gets a drop-in
// with which it fails; it alone.
//
// It runs before systemd reads any unit, at boot and at each daemon-reload, in a
// sandbox that can write dir and little else. Nobody reads its output but log.
// It returns the exit code.
func runGenerator(root, dir string, log io.Writer) int {
	fsys, err := openRoot(root)
	if err != nil {
		report(log, err)
		return 1
	}
	defer fsys.Close()
	files, masked, errs, err := atBoot(fsys)
	if err == nil {
		err = inGeneratorDir(files).Write(dir)
	}
	for _, w := range masked {
		say(log, "warning", w)
	}
	if all := errors.Join(append(errs, err)...); all != nil {
		report(log, all)
	}
	switch {
	case err != nil:
		return 1
	case len(errs) > 0:
		return exitHeld
	}
	return exitMade
}

// dieWithParent has the kernel kill this process when its parent ends: systemd has gone
// on then, and what is made late could be of another run. It is for the thread that
// calls, which has to be the main one.
func dieWithParent() {
	runtime.LockOSThread()
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
}

// atBoot makes the files of all services, and says which are masked, and so cannot
// start anywhere, which files win over them, and what was wrong with any.
func atBoot(fsys fs.FS) (files tree.Tree, masked []string, errs []error, err error) {
	loader := services.NewLoader(fsys, domain.Domain{})
	loader.Systemd.AtBoot = true
	names, bad, err := loader.DeclaredAndBroken()
	if err != nil {
		return tree.Tree{}, nil, nil, fmt.Errorf("conf.d cannot be read, so no service is put into a domain: %w", err)
	}
	results := make([]result, len(names))
	parallel.Each(len(names), runtime.GOMAXPROCS(0), func(i int) { results[i] = one(loader.Systemd, names[i]) })
	var all merged
	for i, r := range results {
		name := names[i]
		if errors.Is(r.err, systemd.ErrMasked) && len(loader.Systemd.UnitsToBlock(name)) == 0 {
			masked = append(masked, r.err.Error())
			continue
		}
		if r.err == nil {
			r.err = all.add(r)
		}
		if r.err != nil {
			bad[name] = r.err
		}
	}
	files = all.files
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		errs = append(errs, bad[name])
		var why bytes.Buffer
		report(&why, bad[name])
		made, err := generators.Disabled(loader.Systemd.UnitsToBlock(name), loader.Systemd.Undone, "/etc/conf.d/"+name, strings.TrimSuffix(why.String(), "\n"))
		if err != nil {
			return tree.Tree{}, nil, nil, err
		}
		for _, f := range made.Files() {
			files.Put(f) // also in place of what another conf.d file wants
		}
	}
	warnings, shadowed, err := refuseShadowed(loader.Systemd, &files)
	return files, append(masked, warnings...), append(errs, shadowed...), err
}

// inGeneratorDir moves the files from /etc/systemd/system to the top.
func inGeneratorDir(files tree.Tree) tree.Tree {
	var moved tree.Tree
	for _, f := range files.Files() {
		f.Path = strings.TrimPrefix(f.Path, systemd.Etc)
		moved.Put(f)
	}
	return moved
}

// refuseShadowed adds to files what makes a unit fail of which systemd reads another file
// in place of rdgen's, and would start it elsewhere. It has a name that no file has. What
// holds the unit in its domain is only said.
func refuseShadowed(sd *services.Systemd, files *tree.Tree) (warnings []string, errs []error, err error) {
	for _, s := range sd.Shadows(*files) {
		if s.Holds {
			warnings = append(warnings, s.Path+" wins over what conf.d says, and is not the same; "+
				"remove it, or regenerate it with: rdgen systemd --all -o /etc")
			continue
		}
		wrong := s.Problem()
		errs = append(errs, wrong)
		var why bytes.Buffer
		report(&why, wrong)
		made, err := generators.Disabled([]string{s.Unit}, sd.Undone, s.Path, strings.TrimSuffix(why.String(), "\n"))
		if err != nil {
			return nil, nil, err
		}
		for _, f := range made.Files() {
			f.Path = filepath.Join(filepath.Dir(f.Path), sd.RefusedName(s.Unit))
			files.Put(f)
		}
	}
	return warnings, errs, nil
}

// userScope is what rdgen says to a user's systemd, which may not enter a domain.
var userScope = &problem.Error{Pos: problem.Pos{File: "systemd --user"},
	Msg:  "a user's services cannot be put into a domain: only root may enter one",
	Hint: "make it a system service with User="}

// kmsg is the kernel's log, the only one that there is when generators run.
type kmsg struct{ w io.Writer }

// openKmsg returns the kernel's log, or stderr where there is none.
func openKmsg() io.Writer {
	f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		return os.Stderr
	}
	return kmsg{f}
}

// Write makes a record of each line. The kernel cuts what is longer than 976
// bytes less its prefix (PRINTKRB_RECORD_MAX, kernel/printk).
func (k kmsg) Write(text []byte) (int, error) {
	const most = 900
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		level := "<3>"
		if strings.HasPrefix(line, "rdgen: warning: ") {
			level = "<4>"
		}
		if len(line) > most {
			line = line[:most] + "..."
		}
		if _, err := io.WriteString(k.w, level+templates.Comment(line)+"\n"); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}
