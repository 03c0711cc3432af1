// Rdexec enters a routing domain and executes a program there, in place:
//
//	rdexec [-n NETNS] [-v VRF] [-c CGROUP] [-u USER[:GROUP]] [--] PROG [ARG...]
//	rdexec --look [-n NETNS] [-v VRF]
//	rdexec --version
//
// See rdexec(8). It is started as root for every start of a service, so it
// links next to nothing; deps.golden lists what.
package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
)

// exitElsewhere is the exit code of a look that found the process outside of its
// domain. systemd takes every other code of an ExecCondition= but 0 for "skip the
// unit", and a skipped unit has not failed (systemd.service(5)).
const exitElsewhere = 255

// hint follows what is wrong in the command line.
const hint = "\nrdexec: hint: rdexec --help shows what is possible"

// version is set by the linker.
var version = "unreleased"

func main() {
	args := argv()
	// With a set-uid bit everybody could enter any domain, and become root by -u.
	if unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid() {
		leave(2, domain.ExitPermanent, "rdexec: fatal: refusing to run set-uid or set-gid; remove the bit from the file")
	}
	if len(args) == 2 && args[1] == "--version" {
		leave(1, 0, "rdexec version "+version)
	}
	command, err := domain.ParseArgs(args[min(1, len(args)):])
	switch {
	case errors.Is(err, domain.ErrHelp):
		leave(1, 0, "usage: "+domain.Usage)
	case err != nil && len(args) > 1 && args[1] == "--look":
		leave(2, exitElsewhere, "rdexec: fatal: "+err.Error()+hint)
	case err != nil:
		leave(2, domain.ExitPermanent, "rdexec: fatal: "+err.Error()+hint)
	}
	if command.Look {
		if err := enter.Hold(command.Domain); err != nil {
			leave(2, exitElsewhere, "rdexec: fatal: "+err.Error())
		}
		unix.Exit(0)
	}
	err = enter.Exec(command, environ())
	code := domain.ExitTemporary
	if e, ok := errors.AsType[*enter.Error](err); ok {
		code = e.Code
	}
	leave(2, code, "rdexec: fatal: "+err.Error())
}

// leave ends the process with a message that is written at once, so that the
// lines of several services in one log do not mix.
func leave(fd, code int, message string) {
	unix.Write(fd, []byte(message+"\n"))
	unix.Exit(code)
}
