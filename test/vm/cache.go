package vm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"rdgen/test/guest"

	"golang.org/x/sys/unix"
)

// places are as many as may be taken at once, by all processes that use one cache.
type places struct {
	name  string
	count int

	mu      sync.Mutex
	waiting []int // the weights of those of this process who wait
}

var (
	machines = &places{name: "slot", count: machineCount()}
	makers   = &places{name: "maker", count: 2} // of images and of booted states, beside the machines
)

// machineCount is one more than there are processors: a machine has mostly one, and
// waits now and then.
func machineCount() int {
	if n, err := strconv.Atoi(os.Getenv("RDGEN_VM_MACHINES")); err == nil && n > 0 {
		return n
	}
	return runtime.NumCPU() + 1
}

// take waits until a place is free, and holds it until the file is closed. Of this
// process's the one of the most weight goes first.
func (p *places) take(cache string, weight int) (*os.File, error) {
	p.change(func() { p.waiting = append(p.waiting, weight) })
	defer p.change(func() {
		i := slices.Index(p.waiting, weight)
		p.waiting = slices.Delete(p.waiting, i, i+1)
	})
	for {
		var first bool
		p.change(func() { first = weight == slices.Max(p.waiting) })
		for i := 0; first && i < p.count; i++ {
			f, err := guest.Lock(filepath.Join(cache, fmt.Sprintf("%s-%d.lock", p.name, i)), unix.LOCK_EX|unix.LOCK_NB)
			if !errors.Is(err, unix.EWOULDBLOCK) {
				return f, err
			}
		}
		time.Sleep(100 * time.Millisecond) // flock(2) waits for one file, not for any of several
	}
}

func (p *places) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}
