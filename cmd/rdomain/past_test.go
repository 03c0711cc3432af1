package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// A process that outlives the down of its namespace is named by down, and seen by ps and
// check, also when a new one has the name.
func TestOutlived(t *testing.T) {
	start(t)
	file(t, "private", "[Domain]\n")
	quiet(t, "up", "private")
	cmd := exec.Command("ip", "netns", "exec", "private", "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(end)
	awaitTrue(t, new(buffer), fmt.Sprintf("grep -qx sleep /proc/%d/comm", cmd.Process.Pid))
	pid := fmt.Sprint(cmd.Process.Pid)
	outlives := "process " + pid + " (sleep) outlives it, in what it was"

	says(t, 0, "", "rdomain: note: private: "+outlives+"\n", "down", "private")
	for range 2 {
		if out, _, _ := rdomain("ps", "private"); !strings.Contains(out, pid) || !strings.Contains(out, "outlived domain private") {
			t.Errorf("ps private: %q", out)
		}
		if out, _, _ := rdomain("ps"); !strings.Contains(out, pid) {
			t.Errorf("ps: %q", out)
		}
		if out, _, code := rdomain("check", "private"); code != 1 || !strings.Contains(out, "# private: "+outlives) {
			t.Errorf("check private = %d, %q", code, out)
		}
		quiet(t, "up", "private")
	}
	end()
	quiet(t, "check", "private")
	quiet(t, "down", "private")
}

// What requires a domain that goes down is named.
func TestDownOfWhatIsRequired(t *testing.T) {
	start(t)
	file(t, "base", "[Domain]\n")
	file(t, "vpn", "[Domain]\nRequires=base\n")
	quiet(t, "up", "vpn")
	says(t, 0, "", "rdomain: note: base: vpn is up and requires it\n", "down", "base")
	quiet(t, "up", "base")
	quiet(t, "down", "base", "vpn")
}
