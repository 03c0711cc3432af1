package native

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rdgen/test/guest"
)

// killed is set in the environment of a test binary that is to boot a machine
// and be killed.
const killed = "RDGEN_NATIVE_KILLED"

// TestKilled kills a test binary that has a machine: nothing of it is left.
func TestKilled(t *testing.T) {
	if os.Getenv(killed) != "" {
		m := Boot(t, System{Release: "bookworm", Init: guest.Systemd})
		fmt.Println("\nmachine:", m.cgroup, m.dir)
		m.Sh(t, "touch /run/ready; exec sleep infinity")
	}
	t.Parallel()
	Boot(t, System{Release: "bookworm", Init: guest.Systemd}) // skips where there is none
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killed+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var cgroup, dir string
	for in := bufio.NewScanner(out); cgroup == "" && in.Scan(); {
		fmt.Sscanf(in.Text(), "machine: %s %s", &cgroup, &dir)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if cgroup == "" {
		t.Fatal("it had no machine")
	}
	defer os.RemoveAll(dir)
	for left := "?"; left != ""; time.Sleep(10 * time.Millisecond) {
		left = ""
		if _, err := os.Stat(cgroup); err == nil {
			left = cgroup
		}
		mounts, _ := filepath.Glob("/proc/[0-9]*/mounts")
		for _, path := range mounts {
			if text, _ := os.ReadFile(path); strings.Contains(string(text), dir) {
				left += path
			}
		}
	}
}

// TestReboot boots each system, and once more with what was written the first time.
func TestReboot(t *testing.T) {
	each(t, append(append(systemds, openrcs...), alpine), func(t *testing.T, m *Machine) {
		boots := m.Sh(t, "echo kept >/etc/kept; touch /run/lost; cat /proc/1/comm; readlink /proc/1/ns/pid")
		m.Reboot(t)
		if again := m.Sh(t, "cat /etc/kept; ! test -e /run/lost || exit 1; readlink /proc/1/ns/pid"); !strings.HasPrefix(again, "kept\n") || strings.Contains(again, strings.Fields(boots)[1]) {
			t.Errorf("%s: after a reboot: %q; before: %q", m.Name, again, boots)
		}
	})
}
