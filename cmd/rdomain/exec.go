package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/problem"
	"rdgen/runtime/caller"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/lifecycle"
	"rdgen/runtime/netns"
)

// exec is for root, and for who else has root's capabilities. Another user asks root.
func (c *command) exec(args []string) error {
	id, prog, err := words(args)
	if err != nil {
		return err
	}
	if needRoot() != nil {
		return c.ask(id, prog)
	}
	return inside(id, func(d domain.Domain) error {
		if name, err := netns.Within(); err != nil || name != "" && isOfHost(d) {
			return ofHost(id, err)
		}
		return enter.Exec(domain.Command{Domain: d, Prog: prog}, tagged(os.Environ(), id))
	})
}

// execForUser is what sudo, doas and pkexec start by the file rdomain-exec, as root, for a
// user who may not be trusted: PATH PID NAME [--] PROG [ARG...]. PATH is that file, PID a
// process of the user's. The program runs as that user, or not at all.
func (c *command) execForUser(args []string) error {
	if len(args) < 2 {
		return wrong("rdomain-exec needs the PID of the process that it is for")
	}
	pid, err := strconv.Atoi(args[1])
	if err != nil || pid <= 1 {
		return wrong("%q is not a PID", args[1])
	}
	id, prog, err := words(args[2:])
	if err != nil {
		return err
	}
	// The user's terminal is this process's too, and its stop key would stop it where it holds a
	// lock, for which the starts of services wait. What is caught is as before for the program.
	if !signal.Ignored(unix.SIGTSTP) {
		signal.Notify(make(chan os.Signal, 1), unix.SIGTSTP)
	}
	who, err := caller.Find(os.Environ(), pid)
	if err != nil {
		return &problem.Error{Msg: err.Error(), Err: err}
	}
	if err := allowed(id, who.Identity); err != nil {
		return err
	}
	if err := who.Restore(); err != nil {
		return err
	}
	return inside(id, func(d domain.Domain) error {
		if isOfHost(d) && !inFirst() {
			return ofHost(id, nil)
		}
		return enter.ExecAs(domain.Command{Domain: d, Prog: prog}, who.Identity, tagged(who.Environ, id))
	})
}

// words reads NAME [--] PROG [ARG...].
func words(args []string) (id domain.ID, prog []string, err error) {
	if len(args) == 0 {
		return id, nil, wrong("no NAME given")
	}
	list, err := ids(args[:1])
	if err != nil {
		return id, nil, err
	}
	prog = args[1:]
	if len(prog) > 0 && prog[0] == "--" {
		prog = prog[1:]
	}
	if len(prog) == 0 || prog[0] == "" {
		return id, nil, wrong("no program given")
	}
	return list[0], prog, nil
}

// inside calls f with the domain that a name stands for. Where it does not exist, the error says
// what makes it.
func inside(id domain.ID, f func(domain.Domain) error) error {
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return err
	}
	unknown := host.Unknown(id)
	d, err := host.Domain(id)
	host.Close()
	if err != nil {
		return err
	}
	err = f(d)
	if e, ok := errors.AsType[*enter.Error](err); ok && e.Code == domain.ExitTemporary && errors.Is(err, fs.ErrNotExist) {
		hint := "rdomain up " + id.String() + " makes it"
		if unknown != "" {
			hint += "; " + unknown
		}
		return &problem.Error{Msg: err.Error(), Hint: hint, Err: err, Temporary: true}
	}
	return err
}

// isOfHost reports whether a domain is a VRF of the default domain's namespace. Package enter takes
// the VRF of that name of the namespace that it is called in.
func isOfHost(d domain.Domain) bool { return d.Netns.IsZero() && !d.VRF.IsZero() }

// ofHost is the error for such a VRF inside of a namespace, which may have another one of its
// name. err is why that is not known.
func ofHost(id domain.ID, err error) error {
	if err != nil {
		return err
	}
	return &problem.Error{Msg: fmt.Sprintf("%s: this is inside of a namespace, and %[1]s is a VRF outside of it", id),
		Hint: fmt.Sprintf("%s@NETNS is the VRF of that name in the namespace NETNS", id)}
}

// inFirst reports whether this process is in the namespace of pid 1.
func inFirst() bool {
	var own, first unix.Stat_t
	return unix.Stat("/proc/self/ns/net", &own) == nil && unix.Stat("/proc/1/ns/net", &first) == nil && own.Dev == first.Dev && own.Ino == first.Ino
}

// tagged is an environment with $RDOMAIN, by which shells and scripts know where they are.
func tagged(environ []string, id domain.ID) []string {
	list := []string{"RDOMAIN=" + id.String()}
	for _, v := range environ {
		if !strings.HasPrefix(v, "RDOMAIN=") {
			list = append(list, v)
		}
	}
	return list
}

// allowed returns nil if the domain's file allows the user to run programs in the domain.
func allowed(id domain.ID, who enter.Identity) error {
	f, err := conf.Read(id)
	if errors.Is(err, fs.ErrNotExist) {
		return &problem.Error{Msg: fmt.Sprintf("%s: there is no %s, and so nobody but root may run programs there", id, conf.Path(id))}
	}
	if err != nil {
		return err
	}
	if f.Loose != "" {
		return &problem.Error{Msg: fmt.Sprintf("%s: nobody but root may run programs there: %s", id, f.Loose)}
	}
	is := func(file string, names []string, ids ...uint32) bool {
		for _, name := range names {
			n, err := enter.Number(file, name)
			for _, id := range ids {
				if err == nil && n == id {
					return true
				}
			}
		}
		return false
	}
	if is("/etc/passwd", f.AllowUsers, who.UID) || is("/etc/group", f.AllowGroups, append(who.Groups, who.GID)...) {
		return nil
	}
	return &problem.Error{
		Msg:  fmt.Sprintf("%s: user %d may not run programs there", id, who.UID),
		Hint: "AllowUsers= and AllowGroups= in [Domain] of " + f.Path + " say who may"}
}
