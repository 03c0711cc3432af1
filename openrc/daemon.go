package openrc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rdgen/problem"
)

// Option is an option that OpenRC gives to the program that starts a daemon.
type Option struct {
	// Name is the long name, without dashes.
	Name, Value string
	// Pos is the variable that it comes from.
	Pos problem.Pos
}

// Daemon is how OpenRC starts a daemon: what start-stop-daemon or supervise-daemon
// makes of the command line that start-stop-daemon.sh and supervise-daemon.sh build.
type Daemon struct {
	// Supervised: supervise-daemon starts it, else start-stop-daemon.
	Supervised bool
	// Foreground: the program does not go to the background by itself. OpenRC
	// supervises it, or puts it there (--background).
	Foreground bool
	// Options are all of them, in order.
	Options []Option
	// Prog is the program and its arguments; Name is argv[0] if that is another.
	Prog []string
	Name string
	// Pos is command=.
	Pos problem.Pos
}

// given is a word of the command line and the variable that it comes from.
type given struct {
	text string
	pos  problem.Pos
}

// Daemon returns how OpenRC starts the daemon of a declarative script. Call it on
// Start().
func (s *Script) Daemon() (Daemon, error) { return s.daemon("command_args_background") }

// Foreground is Daemon for a program that goes to the background by itself, with
// command_args_foreground for what sends it there, as under supervise-daemon.
func (s *Script) Foreground() (Daemon, error) {
	d, err := s.daemon("command_args_foreground")
	d.Foreground = true
	return d, err
}

func (s *Script) daemon(last string) (Daemon, error) {
	if own, err := s.OwnStart(); own != nil || err != nil {
		if err != nil {
			return Daemon{}, err
		}
		return own.daemon(s.Service)
	}
	b := builder{s: s, last: last}
	supervisor, _, _ := s.Lookup("supervisor")
	command, _, _ := s.Lookup("command")
	d := Daemon{Supervised: supervisor.Text == "supervise-daemon", Pos: command.Pos}
	if d.Supervised {
		b.supervise()
	} else {
		b.startStop()
	}
	if len(b.errs) > 0 {
		return d, errors.Join(b.errs...)
	}
	return d, d.parse(s.Service, b.line)
}

// builder builds the command line.
type builder struct {
	s *Script
	// last is the variable whose words are the last of start-stop-daemon's.
	last string
	line []given
	errs []error
}

func (b *builder) literal(words ...string) {
	for _, w := range words {
		b.line = append(b.line, given{text: w})
	}
}

// words adds the words of a variable, as eval has them.
func (b *builder) words(name string) {
	words, err := b.s.Args(name)
	if err != nil {
		b.errs = append(b.errs, err)
	}
	v, _, _ := b.s.Lookup(name)
	for _, w := range words {
		b.line = append(b.line, given{w, v.Pos})
	}
}

// option adds ${NAME:+--option} $NAME, or with set ${NAME+--option} $NAME.
func (b *builder) option(set bool, name, option string) {
	v, ok, err := b.s.Lookup(name)
	switch {
	case err != nil:
		b.errs = append(b.errs, err)
	case !ok || v.Text == "" && !set:
	case strings.TrimSpace(v.Text) == "":
		b.errs = append(b.errs, &problem.Error{Pos: v.Pos, Msg: name + "= is empty, and so OpenRC takes the next option for its value",
			Hint: "remove the line, or unset " + name + " where it is not meant"})
	default:
		b.line = append(b.line, given{"--" + option, v.Pos})
		b.words(name)
	}
}

// flag adds ${NAME:+--option}.
func (b *builder) flag(name, option string) {
	if v, _, _ := b.s.Lookup(name); v.Text != "" {
		b.line = append(b.line, given{"--" + option, v.Pos})
	}
}

// common adds what both have: a variable is an option, and "+" one that may be empty.
func (b *builder) common(names ...string) {
	for _, n := range names {
		name, option, _ := strings.Cut(n, " ")
		bare := strings.TrimPrefix(name, "+")
		b.option(bare != name, bare, option)
	}
}

// startStop is ssd_start of start-stop-daemon.sh.
func (b *builder) startStop() {
	b.literal("--exec")
	b.words("command")
	b.common("chroot chroot", "directory chdir", "+input_file stdin", "+output_log stdout", "+error_log stderr",
		"+capabilities capabilities", "secbits secbits")
	b.flag("no_new_privs", "no-new-privs")
	b.common("procname name", "pidfile pidfile", "+command_user user", "+umask umask")
	background, _, err := b.s.Lookup("command_background")
	if err != nil {
		b.errs = append(b.errs, err)
	}
	later, _, _ := b.s.Lookup("command_args_background")
	if IsYes(background.Text) {
		if later.Text != "" {
			b.errs = append(b.errs, &problem.Error{Pos: later.Pos, Msg: "command_args_background= and command_background= are not for one service: OpenRC does not start it"})
		}
		b.line = append(b.line, given{"--background", background.Pos}, given{"--make-pidfile", background.Pos})
	}
	b.words("start_stop_daemon_args")
	b.literal("--")
	b.words("command_args")
	b.words(b.last)
}

