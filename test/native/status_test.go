package native

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/test/guest"
)

// examples puts those of examples/monitoring that a machine runs into it.
func examples(t *testing.T, m *Machine) {
	t.Helper()
	for _, name := range []string{"rdgen-status.service", "rdgen-status.timer", "rdgen-status.cron"} {
		text, err := os.ReadFile("../../examples/monitoring/" + name)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, "/srv/"+name, 0o644, text)
	}
}

// TestStatus: what rdgen status says of services that are where they should be, and of each
// way in which one is not. A VRF's are TestVRFStatus of test/vm.
func TestStatus(t *testing.T) {
	each(t, append(systemds[:len(systemds):len(systemds)], openrcs...), func(t *testing.T, m *Machine) {
		examples(t, m)
		m.Verdicts(t, script(t, "status"))
		journey(t, m)
		if m.Name == "trixie-openrc" {
			drawn(t, m)
		}
	})
}

// TestStatusS6 is TestStatus with services of s6.
func TestStatusS6(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		examples(t, m)
		m.Verdicts(t, "services of s6\nkind=s6\n"+script(t, "status"))
	})
}

// varies is what differs from one run to the next.
var varies = regexp.MustCompile(`[0-9a-f]*::[0-9a-f:]+/64|\b[0-9]+  in|\s+`)

// journey types what docs/status.md shows, from a domain that is not there to the picture.
func journey(t *testing.T, m *Machine) {
	page, err := os.ReadFile("../../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "\n    # rdgen init ")
	shown, _, _ = strings.Cut(shown, "\n\n")
	m.Sh(t, script(t, "shop"))
	for part := range strings.SplitSeq("rdgen init "+shown, "\n    # ") {
		command, want, _ := strings.Cut(part, "\n")
		// A service that has restarted may not listen yet.
		try := "out=$(" + command + " 2>&1) || :; printf '%s\\n' \"$out\""
		if command == "rdgen status" {
			try = `await sh -c "rdgen status | grep -q ':8082'" && rdgen status`
		}
		got := m.Run(t, "/bin/sh", "-c", guest.Await+"cd /srv\n"+try).Stdout
		if !strings.Contains(varies.ReplaceAllString(got, " "), strings.TrimSpace(varies.ReplaceAllString(want, " "))) {
			t.Errorf("%s: # %s\n%s\nand docs/status.md shows\n%s", m.Name, command, got, want)
		}
	}
	m.Sh(t, `grep -q '>private (netns, up)<' /srv/domains.svg && grep -q '>shop: tcp .*:8082<' /srv/domains.svg && grep -q '>veth0 10.255.0.2/30<' /srv/domains.svg`)
}

var update = flag.Bool("update", false, "rewrite the machine that is drawn in docs/domains.png")

// drawn compares what a machine prints with what docs/domains.png is drawn from.
func drawn(t *testing.T, m *Machine) {
	m.Verdicts(t, script(t, "drawn"))
	const file = "../readers/testdata/machine.json"
	got := m.Sh(t, "cat /srv/status.json")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("this machine is not that of docs/domains.png (with -update it becomes that):\n%s", diff)
	}
}
