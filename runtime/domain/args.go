package domain

import (
	"errors"
	"strings"
)

// Command is what rdexec is asked to do: enter Domain, become User, execute
// Prog. Args and ParseArgs are its two directions, and the only place where
// rdexec's command line is spelled.
type Command struct {
	Domain

	// Cgroup, if not empty, is the cgroup that the VRF's program is attached
	// to, as /proc/PID/cgroup spells it ("/openrc.sshd"), instead of one of
	// rdexec's own that it joins. It is only legal with a VRF.
	Cgroup string

	// User is USER or USER:GROUP, each a name or a number; empty means that
	// the identity is kept.
	User string

	// Look asks only whether the calling process is in Domain. Nothing is
	// entered and no program is run, so that all of the above but Domain is empty.
	Look bool

	// Prog is the program and its arguments; it has at least one element.
	Prog []string
}

// Usage is rdexec's synopsis.
const Usage = "rdexec [-n|--netns NETNS] [-v|--vrf VRF] [-c|--cgroup PATH] [-u|--user USER[:GROUP]] [--] PROG [ARG...]\n" +
	"       rdexec --look [-n|--netns NETNS] [-v|--vrf VRF]"

// Args returns the arguments of rdexec, without its own name, that ParseArgs
// reads as c. "--" is always there, so that no PROG can be read as an option.
func (c Command) Args() []string {
	if c.Look {
		options := c.Options()
		return append([]string{"--look"}, options[:len(options)-1]...)
	}
	return append(c.Options(), c.Prog...)
}

// Options returns Args without Prog: what is put in front of a command line
// that is already text, such as ExecStart= or an OpenRC command. The last
// element is "--".
func (c Command) Options() []string {
	var args []string
	for _, o := range []struct{ flag, value string }{
		{"-n", c.Netns.String()},
		{"-v", c.VRF.String()},
		{"-c", c.Cgroup},
		{"-u", c.User},
	} {
		if o.value != "" {
			args = append(args, o.flag, o.value)
		}
	}
	return append(args, "--")
}

// ErrHelp is returned by ParseArgs when -h or --help is asked for.
var ErrHelp = errors.New("help asked for")

// ParseArgs reads rdexec's arguments, without its own name. Options end at
// "--" or at the first word that is not one. An option may be given once; an
// empty value is an error, never "no domain": a shell variable that turned out
// empty must not start a service in the default domain.
func ParseArgs(args []string) (Command, error) {
	if len(args) > 0 && args[0] == "--look" {
		return parseLook(args[1:])
	}
	var c Command
	seen := ""
	for len(args) > 0 {
		word := args[0]
		if word == "--" {
			args = args[1:]
			break
		}
		if len(word) < 2 || word[0] != '-' {
			break
		}
		if word == "-h" || word == "--help" {
			return Command{}, ErrHelp
		}
		flag, value, rest, err := option(word, args[1:])
		if err != nil {
			return Command{}, err
		}
		if strings.IndexByte(seen, flag) >= 0 {
			return Command{}, errors.New("option -" + string(flag) + " is given twice")
		}
		if value == "" {
			return Command{}, errors.New("option -" + string(flag) +
				" is empty; leave the option out if none is meant")
		}
		seen += string(flag)
		if err := c.set(flag, value); err != nil {
			return Command{}, err
		}
		args = rest
	}
	if c.Cgroup != "" && c.VRF.IsZero() {
		return Command{}, errors.New("option -c needs -v: only a VRF is bound by a cgroup")
	}
	if len(args) == 0 || args[0] == "" {
		return Command{}, errors.New("no program given")
	}
	c.Prog = args
	return c, nil
}

// parseLook reads what follows --look: a domain and nothing else.
func parseLook(args []string) (Command, error) {
	c, err := ParseArgs(append(append([]string{}, args...), "--", "look"))
	switch {
	case err != nil:
		return Command{}, err
	case c.Look || c.Cgroup != "" || c.User != "" || len(c.Prog) != 1 || c.Domain.IsDefault():
		return Command{}, errors.New("option --look takes -n, -v or both, and nothing else")
	}
	return Command{Domain: c.Domain, Look: true}, nil
}

// option splits the option in word from its value, which may be attached
// (-nNAME, --netns=NAME) or the next argument.
func option(word string, next []string) (flag byte, value string, rest []string, err error) {
	attached := false
	if long, ok := strings.CutPrefix(word, "--"); ok {
		long, value, attached = strings.Cut(long, "=")
		switch long {
		case "netns", "vrf", "cgroup", "user":
			flag = long[0]
		}
	} else {
		flag, value, attached = word[1], word[2:], len(word) > 2
	}
	if strings.IndexByte("nvcu", flag) < 0 {
		return 0, "", nil, errors.New("unknown option " + quote(word))
	}
	if attached {
		return flag, value, next, nil
	}
	if len(next) == 0 {
		return 0, "", nil, errors.New("option " + word + " needs a value")
	}
	return flag, next[0], next[1:], nil
}

func (c *Command) set(flag byte, value string) (err error) {
	switch flag {
	case 'n':
		c.Netns, err = ParseNetns(value)
	case 'v':
		c.VRF, err = ParseVRF(value)
	case 'c':
		c.Cgroup, err = value, checkCgroup(value)
	case 'u':
		c.User, err = value, checkUser(value)
	}
	return err
}

// checkCgroup accepts a clean absolute path below the root of the hierarchy.
func checkCgroup(path string) error {
	if path[0] != '/' || path == "/" {
		return errors.New("cgroup " + quote(path) + " is not a path below \"/\", as /proc/self/cgroup shows it")
	}
	for elem := range strings.SplitSeq(path[1:], "/") {
		if elem == "" || elem == "." || elem == ".." {
			return errors.New("cgroup " + quote(path) + " is not a clean path")
		}
	}
	return checkPrintable("cgroup", path)
}

func checkUser(user string) error {
	name, group, hasGroup := strings.Cut(user, ":")
	if name == "" || hasGroup && group == "" || strings.Contains(group, ":") || name[0] == '-' {
		return errors.New("user " + quote(user) + " is not USER or USER:GROUP")
	}
	return checkPrintable("user", user)
}

func checkPrintable(what, s string) error {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return errors.New(what + " " + quote(s) + " contains a space or control character")
		}
	}
	return nil
}