// supervise is supervise_start of supervise-daemon.sh.
func (b *builder) supervise() {
	b.common("directory chdir", "chroot chroot", "+input_file stdin", "+output_log stdout", "+error_log stderr",
		"+capabilities capabilities", "secbits secbits")
	b.flag("no_new_privs", "no-new-privs")
	b.common("+command_user user", "+umask umask")
	own, set, _ := b.s.Lookup("supervise_daemon_args")
	others, _, _ := b.s.Lookup("start_stop_daemon_args")
	switch {
	case set && own.Text == "" && others.Text != "":
		b.errs = append(b.errs, &problem.Error{Pos: own.Pos, Msg: "supervise_daemon_args= is empty: some releases of OpenRC use start_stop_daemon_args= then, others do not",
			Hint: "remove the one or the other"})
	case set:
		b.words("supervise_daemon_args")
	default:
		b.words("start_stop_daemon_args")
	}
	b.words("command")
	b.literal("--")
	b.words("command_args")
	b.words("command_args_foreground")
}

// parse reads the line as the program does, by getopt_long.
func (d *Daemon) parse(service string, line []given) error {
	program, table := "start-stop-daemon", startStopOptions
	if d.Supervised {
		program, table = "supervise-daemon", superviseOptions
	}
	options, operands, err := getopt(program, table, line)
	if err != nil {
		return err
	}
	d.Options = options
	argv := make([]string, 0, len(operands)+1)
	for _, o := range operands {
		argv = append(argv, o.text)
	}
	if d.Supervised {
		d.Foreground = true
	} else {
		argv = slices.Insert(argv, 0, d.last("exec"))
		d.Name = d.last("name")
		if d.Name == "" {
			d.Name = d.last("startas")
		}
		d.Foreground = slices.ContainsFunc(options, func(o Option) bool { return o.Name == "background" })
	}
	if len(argv) == 0 || argv[0] == "" {
		return &problem.Error{Pos: d.Pos, Msg: "command= is no program: there is nothing for " + program + " to start"}
	}
	if d.Prog = argv; d.Name == argv[0] {
		d.Name = ""
	}
	return nil
}

func (d *Daemon) last(name string) (value string) {
	for _, o := range d.Options {
		if o.Name == name {
			value = o.Value
		}
	}
	return value
}

// getopt splits a command line as getopt_long(3) does: options may stand after
// operands, a long one may be shortened, and "--" ends them.
func getopt(program string, table map[string]longOption, line []given) (options []Option, operands []given, err error) {
	for len(line) > 0 {
		w := line[0]
		line = line[1:]
		refuse := func(why string) error {
			return &problem.Error{Pos: w.pos, Msg: fmt.Sprintf("%s %s %s", program, why, w.text),
				Hint: "OpenRC reads all of these words as options, so the service does not start there either"}
		}
		switch {
		case w.text == "--":
			return options, append(operands, line...), nil
		case !strings.HasPrefix(w.text, "-") || w.text == "-":
			operands = append(operands, w)
			continue
		}
		var names []string // with their values
		var value *string
		if long, ok := strings.CutPrefix(w.text, "--"); ok {
			name, v, has := strings.Cut(long, "=")
			if has {
				value = &v
			}
			names = completions(table, name)
			if len(names) != 1 || has && !table[names[0]].value {
				return nil, nil, refuse("has no option")
			}
		} else {
			for rest := w.text[1:]; rest != ""; rest = rest[1:] {
				name := shortOption(table, rest[0])
				if name == "" {
					return nil, nil, refuse("has no option")
				}
				names = append(names, name)
				if v := rest[1:]; table[name].value {
					if v != "" {
						value = &v
					}
					break
				}
			}
		}
		for _, name := range names {
			o := Option{Name: name, Pos: w.pos}
			if table[name].value {
				if value == nil {
					if len(line) == 0 {
						return nil, nil, refuse("wants a value after")
					}
					value, line = &line[0].text, line[1:]
				}
				o.Value = *value
			}
			options = append(options, o)
		}
	}
	return options, operands, nil
}

func completions(table map[string]longOption, name string) (names []string) {
	if _, ok := table[name]; ok {
		return []string{name}
	}
	for full := range table {
		if strings.HasPrefix(full, name) {
			names = append(names, full)
		}
	}
	return names
}

func shortOption(table map[string]longOption, c byte) string {
	for name, o := range table {
		if o.short == c {
			return name
		}
	}
	return ""
}
