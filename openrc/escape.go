package openrc

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// Escapes returns what the script does that escapes the domain d: each an
// *problem.Error with its place, the reason and what to do. The hook and the line of
// WithLine refuse to start a service that a supervisor would run elsewhere;
// what start() asks of others they cannot see. It reads the run files of
// supervisors and OpenRC's own files in fsys.
func (s *Script) Escapes(fsys fs.FS, d domain.Domain) []error {
	errs := s.AsksOthers(d)
	if err := s.supervisedOutside(fsys, d); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// AsksOthers returns the calls in start(), and in what it calls, which may be any function
// of the script, that have somebody run a program who is not in the domain d.
func (s *Script) AsksOthers(d domain.Domain) []error {
	var errs []error
	own := ""
	if v, ok, err := s.Lookup("command"); ok && err == nil {
		own = path.Base(string(v.Text))
	}
	for _, name := range slices.Sorted(slices.Values(s.mayRun())) {
		for _, f := range s.run.funcs[name] {
			syntax.Walk(f.decl.Body, func(n syntax.Node) bool {
				c, ok := n.(*syntax.CallExpr)
				if !ok || len(c.Args) == 0 {
					return true
				}
				program := path.Base(c.Args[0].Lit())
				if who := asks(c, own); who != "" {
					errs = append(errs, &problem.Error{Pos: f.src.pos(c.Pos()),
						Msg:  fmt.Sprintf("%s() asks %s by %s to run something, which would not run in %s", name, who, program, d),
						Hint: `have that run "` + enter(d) + ` PROGRAM", or start the program from the script by supervise-daemon`})
				}
				return true
			})
		}
	}
	return errs
}

// mayRun lists the functions that can run something; a stop() may ask anybody.
func (s *Script) mayRun() []string {
	var names []string
	for name := range s.run.funcs {
		switch name {
		case "depend", "stop", "stop_pre", "stop_post", "status", "describe", "default_stop":
		default:
			names = append(names, name)
		}
	}
	return names
}

// supervisedOutside judges supervisor=: s6 and runit run the program, not the script. Of
// a script in which only a shell can tell it says nothing: the hook asks at each
// start.
func (s *Script) supervisedOutside(fsys fs.FS, d domain.Domain) error {
	v, _, err := s.Lookup("supervisor")
	if err != nil {
		return nil
	}
	dir := ""
	switch v.Text {
	case "s6":
		command, _, err := s.Lookup("command")
		if err != nil {
			return err
		}
		if command.Text != "" && makesS6Services(fsys) {
			return nil
		}
		dir = "/var/svc.d/" + s.Service
		if own, _, _ := s.Lookup("s6_service_path"); own.Text != "" {
			dir = own.Text
		}
	case "runit":
		dir = "/etc/sv/" + s.Service
		if own, _, _ := s.Lookup("runit_service"); own.Text != "" {
			dir = own.Text
		}
	default:
		return nil
	}
	run := path.Join(dir, "run")
	if text, err := readFile(fsys, run[1:]); err == nil && entersBy(text, enter(d)) {
		return nil
	}
	return &problem.Error{Pos: v.Pos, Msg: fmt.Sprintf("supervisor=%s runs %s outside of %s, so the service will not start", v.Text, run, d),
		Hint: `put "` + enter(d) + `" before the program in ` + run}
}

// enter is what a run file must say, as openrc.sh looks for it.
func enter(d domain.Domain) string {
	return strings.Join(append([]string{"rdexec"}, domain.Command{Domain: d}.Options()...), " ")
}

func entersBy(text []byte, words string) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); !bytes.HasPrefix(line, []byte("#")) && bytes.Contains(line, []byte(words)) {
			return true
		}
	}
	return false
}

// makesS6Services reports that OpenRC makes the service directories of s6 itself, as
// it does since 0.63: then the hook puts the way into the domain there.
func makesS6Services(fsys fs.FS) bool {
	text, _, err := libexec(fsys, "s6.sh")
	return err == nil && bytes.Contains(text, []byte("_s6_servicedir_create()"))
}
