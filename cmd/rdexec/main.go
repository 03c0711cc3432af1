// Rdexec enters a routing domain and executes a program there, in place:
//
//	rdexec [-n NETNS] [-v VRF] [-c CGROUP] [-u USER[:GROUP]] [--] PROG [ARG...]
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

func main() {
	args := argv()
	command, err := domain.ParseArgs(args[min(1, len(args)):])
	switch {
	case errors.Is(err, domain.ErrHelp):
		leave(1, 0, "usage: "+domain.Usage)
	case err != nil:
		leave(2, domain.ExitPermanent, "rdexec: usage: "+domain.Usage+"\nrdexec: fatal: "+err.Error())
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
