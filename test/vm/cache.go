package vm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"rdgen/test/guest"

	"golang.org/x/sys/unix"
)

// cacheDir is where images are kept: $RDGEN_VM_CACHE, or rdgen/vm below the
// user's cache folder.
func cacheDir() (string, error) {
	dir := os.Getenv("RDGEN_VM_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache folder (set RDGEN_VM_CACHE): %w", err)
		}
		dir = filepath.Join(base, "rdgen", "vm")
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// takeSlot waits until one machine more may run, and holds its place until the
// file is closed.
func takeSlot(cache string) (*os.File, error) {
	slots := runtime.NumCPU()
	if n, err := strconv.Atoi(os.Getenv("RDGEN_VM_MACHINES")); err == nil && n > 0 {
		slots = n
	}
	for {
		for i := range slots {
			f, err := guest.Lock(filepath.Join(cache, fmt.Sprintf("slot-%d.lock", i)), unix.LOCK_EX|unix.LOCK_NB)
			if !errors.Is(err, unix.EWOULDBLOCK) {
				return f, err
			}
		}
		time.Sleep(100 * time.Millisecond) // flock(2) waits for one file, not for any of several
	}
}
