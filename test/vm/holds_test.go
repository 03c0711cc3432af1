package vm

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// TestVRFHolds: whatever an ordinary user in a VRF calls, nothing leaves it and
// nothing enters it; the same tries in what ip vrf exec starts succeed.
func TestVRFHolds(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putPrograms(t, m, "scoped", "inside-cgroup")
		m.Sh(t, guest.Network+script(t, "two", "three"))
		t.Run("members", func(t *testing.T) { testMembers(t, m) })
		t.Run("taken out", func(t *testing.T) { testTakenOut(t, m) })
		for _, c := range []struct {
			name, in string
			holds    bool
		}{
			{"ip vrf exec", "ip vrf exec mgmt setpriv --reuid=65534 --regid=65534 --clear-groups", false},
			{"rdexec", "rdexec -v mgmt -u nobody --", true},
			{"rdexec -c", "inside-cgroup /held", true},
			{"ip vrf exec inside", "rdexec -v mgmt -- ip vrf exec mgmt setpriv --reuid=65534 --regid=65534 --clear-groups", true},
			{"inside ip vrf exec", "ip vrf exec mgmt rdexec -v mgmt -u nobody --", true},
			{"a grandchild", "rdexec -v mgmt -u nobody -- sh -c '\"$@\" & wait' sh", true},
		} {
			t.Run(c.name, func(t *testing.T) {
				m.Put(t, "/usr/local/bin/within", 0o755, []byte("#!/bin/sh\nexec "+c.in+" \"$@\"\n"))
				judge(t, m.Sh(t, "in=within\n"+script(t, "attack")), 1000, c.holds)
			})
		}
	})
}

var counts = regexp.MustCompile(`(?m)^(tries|answers) (\d+)$`)

// judge reads what attack.sh printed, which is of at least so many tries.
func judge(t *testing.T, text string, tries int, holds bool) {
	t.Helper()
	sum := map[string]int{}
	for _, c := range counts.FindAllStringSubmatch(text, -1) {
		n := 0
		fmt.Sscan(c[2], &n)
		sum[c[1]] += n
	}
	var taken, seen, joined int
	for line := range strings.Lines(text) {
		switch word, _, _ := strings.Cut(line, " "); word {
		case "took":
			taken++
		case "seen":
			seen++
		case "joined":
			joined++
		}
	}
	result := fmt.Sprintf("%d tries: %d answers, %d taken, %d joined, %d kinds of packets seen elsewhere", sum["tries"], sum["answers"], taken, joined, seen)
	t.Log(result)
	if strings.Contains(text, "failed:") || sum["tries"] < tries {
		t.Errorf("the probe did not do its work:\n%s", text)
	}
	if none := sum["answers"]+taken+seen == 0; holds != none || !holds && tries >= 1000 && (sum["answers"] < 100 || taken < 10 || seen < 10) {
		t.Errorf("%s; want that it holds: %v\n%s", result, holds, text)
	}
}

// The links of a VRF work for what is in it, also those that were added by hand since.
func testMembers(t *testing.T, m *Machine) {
	m.Sh(t, guest.Network+script(t, "members"))
}
