package generators

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
)

// run is the data of templates/s6-run.tmpl and s6-finish.tmpl.
type run struct {
	From, Again, Execline, Options string
	Notes                          []string
	Up                             []string
	// Prepare is done as root, before a variable is substituted.
	Prepare []line
	Imports []imported
	// Before is in the domain, but not the program.
	Before []line
	// Enter leads into the domain, and to what runs the program as whom.
	Enter        [][]string
	NotifySocket bool
	NotifyFD     int
	Program      [][]string
	// After is what finish does, with the settings of Settle and the variables of
	// AfterImports; then it removes Remove.
	Settle, After []line
	AfterImports  []imported
	Remove        []string
}

// line is a line of execline: words, or a block of them after the words of Head.
type line struct {
	Head  string
	Words []string
}

// positional is what execlineb -S1 would replace, or may.
var positional = regexp.MustCompile(`\$\{?[0-9@*#]`)

// ownShell is rdgen's own sh, in which it replaces nothing: without braces, a parameter
// counts only at the end of a word.
var ownShell = []string{homeFolder, mayBeHome, mayBeThere, moreGroups}

func newRun(s S6, p process) (run, error) {
	r := run{From: s.from(p.Pos.File), Again: s.again(), Execline: s.Flavor.Execline, Options: "-P", Notes: p.Notes,
		Imports: p.Imports, NotifySocket: p.NotifySocket, NotifyFD: p.NotifyFD}
	id := s.Domain.ID()
	enter := append([]string{rdexec}, domain.Command{Domain: s.Domain}.Options()...)
	if s.Template {
		// Whoever makes an instance names the domain by it.
		id, r.Options = "$1", "-S1"
		enter = []string{rdomain, "exec", id, "--"}
	}
	if s.Flavor.ServiceDirs {
		r.Up = []string{rdomain, "up", id}
	}
	if err := p.settle(); err != nil {
		return run{}, err
	}
	r.prepare(p)
	r.Enter = p.chain(enter, command{}, s.Template)
	for _, c := range p.Before {
		r.Before = append(r.Before, p.line(c, enter, s.Template))
	}
	if slices.ContainsFunc(r.Before, func(l line) bool { return l.Head == "foreground" }) {
		r.Before = append(r.Before, line{"", []string{"unexport", "?"}}) // foreground sets it
	}
	for _, c := range p.After {
		r.After = append(r.After, p.line(c, enter, s.Template))
	}
	if len(r.After) > 0 {
		r.Settle, r.AfterImports = p.settings(), p.AfterImports
	}
	for _, f := range p.Folders {
		if f.Removed {
			r.Remove = append(r.Remove, f.Path)
		}
	}
	r.Program = p.program()
	return r, r.checkPositional(p.Pos, s.Template)
}

// settle refuses what no chain of programs can do.
func (p *process) settle() error {
	if numeric(p.User) && p.Group == "" && p.Raise {
		return problem.New(p.Pos, "user %s is a number, and whoever gets capabilities needs a name here", p.User).
			WithHint("write the user's name")
	}
	if numeric(p.User) && len(p.Groups) > 0 {
		return problem.New(p.Pos, "user %s is a number, and whoever gets more groups needs a name here", p.User).
			WithHint("write the user's name")
	}
	for _, c := range append(slices.Concat(p.Before, p.After), command{Name: p.Name}) {
		if c.Name != "" && len(p.path()) > 0 {
			return problem.New(p.Pos, "is called %s and has a PATH of its own, and only one of the two can be had", c.Name).
				WithHint("leave out the one that matters less in a drop-in or in conf.d")
		}
	}
	return nil
}

// checkPositional refuses words that look like a parameter: that of a template, or
// the exit code that finish has.
func (r *run) checkPositional(at problem.Pos, template bool) error {
	if template && len(r.After)+len(r.Remove) > 0 {
		return problem.New(at, "has something to do when it stops, and finish of a template does not know its instance").
			WithHint("write the template by hand")
	}
	var words []string
	lines := slices.Concat(r.Settle, r.After)
	if template {
		words, lines = slices.Concat(slices.Concat(r.Enter, r.Program)...), slices.Concat(r.Prepare, r.Before)
	}
	for _, l := range lines {
		words = append(words, l.Words...)
	}
	for _, w := range words {
		switch {
		case !positional.MatchString(w) || slices.Contains(ownShell, w) || template && w == "$1":
		case template:
			return problem.New(at, "%q would be replaced by the name of the instance", w).WithHint("write the template by hand")
		default:
			return problem.New(at, "%q would be replaced by the exit code in finish", w).WithHint("have the command in a script of its own")
		}
	}
	return nil
}

