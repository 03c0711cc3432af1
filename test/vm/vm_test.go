package vm

import (
	"flag"
	"os"
	"testing"

	"rdgen/test/guest"
)

// The systems that the tests run on.
var (
	releases = []string{"bookworm", "trixie", "forky"}
	openrcs  = systems(OpenRC)
	systemds = systems(Systemd)
)

// TestMain lets all tests wait at once for an image or a place: Boot shares out the
// processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "100"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func systems(init guest.Init) []System {
	var list []System
	for _, r := range releases {
		list = append(list, System{Release: r, Init: init})
	}
	return list
}

// each runs f for every system of list that the table of behaviours chooses, side by
// side, also with those of other tests, each time in a machine of its own in which
// this project is installed.
func each(t *testing.T, list []System, f func(*testing.T, *Machine)) {
	eachWith(t, list, func(t testing.TB) {}, (*guest.Guest).Install, f)
}

// eachPackaged is each where nothing is installed yet: /root has the packages of a kind.
func eachPackaged(t *testing.T, list []System, kind string, f func(*testing.T, *Machine)) {
	eachWith(t, list, func(t testing.TB) { guest.Packages(t, kind) },
		func(g *guest.Guest, t testing.TB) { g.PutPackages(t, kind) }, f)
}

// eachWith calls before in each test, when it has no machine yet.
func eachWith(t *testing.T, list []System, before func(testing.TB), install func(*guest.Guest, testing.TB), f func(*testing.T, *Machine)) {
	t.Parallel()
	list, seconds := guest.Chosen(t, behaviours, list)
	for _, s := range list {
		s.Seconds = seconds
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			before(t)
			m := Boot(t, s)
			install(&m.Guest, t)
			m.PutProbe(t)
			f(t, m)
		})
	}
}

// mgmt is a VRF with one member link.
const mgmt = `[Domain]
Kind=vrf
Table=10

[Link d0]
Kind=dummy
Address=10.20.30.40/24
Address=2001:db8::40/64
`
