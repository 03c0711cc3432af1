package enter

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"rdgen/runtime/domain"
)

// TestMemoryLimits: under whatever limit of memory, rdexec enters or executes nothing.
// It cannot say why where the Go runtime does not start; rdexec(8) says which exit codes
// there are then, and how much it needs.
func TestMemoryLimits(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.netns("blue")
	inside := h.enter("-n", "blue", "readlink", "/proc/self/ns/net")
	for _, limit := range []struct {
		what   string
		mb     int
		enough bool
	}{
		{"as", 1, false}, {"as", 8, false}, {"as", 64, false}, {"as", 256, false}, {"as", 512, false}, {"as", 640, false}, {"as", 688, false}, {"as", 720, false}, {"as", 1024, true},
		{"data", 0, false}, {"data", 1, false}, {"data", 8, false}, {"data", 32, false}, {"data", 40, false}, {"data", 48, false}, {"data", 128, true},
		{"rss", 0, true}, {"memlock", 0, true},
	} {
		r := h.run("prlimit", fmt.Sprintf("--%s=%d", limit.what, limit.mb<<20), h.rdexec, "-n", "blue", "readlink", "/proc/self/ns/net")
		name := fmt.Sprintf("rdexec with %d MB of %s", limit.mb, limit.what)
		switch {
		case r.code == 0 && r.out != inside:
			t.Errorf("%s ran a program in %q; want %q", name, r.out, inside)
		case r.code == 0:
		case r.out != "":
			t.Errorf("%s = %d, and printed %q", name, r.code, r.out)
		case limit.enough:
			t.Errorf("%s = %d, %q; it is enough", name, r.code, r.err)
		case r.code == 2 && !strings.HasPrefix(r.err, "fatal error: ") && !strings.HasPrefix(r.err, "runtime: "), // Go's own
			r.code != 2 && r.code != domain.ExitTemporary && r.code != domain.ExitCannotRun && r.code != -1: // -1: a signal of the kernel's at execve
			t.Errorf("%s = %d, %q; rdexec(8) does not say so", name, r.code, r.err)
		}
	}
}

// TestFewFiles: with too few files rdexec says so, and nothing runs outside.
func TestFewFiles(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.files("blue", map[string]string{"resolv.conf": "nameserver 192.0.2.53\n"})
	inside := h.enter("-n", "blue", "readlink", "/proc/self/ns/net")
	for n := 3; n <= 24; n++ {
		r := h.run("prlimit", fmt.Sprintf("--nofile=%d", n), h.rdexec, "-n", "blue", "readlink", "/proc/self/ns/net")
		said := strings.HasPrefix(r.err, "rdexec: fatal: ") && strings.HasSuffix(r.err, ": too many open files\n")
		if ran := r.code == 0 && r.out == inside && r.err == ""; !ran && (n > 20 || r.code != domain.ExitTemporary || r.out != "" || !said) {
			t.Errorf("rdexec with %d files = %d, %q, %q", n, r.code, r.out, r.err)
		}
	}
}

// TestBusCanBeHidden does what rdexec(8) says to take the message bus from a service.
func TestBusCanBeHidden(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.netns("blue")
	h.must(os.MkdirAll("/run/dbus", 0o755))
	bus, err := net.Listen("unix", "/run/dbus/system_bus_socket")
	h.must(err)
	defer bus.Close()
	page, err := os.ReadFile("../../man/rdexec.8")
	h.must(err)
	const hide = `unshare -m sh -c 'mount -t tmpfs -o ro none /run/dbus && exec "$0" "$@"' `
	if !strings.Contains(string(page), "\n"+hide+"\\e") {
		t.Errorf("rdexec(8) has no line %q", hide)
	}
	look := `test -S /run/dbus/system_bus_socket && echo bus || echo none`
	s := h.shell("-n", "blue")
	s.want(look, "bus\n")
	s.want(hide+`sh -c '`+look+`'`, "none\n")
	s.want(look, "bus\n")
}
