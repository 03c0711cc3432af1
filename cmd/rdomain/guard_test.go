package main

import (
	"os/exec"
	"strings"
	"testing"

	"rdgen/test/sandbox"
)

const abandoned = "a change is on trial, and the process that kept it is gone"

// cut kills what keeps a trial, as the machine does where memory runs out.
func cut(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// TestTryIsAbandoned: where what kept a trial was killed, nothing was taken back, and list, check
// and status were silent about it; the next trial was refused until confirm, also after down.
func TestTryIsAbandoned(t *testing.T) {
	start(t)
	file(t, "a", tried)
	quiet(t, "up", "a")
	file(t, "a", strings.ReplaceAll(tried, "10.7.0.2/24", "10.8.0.2/24"))
	cmd, _ := trying(t, "reload", "--try", "1000", "a")
	quiet(t, "check", "a")
	if out, _, _ := rdomain("list"); strings.Contains(out, "on trial") {
		t.Errorf("while it is kept, list says\n%s", out)
	}
	cut(cmd)
	const hint = "rdomain confirm a keeps the change, rdomain watch takes it back"
	says(t, 1, "# a: "+abandoned+"; "+hint+"\n", "", "check", "a")
	if out, _, _ := rdomain("list"); !strings.Contains(out, abandoned+"; "+hint) {
		t.Errorf("list says\n%s", out)
	}
	says(t, 100, "", "rdomain: fatal: a: "+abandoned+"\nrdomain: hint: "+hint+"\n", "reload", "--try", "9", "a")
	quiet(t, "confirm", "--all")
	quiet(t, "check", "a")

	cmd, _ = trying(t, "reload", "--try", "1000", "a")
	cut(cmd)
	quiet(t, "down", "a")
	sandbox.Sh(t, "test -z \"$(ls /run/rdomain | grep try)\"")
}

// TestWatchEndsTrials: the watch takes back in full what was on trial, where what kept it is
// killed: before it began, and while it runs. What was confirmed stays, with what it requires.
func TestWatchEndsTrials(t *testing.T) {
	start(t)
	file(t, "a", tried)
	quiet(t, "up", "a")
	before := snapshot(t)
	file(t, "b", "[Domain]\nKind=netns\n")
	file(t, "a", strings.NewReplacer("[Domain]\n", "[Domain]\nRequires=b\n", "10.7.0.2/24", "10.8.0.2/24").Replace(tried))
	cmd, _ := trying(t, "reload", "--try", "1000", "a")
	cut(cmd)
	said := watching(t)
	awaitSaid(t, said, "rdomain: note: a: a change was on trial, and the process that kept it is gone; taking it back\n")
	back := func() {
		t.Helper()
		awaitTrue(t, said, "[ ! -e /run/rdomain/b.json ] && ip -n a -4 address show dev v0 | grep -q 10.7.0.2/24")
		for range 500 { // what is outside of a record is done a moment later
			if snapshot(t) == before {
				return
			}
		}
		t.Errorf("it is\n%s\nand was\n%s", snapshot(t), before)
	}
	back()
	cmd, _ = trying(t, "reload", "--try", "1000", "a")
	cut(cmd)
	back()

	file(t, "c", "[Domain]\nKind=netns\nRequires=b\n")
	cmd, _ = trying(t, "reload", "--try", "1000", "a", "c")
	quiet(t, "confirm", "c")
	cut(cmd)
	awaitTrue(t, said, "[ ! -e /run/rdomain/a.try ] && ip -n a -4 address show dev v0 | grep -q 10.7.0.2/24")
	sandbox.Sh(t, "test -e /run/netns/b && test -e /run/netns/c")

	// One that came to its end is nobody's to take back.
	cmd, _ = trying(t, "reload", "--try", "1000", "a")
	quiet(t, "confirm", "a")
	if err := cmd.Wait(); err != nil || addresses() != "10.8.0.2/24" {
		t.Errorf("confirmed: %v, addresses %q", err, addresses())
	}
	quiet(t, "down", "a", "c", "b")
	if n := strings.Count(said.String(), "on trial"); n != 3 {
		t.Errorf("it took back three, and says\n%s", said)
	}
}
