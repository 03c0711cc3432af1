package openrc

import (
	"io/fs"
	"path"
	"strings"

	"rdgen/problem"
)

// guardWords are the words that openrc.sh makes look (rdgen_on there).
var guardWords = map[string]bool{"[": true, "test": true, "yesno": true, "supervise-daemon": true, "s6-svc": true,
	"s6-svlink": true, "sv": true, "start-stop-daemon": true, ".": true, "eval": true}

// answer is what becomes of a service whose conf.d names a domain.
type answer struct {
	// err says why it does not run in its domain, or is nil.
	err error
	// early says that those lines of its script that are in no function run before
	// it enters.
	early bool
}

// starts follows this machine's openrc-run.sh, and the files of the machine that it
// reads, as a shell would that starts a service, and answers whether openrc.sh
// enters before the first function of the script is called. Nothing is run.
func starts(fsys fs.FS) answer {
	text, file, err := libexec(fsys, "openrc-run.sh")
	if err != nil {
		return answer{err: err}
	}
	src, err := parse(file, text)
	if err != nil {
		return answer{err: err}
	}
	f := &flow{fsys: fsys}
	w := &way{vars: map[string]string{"RC_LIBEXECDIR": path.Dir(path.Dir(file))}, funcs: map[string]body{}, args: []string{theScript, "start"}}
	f.source(w, src)
	if f.answer == nil {
		f.called(w, problem.Pos{File: file})
	}
	return *f.answer
}

// called is where a function of the script is called: what was not entered by
// now is run in the default domain.
func (f *flow) called(w *way, pos problem.Pos) {
	if f.answer != nil {
		return
	}
	refuse := func(msg string) {
		f.answer = &answer{err: &problem.Error{Pos: pos, Msg: "this OpenRC " + msg,
			Hint: "rdgen openrc --all -o / puts a line into each script that needs nothing of OpenRC"}}
	}
	switch {
	case !w.hooked:
		pos.Line = 0
		refuse("does not read " + ConfPath + ", so services that name a domain do not start, or start outside of it")
	case w.vars["RC_SERVICE"] != theScript:
		refuse("does not know the script as RC_SERVICE, so services that name a domain do not start")
	case !w.scripted || !w.conf:
		refuse("does not read conf.d and scripts as rdgen knows it, so services that name a domain do not start, or start outside of it")
	case w.outside, !w.looked && !(w.asked && w.told): // rdomain.NAME sees it too
		refuse("calls the script's functions here, and the hook cannot see what it read before, so services that name a domain do not start, or start outside of it")
	default:
		f.answer = &answer{early: w.early}
	}
}

// look is where the hook enters if a domain is named. In a part of the shell it
// cannot.
func (f *flow) look(w *way) {
	if f.parts == 0 {
		w.outside = false
	}
}

// read is where a shell reads the file that a word names, by whatever command.
func (f *flow) read(w *way, name string) {
	switch {
	case name == theScript:
		w.scripted, w.looked = true, false
		w.early = w.early || w.outside
		return
	case isConf(name):
		w.conf, w.outside = true, true
		w.early = w.early || w.scripted
		return
	}
	for _, file := range f.files(name) {
		if "/"+file == ConfPath {
			w.hooked, w.guarded = true, true
			w.funcs["sourcex"] = body{hook: true}
			continue
		}
		if src, err := readSource(f.fsys, file); err == nil {
			f.source(w, src)
		}
	}
}

// sourcex is openrc.sh's own.
func (f *flow) sourcex(w *way, args []string) {
	name := args[len(args)-1]
	after := w.told
	if args[0] == "-e" {
		w.asked = w.asked || isConf(name)
	} else {
		f.look(w)
		w.told = w.told || name == theScript
	}
	f.read(w, name)
	if after {
		f.look(w)
	}
	w.guarded = !(w.told && w.asked)
}

// isConf reports whether a name is that of a file of conf.d.
func isConf(name string) bool {
	dir := path.Dir(name)
	return dir == "conf.d" || strings.HasSuffix(dir, "/conf.d")
}

// files returns the files below the root that a name means, which may be a pattern,
// and of which the beginning may not be known: then it is any folder's.
func (f *flow) files(name string) []string {
	if i := strings.LastIndex(name, unknown); i >= 0 {
		if !strings.HasPrefix(name[i+1:], "/rc.conf") {
			return nil
		}
		name = "/etc" + name[i+1:]
	}
	if !strings.HasPrefix(name, "/") {
		return nil
	}
	found, _ := fs.Glob(f.fsys, path.Clean(name)[1:])
	return found
}
