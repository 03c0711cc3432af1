// Command rdomain makes, removes and looks at routing domains: network
// namespaces, VRFs, and VRFs inside namespaces (rdomain(8)).
package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/problem"
	"rdgen/quit"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
)

const usage = `usage: rdomain up [-n] [--try SECONDS] NAME...|--all    bring domains up
       rdomain down [-n] NAME...|--all    take away what up made
       rdomain reload [-n] [--try SECONDS] NAME...|--all   up, and remove what the file no longer wants
       rdomain confirm NAME...|--all      keep what --try would take back
       rdomain check [--json] NAME...|--all    say what differs from the file; exit 1 if something does
       rdomain check --self [--hold] [-n NETNS] [-v VRF]   is this process in it?
       rdomain list [--json]
       rdomain dump NAME                  print the file of what somebody made by hand
       rdomain ps [--json] [NAME]
       rdomain identify [--json] [PID]
       rdomain exec NAME [--] PROG [ARG...]
       rdomain session NAME               for PAM: the session that begins is in it
       rdomain watch [-- PROG [ARG...]]   keep what is up as it was made

NAME is that of a namespace, of a VRF, or VRF@NETNS; /etc/rdomain/NAME.conf may
describe it. --all are all domains with a file, for down all that are up. -n
prints the ip commands that would be done, and does nothing. --try takes all back
if nobody confirms it in time.

    rdomain up private
    rdomain exec private -- ping 10.20.30.1
`

// version is set by the linker.
var version = "unreleased"

func main() { os.Exit(run(os.Stdout, os.Stderr, os.Args[1:])) }

// run is rdomain. It returns the exit code: 0, 1 (check found something), or
// one of those of package domain.
func run(stdout, stderr io.Writer, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return domain.ExitPermanent
	}
	out := &printable{w: stdout}
	c := &command{stdout: out, stderr: &printable{w: stderr}, terminal: stderr}
	if err := quit.Begin(); err != nil {
		c.fail(err)
		return c.code
	}
	verbs := map[string]func([]string) error{
		"up": c.up, "down": c.down, "reload": c.reload, "check": c.check, "list": c.list,
		"confirm": c.confirm, "dump": c.dump, "ps": c.ps, "identify": c.identify, "exec": c.exec, "watch": c.watch,
		"exec-for-user": c.execForUser, "session": c.session,
	}
	shown := func(text string) func([]string) error {
		return func([]string) error { _, _ = io.WriteString(out, text); return nil } // out keeps the error
	}
	for _, word := range []string{"-h", "--help", "help"} {
		verbs[word] = shown(usage)
	}
	verbs["--version"] = shown("rdomain version " + version + "\n")
	verb, ok := verbs[args[0]]
	if !ok {
		wrong := &problem.Error{Msg: fmt.Sprintf("no verb %q; expected up, down, reload, confirm, check, list, dump, ps, identify, exec, session or watch", args[0])}
		if near := problem.Nearest(args[0], slices.Sorted(maps.Keys(verbs))...); near != "" {
			wrong.Hint = "is rdomain " + near + " meant?"
		} else if strings.HasPrefix(args[0], "-") {
			wrong.Hint = "options stand behind the verb"
		}
		c.fail(wrong)
		return c.code
	}
	if asksForHelp(args) {
		verb = shown(usage)
	}
	if err := verb(args[1:]); err != nil {
		c.fail(err)
	}
	if out.err != nil {
		c.fail(fmt.Errorf("write to standard output: %w", out.err))
	}
	return c.code
}

// asksForHelp reports whether a verb's arguments ask how it is called. What stands behind
// the NAME of exec is for the program.
func asksForHelp(args []string) bool {
	for _, word := range args[1:] {
		switch {
		case word == "-h" || word == "--help":
			return true
		case word == "--", (args[0] == "exec" || args[0] == "exec-for-user") && !strings.HasPrefix(word, "-"):
			return false
		}
	}
	return false
}

// command is one call of rdomain.
type command struct {
	stdout, stderr io.Writer
	// terminal is where stderr goes, as it is.
	terminal io.Writer
	// code is the exit code so far; it only grows, so that of several domains
	// the worst counts.
	code int
}

// fail reports an error and remembers its exit code.
func (c *command) fail(err error) {
	for i, line := range strings.Split(err.Error(), "\n") {
		level := "fatal"
		if i > 0 {
			level = "hint"
		}
		fmt.Fprintf(c.stderr, "rdomain: %s: %s\n", level, line)
	}
	if p, ok := errors.AsType[*problem.Error](err); ok && p.Hint != "" {
		for line := range strings.SplitSeq(p.Hint, "\n") {
			fmt.Fprintf(c.stderr, "rdomain: hint: %s\n", line)
		}
	}
	c.code = max(c.code, exitCode(err))
}

// shortages are errors of a machine that has too little of something just now: whatever the words
// are in which one comes, trying again may help.
var shortages = []error{unix.ENOMEM, unix.ENOBUFS, unix.EMFILE, unix.ENFILE, unix.EAGAIN}

func exitCode(err error) int {
	if slices.ContainsFunc(shortages, func(e error) bool { return errors.Is(err, e) }) {
		return domain.ExitTemporary
	}
	if p, ok := errors.AsType[*problem.Error](err); ok && !p.Temporary {
		return domain.ExitPermanent
	}
	if e, ok := errors.AsType[*enter.Error](err); ok {
		return e.Code
	}
	return domain.ExitTemporary
}

// wrong is an error in the command line.
func wrong(format string, args ...any) error {
	return &problem.Error{Msg: fmt.Sprintf(format, args...), Hint: "rdomain --help shows what is possible"}
}

// options splits options that take no value from the other arguments. They may stand
// anywhere before "--".
func options(args []string, known ...string) (given map[string]bool, rest []string, err error) {
	given = map[string]bool{}
	for i, word := range args {
		if word == "--" {
			return given, append(rest, args[i+1:]...), nil
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			rest = append(rest, word)
			continue
		}
		found := false
		for _, k := range known {
			found = found || k == word
		}
		if !found {
			return nil, nil, wrong("unknown option %q", word)
		}
		given[word] = true
	}
	return given, rest, nil
}

// needRoot returns an error that says so if the caller may not change namespaces and
// links.
func needRoot() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	const needed = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN
	if caps[0].Effective&needed == needed {
		return nil
	}
	return &problem.Error{Msg: "this needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN)"}
}

// ids reads names of domains.
func ids(args []string) ([]domain.ID, error) {
	if len(args) == 0 {
		return nil, wrong("no NAME given")
	}
	var list []domain.ID
	seen := map[domain.ID]bool{}
	for _, a := range args {
		id, err := domain.ParseID(a)
		if err != nil {
			return nil, &problem.Error{Msg: err.Error()}
		}
		if !seen[id] {
			list = append(list, id)
		}
		seen[id] = true
	}
	return list, nil
}
