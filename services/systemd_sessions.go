package services

import (
	"io/fs"
	"path"
	"strings"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// sessions judges what opens a session of PAM in a VRF: pam_systemd moves the process into a
// cgroup of the session's, out of that of the unit, and so of the VRF. A namespace holds it.
func (sd *Systemd) sessions(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	for _, s := range systemd.Sessions(unit) {
		if !s.All {
			errs = append(errs, sd.moves(s, d)...)
		}
	}
	return errs, nil
}

// movedOut refuses a unit of which all that it runs would be moved out of its VRF.
func (sd *Systemd) movedOut(s generators.Systemd) error {
	judged := s.Units
	if s.Instance != nil {
		judged = []*systemd.Unit{s.Instance.Base}
	}
	for _, unit := range judged {
		for _, opens := range systemd.Sessions(unit) {
			if errs := sd.moves(opens, s.Domain); opens.All && len(errs) > 0 {
				return errs[0]
			}
		}
	}
	return nil
}

// moves returns the fault of what opens a session and is moved out of its VRF by that.
func (sd *Systemd) moves(s systemd.Session, d domain.Domain) []error {
	units, err := sd.units()
	if err != nil || d.VRF.IsZero() {
		return nil
	}
	if _, err := units.Unit("systemd-logind.service"); err != nil {
		return nil // it makes the sessions
	}
	by, moved := pam{sd.fsys}.moves(s.Stack, "pam_systemd.so", d)
	if !moved {
		return nil
	}
	what := s.Key + "=" + s.Stack
	if s.By != "" {
		what = s.Key + "= runs " + s.By + ", which"
	}
	hint := "a file of PAM's without it, for this service alone, or User= and no PAM"
	if s.By != "" {
		hint = "User= in the unit, or runuser -u, or setpriv, in place of that"
	}
	return []error{problem.New(placeOf(s.Setting), "%s opens a session, and pam_systemd (%s) moves that out of %s into a cgroup of its own", what, by, d).
		WithHint(hint + "; or netns= in place of vrf=: a namespace holds it")}
}

// pam are the files of PAM below a root.
type pam struct{ fsys fs.FS }

// elogind returns the fault of what opens a session that elogind moves out of its VRF, or none:
// by are the words that ask for the file stack of PAM's, and pos is where they are.
func (p pam) elogind(stack, by string, pos problem.Pos, d domain.Domain) []error {
	if stack == "" || d.VRF.IsZero() {
		return nil
	}
	line, moved := p.moves(stack, "pam_elogind.so", d)
	if !moved {
		return nil
	}
	return []error{problem.New(pos, "the command is %s, which opens a session, and where all cgroups are cgroup2 pam_elogind (%s) moves that out of %s", by, line, d).
		WithHint("command_user= or User=, or setpriv, in place of that; or netns= in place of vrf=: a namespace holds it")}
}

// ofScript is elogind for the daemon of an init script.
func (p pam) ofScript(s *openrc.Script, d domain.Domain) []error {
	daemon, unclear := s.Start().Daemon()
	if unclear != nil {
		return nil
	}
	stack, by := systemd.SessionOf(daemon.Prog)
	return p.elogind(stack, by, daemon.Pos, d)
}

// moves reports whether a session of a file of PAM's is moved into a cgroup of its own by a
// module, and by which line; not where a later line moves it back (docs/logins.md).
func (p pam) moves(stack, mover string, d domain.Domain) (by problem.Pos, moved bool) {
	for _, set := range p.lines(strings.ToLower(stack), "session", 0) {
		words := strings.Fields(set.Value)
		module := path.Base(words[0])
		switch args := strings.Join(words[1:], " "); {
		case module == mover && !strings.Contains(args, "class=none"):
			if set.Key != "-" || p.has(module) {
				by, moved = placeOf(set), true
			}
		case module == "pam_exec.so" && strings.HasSuffix(args, "rdomain session "+d.ID()):
			moved = false
		}
	}
	return by, moved
}

// pamFolders have PAM's files; the first that has one of a name wins (pam.d(5)).
var pamFolders = []string{"etc/pam.d", "usr/local/lib/pam.d", "usr/lib/pam.d"}

// lines returns the lines of one type of a file, and of those that it includes (pam.d(5)):
// the module with its arguments as Value, and as Key "-", if it need not be there. A
// service without a file has that of "other".
func (p pam) lines(stack, kind string, depth int) (list []systemd.Setting) {
	text, file := p.file(stack)
	if file == "" && depth == 0 && stack != "other" {
		return p.lines("other", kind, 0)
	}
	n, begun := 0, ""
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(begun+strings.TrimSpace(line), "#")
		if begun, _ = strings.CutSuffix(line, "\\"); begun != line {
			continue
		}
		begun = ""
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[0] == "@include" && depth < 16 {
			list = append(list, p.lines(fields[1], kind, depth+1)...)
			continue
		}
		if len(fields) < 3 || strings.TrimPrefix(strings.ToLower(fields[0]), "-") != kind {
			continue
		}
		optional, rest := fields[0][:1], fields[2:]
		for i, word := range fields[1:] { // [value=action value=action]
			if fields[1][0] == '[' && strings.HasSuffix(word, "]") {
				rest = fields[i+2:]
				break
			}
		}
		switch {
		case len(rest) == 0:
		case (fields[1] == "include" || fields[1] == "substack") && depth < 16:
			list = append(list, p.lines(rest[0], kind, depth+1)...)
		default:
			list = append(list, systemd.Setting{File: file, Line: n, Key: optional, Value: strings.Join(rest, " ")})
		}
	}
	return list
}

// file reads a file of PAM's; an include may have its path.
func (p pam) file(stack string) (text []byte, file string) {
	for _, folder := range pamFolders {
		name := path.Join(folder, stack)
		if strings.HasPrefix(stack, "/") {
			name = path.Clean(stack[1:])
		}
		if text, err := fs.ReadFile(p.fsys, name); err == nil {
			return text, "/" + name
		}
	}
	return nil, ""
}

// has reports whether a module is in one of the folders of a distribution.
func (p pam) has(module string) bool {
	for _, folder := range []string{"usr/lib", "usr/lib64", "usr/lib/*", "lib", "lib64", "lib/*"} {
		if found, _ := fs.Glob(p.fsys, folder+"/security/"+module); len(found) > 0 {
			return true
		}
	}
	return false
}
