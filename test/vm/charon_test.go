package vm

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// blockOf returns the block of a page that begins so.
func blockOf(t *testing.T, page, begins string) (block []byte) {
	t.Helper()
	_, text, found := strings.Cut(page, "\n    "+begins)
	if !found {
		t.Fatalf("the page has no block that begins with %s", begins)
	}
	for line := range strings.Lines("    " + begins + text) {
		line, code := strings.CutPrefix(line, "    ")
		if !code {
			break
		}
		block = append(block, line...)
	}
	return block
}

// TestCharon has a domain whose link is an xfrm, and strongSwan's charon with the other end of
// the tunnel: killed, its SA gone, and the domain made again beside it. The packages are those
// of Debian 12, for its machine.
func TestCharon(t *testing.T) {
	each(t, systemds[:1], func(t *testing.T, m *Machine) {
		root := os.Getenv("RDGEN_CHARON_ROOT")
		if _, err := os.Stat(root + "/usr/sbin/charon-systemd"); err != nil {
			need.Missing(t, need.VM, "RDGEN_CHARON_ROOT names no folder with charon; RDGEN_TEST_ALL=1 make fixtures makes one, on Debian 12")
		}
		data, err := exec.Command("tar", "-c", "-C", root, "--exclude=usr/share", "etc", "usr").Output()
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, "/root/charon.tar", 0o600, data)
		page, err := os.ReadFile("../../docs/domains.md")
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, "/etc/rdomain/work.conf", 0o644, blockOf(t, string(page), "[Link ipsec0]"))
		m.Put(t, "/root/child", 0o644, blockOf(t, string(page), "local_ts = "))
		m.Sh(t, guest.Await+guest.Network+part(t, "charon", "prepare"))
		helpers := part(t, "charon", "helpers")
		verdictsOf(t, m, helpers+part(t, "charon", "tunnel"))
		verdictsOf(t, m, helpers+part(t, "charon", "killed"))
		verdictsOf(t, m, helpers+part(t, "charon", "away"))
		verdictsOf(t, m, helpers+part(t, "charon", "domain"))
		verdictsOf(t, m, part(t, "charon", "nowhere else"))
	})
}
