// Package quit has a program end as others do, and not as the Go runtime would: with
// a trace of all that it did, which is for who writes it.
package quit

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"rdgen/problem"
)

// files is how many files the programs may have to have open at once, for one domain or
// service. Without the first that it opens for itself, the runtime ends the program.
const files = 32

// Begin is called first. SIGQUIT is SIGTERM from then on. An error says that fewer files
// can be open than are needed.
func Begin() error {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	go func() {
		for range quit {
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		}
	}()
	var limit syscall.Rlimit // its soft value was raised to the hard one when the program began
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit: %w", err)
	}
	if limit.Cur < files {
		return &problem.Error{Msg: fmt.Sprintf("%d files can be open at once; %d are needed", limit.Cur, files),
			Hint: "raise the limit: ulimit -n in a shell, LimitNOFILE= in a unit, rc_ulimit in conf.d", Temporary: true}
	}
	return nil
}