// prepare makes the folders and the environment.
func (r *run) prepare(p process) {
	add := func(head string, words ...string) { r.Prepare = append(r.Prepare, line{head, words}) }
	for _, f := range p.Folders {
		for _, words := range f.commands() {
			add("if", words...)
		}
	}
	r.Prepare = append(r.Prepare, p.settings()...)
}

// What sh does for a folder that execline's cd cannot name, or may not find. It leaves
// no variables behind.
const (
	homeFolder = `cd -- "$HOME" || exit 111; unset PWD OLDPWD; exec "$@"`
	mayBeHome  = `cd -- "$HOME" 2>/dev/null || cd /; unset PWD OLDPWD; exec "$@"`
	mayBeThere = `cd -- "$0" 2>/dev/null || cd /; unset PWD OLDPWD; exec "$@"`
)

// settings are the lines for folder, umask and environment, which all commands of the
// service have.
func (p process) settings() (lines []line) {
	add := func(head string, words ...string) { lines = append(lines, line{head, words}) }
	home := p.Home && p.User != "" && !numeric(p.User)
	switch {
	case p.Dir == "~":
		add("backtick -n -i HOME", "homeof", p.User)
		if p.DirOptional {
			add("", "sh", "-c", mayBeHome, "sh")
		} else {
			add("", "sh", "-c", homeFolder, "sh")
		}
		if !home {
			add("", "unexport", "HOME")
		}
	case p.DirOptional:
		add("", "sh", "-c", mayBeThere, p.Dir)
	default:
		add("", "cd", p.Dir)
	}
	if p.Umask != "" {
		add("", "umask", p.Umask)
	}
	if home && p.Dir != "~" {
		add("backtick -n -i HOME", "homeof", p.User)
	}
	for _, e := range p.Env {
		if e.Name != "PATH" {
			add("", "export", e.Name, e.Value)
		}
	}
	for _, f := range p.EnvFiles {
		if f.Optional {
			add("", "envfile", "-I", f.Path)
		} else {
			add("", "envfile", f.Path)
		}
	}
	for _, name := range p.Unset {
		add("", "unexport", name)
	}
	return lines
}

// makeFile is sh that makes $1 under the umask $2 and gives it to $3, and follows no
// link: the folder may be another user's.
const makeFile = `umask "$2"; set -C; [ -e "$1" ] || [ -L "$1" ] || { : >"$1" && chown -h "$3" "$1"; }`

// commands make the folder. They follow no link that another user could have made
// (s6.SafeFolder).
func (f folder) commands() [][]string {
	owner := f.Owner
	if owner != "" && !strings.Contains(owner, ":") {
		owner += ":" // and the user's own group
	}
	if f.File {
		mode, _ := strconv.ParseUint(f.Mode+f.New, 8, 16)
		if owner == "" {
			owner = "root:"
		}
		return [][]string{{"sh", "-c", makeFile, "sh", f.Path, fmt.Sprintf("%04o", 0o777&^mode), owner}}
	}
	words := []string{"mkdir", "-p"}
	switch {
	case s6.SafeFolder(f.Path) && f.Mode != "":
		words = []string{"install", "-d", "-m", f.Mode}
	case f.Mode+f.New != "":
		words = append(words, "-m", f.Mode+f.New)
	}
	commands := [][]string{append(words, f.Path)}
	if owner != "" {
		commands = append(commands, []string{"chown", "-h", owner, f.Path})
	}
	return commands
}

// line is a command of the service that is not the program.
func (p process) line(c command, enter []string, template bool) line {
	words := slices.Concat(slices.Concat(p.chain(enter, c, template)...), slices.Concat(p.path()...))
	if c.Name != "" {
		words = append(words, "exec", "-a", c.Name)
	}
	l := line{"if", append(words, c.Words...)}
	switch {
	case c.Optional:
		l.Head = "foreground"
	case c.Decides:
		l.Head = "if -x 100" // finish says what that means
	}
	return l
}

