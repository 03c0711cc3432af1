package enter

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMountBPFWaitsForNoUser: what every user can lock, for ever, keeps no service from its
// VRF where the BPF file system is not mounted yet.
func TestMountBPFWaitsForNoUser(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	for isBPF(bpffs) {
		h.must(unix.Unmount(bpffs, 0))
	}
	below, err := unix.Open(bpffs, dirFlags, 0) // the kernel has it with mode 0755
	h.must(err)
	defer unix.Close(below)
	h.must(unix.Flock(below, unix.LOCK_EX))
	var st unix.Stat_t
	h.must(unix.Fstat(below, &st))
	file := fmt.Sprintf(" %02x:%02x:%d ", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)

	done, waited := make(chan struct{}), make(chan bool)
	go func() { // who waits is let go, and found out
		for {
			select {
			case <-done:
				waited <- false
				return
			default:
			}
			table, _ := os.ReadFile("/proc/locks")
			for line := range strings.Lines(string(table)) {
				if strings.Contains(line, "-> FLOCK") && strings.Contains(line, file) {
					unix.Flock(below, unix.LOCK_UN)
					waited <- true
					return
				}
			}
		}
	}()
	h.must(MountBPF())
	close(done)
	if <-waited {
		t.Errorf("MountBPF waits for the lock of %s, which every user can hold", bpffs)
	}
	if !isBPF(bpffs) {
		t.Error("the BPF file system is not mounted")
	}
	parent, err := os.Stat(runDir)
	h.must(err)
	if parent.Mode().Perm() != 0o700 {
		t.Errorf("%s, whose lock it takes, has mode %o", runDir, parent.Mode().Perm())
	}
}
