package s6

import (
	"strconv"
	"strings"
	"syscall"
)

// ValidSignal reports whether s6-supervise would know text as a signal.
func ValidSignal(text string) bool {
	text, _, _ = strings.Cut(text, "\n")
	if n, err := strconv.ParseUint(text, 10, 8); err == nil {
		return n > 0 && n < 65
	}
	_, ok := signals[strings.TrimPrefix(strings.ToUpper(text), "SIG")]
	return ok
}

// signals are the names that sig0_scan knows.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "BUS": syscall.SIGBUS, "CHLD": syscall.SIGCHLD, "CONT": syscall.SIGCONT,
	"FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP, "ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL,
	"PIPE": syscall.SIGPIPE, "QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "STOP": syscall.SIGSTOP, "TERM": syscall.SIGTERM,
	"TSTP": syscall.SIGTSTP, "TTIN": syscall.SIGTTIN, "TTOU": syscall.SIGTTOU, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	"POLL": syscall.SIGPOLL, "PROF": syscall.SIGPROF, "SYS": syscall.SIGSYS, "TRAP": syscall.SIGTRAP, "URG": syscall.SIGURG,
	"VTALRM": syscall.SIGVTALRM, "XCPU": syscall.SIGXCPU, "XFSZ": syscall.SIGXFSZ, "WINCH": syscall.SIGWINCH,
}
