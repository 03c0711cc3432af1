// The Go runtime installs a handler for every signal before it runs the first
// line of a program, and execve(2) resets what has a handler to the default: a
// signal that the parent ignores, as systemd ignores SIGPIPE for all services,
// would no longer be ignored in the service. What was there before, the runtime
// does not tell.
//
// So it gets no handlers. It asks _cgo_sigaction to install them, if that is
// set (runtime/cgo_sigaction.go), and here it is set to a function that says
// "done" and does nothing. rdexec runs for a millisecond and waits for no
// signal; one that comes has the effect that it had on the parent.
//
// Neither -race nor -msan nor -asan allows it: they link the C library, which
// sets _cgo_sigaction itself. Nor may a test in this folder import net.

//go:build !race && !msan && !asan

#include "textflag.h"

DATA _cgo_sigaction+0(SB)/8, $·keepSignals(SB)
GLOBL _cgo_sigaction(SB), NOPTR, $8

// func keepSignals(sig int32, new, old *sigaction) int32, as C calls it.
TEXT ·keepSignals(SB), NOSPLIT|NOFRAME, $0-0
	XORL	AX, AX
	RET
