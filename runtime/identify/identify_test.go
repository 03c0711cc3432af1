package identify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/enter"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func TestIPVRF(t *testing.T) {
	for path, vrf := range map[string]string{
		"/":                             "",
		"/user.slice/vrf/blue":          "blue",
		"/rdexec/vrf/blue":              "blue",
		"/t1-ns/vrf/blue/sub":           "blue",
		"/system.slice/vrf-foo.service": "",
		"/vrf/":                         "",
	} {
		if got := ipVRF(path); got != vrf {
			t.Errorf("ipVRF(%q) = %q; want %q", path, got, vrf)
		}
	}
}

func TestHidepid(t *testing.T) {
	line := func(mount, fs string) string { return "20 1 0:5 / /proc " + mount + " shared:5 - " + fs + "\n" }
	for _, c := range []struct {
		mountinfo, how string
		gid            int
	}{
		{line("rw,relatime", "proc proc rw"), "", 0},
		{line("rw,relatime", "proc proc rw,hidepid=invisible"), "invisible", 0},
		{line("rw,relatime", "proc proc rw,gid=4,hidepid=2"), "invisible", 4},
		{line("rw,relatime", "proc proc rw,hidepid=ptraceable"), "ptraceable", 0},
		{line("rw,relatime", "proc proc rw,hidepid=noaccess"), "", 0},
		{line("rw", "proc proc rw,hidepid=2") + line("rw", "proc proc rw"), "", 0},
		{line("rw", "proc proc rw") + line("rw", "proc proc rw,hidepid=4"), "ptraceable", 0},
		{"21 1 0:5 / /mnt/proc rw - proc proc rw,hidepid=2\n", "", 0},
		{"short\n", "", 0},
	} {
		if how, gid := hidepid(c.mountinfo); how != c.how || gid != c.gid {
			t.Errorf("hidepid(%q) = %q, %d; want %q, %d", c.mountinfo, how, gid, c.how, c.gid)
		}
	}
}

func of(t *testing.T, pid int) Location {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	at, err := w.Process(pid)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestProcess(t *testing.T) {
	sandbox.Need(t)
	sandbox.Sh(t, `ip netns add blue`)
	defer sandbox.Sh(t, `ip netns delete blue`)
	if at := of(t, sandbox.Held(t, "env")); at.ID != "" || at.Note != "" || at.Unnamed || at.Command != "sh" {
		t.Errorf("a process beside this one: %+v", at)
	}
	if at := of(t, sandbox.Held(t, "ip", "netns", "exec", "blue")); at.ID != "blue" || at.Netns != "blue" || at.Note != "" {
		t.Errorf("a process in blue: %+v", at)
	}
	if at := of(t, sandbox.Held(t, "unshare", "-n")); at.ID != "" || !at.Unnamed || !strings.Contains(at.Note, "without a name") {
		t.Errorf("a process in a namespace without a name: %+v", at)
	}
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Process(1 << 30); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no process = %v; want fs.ErrNotExist", err)
	}
	list, _, err := w.Processes(func(at Location) Match {
		if at.Netns == "blue" {
			return In
		}
		return Out
	})
	if err != nil || len(list) != 1 {
		t.Errorf("Processes in blue = %+v, %v; want one", list, err)
	}
}

// What a cgroup's program does is seen in the process's own namespace, whoever
// attached it. Here it binds to a link that is no VRF, which is said; and to one
// that is not there.
func TestBoundByCgroup(t *testing.T) {
	sandbox.Need(t)
	root, err := enter.CgroupRoot()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)
	dir := fmt.Sprintf("/proc/self/fd/%d/rdgen-identify-test-%d", root, os.Getpid())
	if err := os.Mkdir(dir, 0o755); err != nil {
		need.Missing(t, need.Root, "no cgroup: "+err.Error())
	}
	defer os.Remove(dir)
	sandbox.Sh(t, `ip netns add blue; ip -n blue link add br0 index 77 type bridge`)
	defer sandbox.Sh(t, `ip netns delete blue`)
	pid := sandbox.Held(t, "ip", "netns", "exec", "blue")
	if err := os.WriteFile(dir+"/cgroup.procs", []byte(fmt.Sprint(pid)), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(dir+"/../cgroup.procs", []byte(fmt.Sprint(pid)), 0)
	if at := of(t, pid); at.ID != "blue" || at.Note != "" {
		t.Errorf("without a program: %+v", at)
	}
	for _, c := range []struct {
		ifindex uint32
		note    string
	}{{77, "bound to link br0, which is not a vrf"}, {4711, "bound to ifindex 4711, which does not exist (any more) in its namespace"}} {
		detach := bind(t, dir, c.ifindex)
		if at := of(t, pid); at.ID != "blue" || at.VRF != "" || at.Note != c.note {
			t.Errorf("bound to %d: %+v; want the note %q", c.ifindex, at, c.note)
		}
		detach()
	}
}

func bind(t *testing.T, dir string, ifindex uint32) (detach func()) {
	t.Helper()
	program := load(t, ifindex)
	cgroup := attach(t, dir, program)
	return func() {
		if err := bpf.SockCreate.Detach(cgroup, program); err != nil {
			t.Error(err)
		}
		unix.Close(cgroup)
	}
}
