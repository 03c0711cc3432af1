package flock

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Who holds a lock for ever is named, and is not waited for.
func TestWaitNamesTheHolder(t *testing.T) {
	open := func() int {
		fd, err := unix.Open(t.TempDir()+"/..", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	first, second := open(), open()
	if err := Wait(first, unix.LOCK_EX, 0, nil); err != nil {
		t.Fatal(err)
	}
	said := ""
	err := Wait(second, unix.LOCK_EX, 2*silence, func(holder string) { said += holder })
	want := fmt.Sprintf("process %d (", os.Getpid())
	if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(said, want) {
		t.Errorf("Wait = %v, and says %q; want %q named", err, said, want)
	}
	go func() {
		time.Sleep(10 * time.Millisecond)
		unix.Flock(first, unix.LOCK_UN)
	}()
	if err := Wait(second, unix.LOCK_SH, time.Minute, nil); err != nil {
		t.Errorf("Wait for a lock that is given back = %v", err)
	}
}

func TestLockedBy(t *testing.T) {
	const table = `1: POSIX  ADVISORY  WRITE 11 00:1a:77 0 EOF
2: FLOCK  ADVISORY  WRITE 12 00:1a:77 0 EOF
2: -> FLOCK  ADVISORY  WRITE 13 00:1a:77 0 EOF
3: FLOCK  ADVISORY  WRITE 0 00:1a:78 0 EOF
`
	for file, want := range map[string]int{"00:1a:77": 12, "00:1a:78": 0, "00:1a:79": 0} {
		if got := lockedBy(table, file); got != want {
			t.Errorf("lockedBy(%s) = %d; want %d", file, got, want)
		}
	}
}
