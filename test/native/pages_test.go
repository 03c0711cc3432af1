package native

import (
	"os"
	"testing"

	"rdgen/test/guest"
)

// typePage types the commands of a page and writes its files: those that all init systems
// share, and those for the machine's own. There are some number of them.
func typePage(t *testing.T, m *Machine, file string, number int) {
	t.Helper()
	page, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	// OpenRC takes a script of the second in which it read all for one that it knows.
	m.Sh(t, "[ ! -e /run/openrc/deptree ] || touch -d yesterday /run/openrc/deptree")
	commands := guest.TypedFor(string(page), m.Init)
	m.Type(t, commands)
	if len(commands) != number {
		t.Errorf("%s has %d commands and files for %s; want %d", file, len(commands), m.Init, number)
	}
}

// TestRoutingPage does what docs/routing.md says: an FRR in each of two domains, which speak
// BGP, and a bgpd whose zebra is in another domain than it.
func TestRoutingPage(t *testing.T) {
	list := []System{systemds[1], openrcs[1]}
	for i := range list {
		list[i].Packages = morePackages
	}
	each(t, list, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "routing"))
		typePage(t, m, "docs/routing.md", map[guest.Init]int{guest.Systemd: 11, guest.OpenRC: 16}[m.Init])
		m.Verdicts(t, script(t, "routing-look"))
		m.Sh(t, guest.Network+guest.Await+script(t, "split"))
		typePage(t, m, "docs/split.md", map[guest.Init]int{guest.Systemd: 11, guest.OpenRC: 12}[m.Init])
		m.Verdicts(t, script(t, "split-look"))
	})
}

// TestNATPage does what docs/overlap.md and then docs/nat.md say: two sites with the same
// addresses, reached by an address each, and which reach each other.
func TestNATPage(t *testing.T) {
	each(t, []System{systemds[1], openrcs[1]}, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+guest.Await+script(t, "nat"))
		typePage(t, m, "docs/overlap.md", 4)
		m.Verdicts(t, script(t, "overlap-look"))
		typePage(t, m, "docs/nat.md", map[guest.Init]int{guest.Systemd: 8, guest.OpenRC: 13}[m.Init])
		m.Verdicts(t, script(t, "nat-look"))
	})
}

// TestFiltersPage does what docs/filters.md says: ipset, iptables and nft load what they are
// given into the domain, and the service behind them does not run without.
func TestFiltersPage(t *testing.T) {
	each(t, []System{systemds[1], openrcs[1]}, func(t *testing.T, m *Machine) {
		m.Sh(t, "ip link set lo up; mkdir -p /srv; [ -d /run/systemd/system ] || : >/etc/insserv.conf")
		typePage(t, m, "docs/filters.md", map[guest.Init]int{guest.Systemd: 14, guest.OpenRC: 13}[m.Init])
		m.Verdicts(t, script(t, "filters-look"))
	})
}