// chain is what leads from root, outside, to the user in the domain. rdexec changes the
// user where that is all; s6-applyuidgid where something has to be done before, or where
// a group is named: then rdexec would leave only that one.
func (p process) chain(enter []string, c command, template bool) [][]string {
	chain := [][]string{slices.Clone(enter)}
	simple := len(p.Wrappers) == 0 && !p.Raise && len(p.Groups) == 0 && (p.Group == "" || p.User == "" || numeric(p.User) || p.Alone)
	root := c.Root || c.AsRoot
	switch {
	case root || p.User == "" && p.Group == "":
	case simple && !template:
		chain[0] = slices.Insert(chain[0], len(enter)-1, "-u", p.account())
	case simple:
		chain = append(chain, append([]string{rdexec}, domain.Command{User: p.account()}.Options()...))
	}
	for _, w := range p.Wrappers {
		if !c.Root || w[0] != "prlimit" {
			chain = append(chain, w)
		}
	}
	if c.Root {
		return chain
	}
	if !simple && !root {
		chain = append(chain, p.drop()...)
	}
	if len(p.Setpriv) > 0 {
		words := []string{"setpriv"}
		if p.Raise && p.User != "" && !root {
			words = append(words, "--reuid="+p.User)
			if numeric(p.User) {
				words = append(words, "--regid="+p.Group, "--clear-groups")
			}
		}
		chain = append(chain, append(words, p.Setpriv...))
	}
	return chain
}

// account is the user and group as rdexec has them.
func (p process) account() string {
	switch {
	case p.Group == "":
		return p.User
	case p.User == "":
		return "root:" + p.Group
	}
	return p.User + ":" + p.Group
}

// drop changes user and groups by programs that need no more than they: the
// groups of the user, the group that is named, and last the user, if setpriv does not.
func (p process) drop() [][]string {
	more := len(p.Groups) > 0
	switch {
	case p.User == "" && p.Group == "" && !more:
		return nil
	case !more && (p.User == "" || (numeric(p.User) || p.Alone) && !p.Raise):
		return [][]string{append([]string{rdexec}, domain.Command{User: p.account()}.Options()...)}
	case numeric(p.User):
		return nil
	}
	chain := [][]string{{"s6-envuidgid", p.User}}
	if p.User == "" {
		chain = [][]string{{"export", "UID", "0"}, {"export", "GID", "0"}}
	}
	switch {
	case numeric(p.Group):
		chain = append(chain, []string{"export", "GID", p.Group})
	case p.Group != "":
		chain = append(chain, []string{"s6-envuidgid", "-g", p.Group})
	}
	if p.Alone || p.User == "" {
		chain = append(chain, []string{"export", "GIDLIST", ""})
	}
	if more {
		chain = append(chain, []string{"sh", "-c", moreGroups, strings.Join(p.Groups, " ")})
	}
	if p.Raise {
		chain = append(chain, []string{"export", "UID", "0"})
	}
	return append(chain, []string{"s6-applyuidgid", "-U", "-z"})
}

// moreGroups is sh that puts the groups of $0 before those of GIDLIST.
const moreGroups = `GIDLIST=$(for g in $0; do case $g in *[!0-9]*) g=$(s6-envuidgid -g "$g" sh -c 'echo "$GID"') || exit;; esac; ` +
	`GIDLIST=$g${GIDLIST:+,$GIDLIST}; done; echo "$GIDLIST") || exit 111; export GIDLIST; exec "$@"`

// path sets the service's own PATH, last: the programs before are found by that of s6.
func (p process) path() [][]string {
	for _, e := range p.Env {
		if e.Name == "PATH" {
			return [][]string{{"export", "PATH", e.Value}}
		}
	}
	return nil
}

// program is what the user executes in the domain. Files are opened as the user, as
// OpenRC does, and nobody else may read a new one.
func (p process) program() (chain [][]string) {
	for _, f := range p.Files {
		mode := "-a"
		if f.FD == 0 {
			mode = "-r"
		}
		chain = append(chain, []string{"redirfd", mode, fmt.Sprint(f.FD), f.Path})
	}
	if len(p.Files) > 0 {
		chain = slices.Concat([][]string{{"umask", "0177"}}, chain, [][]string{{"umask", p.Umask}})
	}
	chain = append(chain, p.path()...)
	if p.Name != "" {
		chain = append(chain, []string{"exec", "-a", p.Name})
	}
	return append(chain, p.Prog)
}

func numeric(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }
