// Package need says what a test cannot do without. A test whose tools are
// missing is skipped with a reason that names them, and fails instead where
// RDGEN_REQUIRE lists its layer: a skip must never hide. A test that needs
// anything at all belongs to a slow layer, and is left out by go test -short.
package need

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The layers that RDGEN_REQUIRE may list, separated by commas.
const (
	Root    = "root"    // CAP_SYS_ADMIN and CAP_NET_ADMIN, or unshare -Urnm
	Sh      = "sh"      // dash, busybox, shellcheck
	S6      = "s6"      // execline, s6
	S6RC    = "s6-rc"   // s6-rc, which no Debian release has
	Systemd = "systemd" // systemd-analyze
	OpenRC  = "openrc"  // an OpenRC to run
	VM      = "vm"      // mmdebstrap; "vm-trixie" is the machines of that release alone
	Shells  = "shells"  // zsh and yash, which no machine has to have
	Readers = "readers" // promtool, dot, rsvg-convert, fish and zsh: make fixtures
	Native  = "native"  // mmdebstrap and root; "native-trixie" is the machines of that release alone
)

// Tools skips t unless every tool is on PATH (or is a path that exists), or
// fails it where layer is required. It returns the tools' paths in order.
func Tools(t testing.TB, layer string, tools ...string) []string {
	t.Helper()
	Slow(t)
	var paths, missing []string
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			missing = append(missing, tool)
		}
		paths = append(paths, path)
	}
	if missing != nil {
		Missing(t, layer, strings.Join(missing, ", ")+" not installed")
	}
	return paths
}

// Uid0 skips t unless it runs as root, of the host or of a user namespace.
func Uid0(t testing.TB) {
	t.Helper()
	Slow(t)
	if os.Geteuid() != 0 {
		Missing(t, Root, "not root; run it as root or under unshare -Urnm")
	}
}

// Slow leaves t out of go test -short: make check runs the fast layers only.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("short: make check runs the fast layers only")
	}
}

// Missing skips t for the reason given, or fails it where layer is required:
// "vm-trixie" is by vm-trixie and by vm.
func Missing(t testing.TB, layer, reason string) {
	t.Helper()
	required := strings.Split(os.Getenv("RDGEN_REQUIRE"), ",")
	all, _, _ := strings.Cut(layer, "-") // "vm" of "vm-trixie"
	if slices.Contains(required, layer) || layer != S6RC && slices.Contains(required, all) {
		t.Fatalf("%s is required by RDGEN_REQUIRE: %s", layer, reason)
	}
	t.Skipf("%s: %s", layer, reason)
}

// All reports whether every release and every step is wanted (make test-all), and
// not only the ones that stand for the others.
func All() bool { return os.Getenv("RDGEN_TEST_ALL") != "" }

// Whole skips t where not all is wanted.
func Whole(t testing.TB) {
	t.Helper()
	if !All() {
		t.Skip("make test-all runs it, with RDGEN_TEST_ALL")
	}
}
