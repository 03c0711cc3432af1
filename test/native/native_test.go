package native

import (
	"embed"
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"rdgen/test/guest"
)

// The systems that the tests run on.
var (
	releases = []string{"bookworm", "trixie", "forky"}
	openrcs  = systems(guest.OpenRC)
	systemds = systems(guest.Systemd)
	alpine   = System{Release: guest.Alpine, Init: guest.OpenRC} // OpenRC 0.63 with Alpine's patch, busybox, musl
)

// TestMain runs twice as many tests at once as there are processors: most of them wait most
// of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.NumCPU())); err != nil {
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

// each runs f for every system of list that the table of behaviours chooses, side by side,
// also with those of other tests, each time in a machine of its own in which this project is
// installed.
func each(t *testing.T, list []System, f func(*testing.T, *Machine)) {
	eachWith(t, list, (*guest.Guest).Install, f)
}

// eachPackaged is each where nothing is installed yet: /root has the packages of a kind.
func eachPackaged(t *testing.T, list []System, kind string, f func(*testing.T, *Machine)) {
	eachWith(t, list, func(g *guest.Guest, t testing.TB) { g.PutPackages(t, kind) }, f)
}

func eachWith(t *testing.T, list []System, install func(*guest.Guest, testing.TB), f func(*testing.T, *Machine)) {
	t.Parallel()
	list, _ = guest.Chosen(t, behaviours, list)
	for _, s := range list {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			m := Boot(t, s)
			install(&m.Guest, t)
			f(t, m)
		})
	}
}

// scripts are the shell that runs in the machines.
//
//go:embed script
var scripts embed.FS

// script returns the text of the scripts of these names, one after the other.
func script(t testing.TB, names ...string) string { return guest.Script(t, scripts, names...) }

// TestScripts reads all shell of this folder, and what the beds share.
func TestScripts(t *testing.T) {
	guest.Lint(t, "customize", "customize-alpine", "customize-more", "../guest/await.sh", "../guest/cg.sh", "../guest/fetch.sh", "../guest/guard.sh", "../guest/network.sh", "../guest/prelude.sh", "../guest/user.sh")
}
