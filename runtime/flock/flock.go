// Package flock waits for a lock of flock(2) as long as is said, and knows who holds it.
// A lock on a directory that all can open can be held by anybody, for ever.
package flock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrHeld is matched by the error for a lock that was not given back in time.
var ErrHeld = errors.New("lock is held")

// silence is how long is waited without a word.
const silence = time.Second

// Wait takes the lock of an open file, how being LOCK_EX or LOCK_SH, and waits for it no
// longer than limit. After a second say is called with who holds it; nil says nothing.
// The error for one that is held matches ErrHeld and names who holds it.
func Wait(fd, how int, limit time.Duration, say func(holder string)) error {
	start := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := unix.Flock(fd, how|unix.LOCK_NB)
		switch waited := time.Since(start); {
		case err == unix.EINTR:
			continue
		case err != unix.EWOULDBLOCK:
			return err
		case waited > limit:
			return fmt.Errorf("%w for %d s by %s", ErrHeld, limit/time.Second, holder(fd))
		case waited > silence && say != nil:
			say(holder(fd))
			say = nil
		}
		time.Sleep(pause)
	}
}

// holder names the process that holds the lock of an open file, as /proc/locks has it
// (proc(5)); that says 0 of a process of another PID namespace.
func holder(fd int) string {
	var st unix.Stat_t
	table, err := os.ReadFile("/proc/locks")
	if err != nil || unix.Fstat(fd, &st) != nil {
		return "an unknown process"
	}
	pid := lockedBy(string(table), fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino))
	if pid == 0 {
		return "an unknown process"
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return fmt.Sprintf("process %d (%s)", pid, strings.TrimSuffix(string(name), "\n"))
}

// lockedBy returns the process that holds the lock of a file, 0 if none is known.
func lockedBy(table, file string) int {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) >= 6 && f[1] == "FLOCK" && f[5] == file {
			pid, _ := strconv.Atoi(f[4])
			return max(pid, 0)
		}
	}
	return 0
}
