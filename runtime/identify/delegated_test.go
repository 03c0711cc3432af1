package identify

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/enter"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// TestHeld: it is known which of the programs that hold a VRF's sockets are missing, and
// who may move a process out of the cgroup that has them.
func TestHeld(t *testing.T) {
	sandbox.Need(t)
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.root, err = enter.CgroupRoot(); err != nil {
		t.Fatal(err)
	}
	top := fmt.Sprintf("/rdgen-held-test-%d", os.Getpid())
	at := func(cgroup string) string { return fmt.Sprintf("/proc/self/fd/%d%s", l.root, cgroup) }
	for _, cgroup := range []string{"", "/user", "/user/rdexec", "/user/rdexec/vrf", "/user/rdexec/vrf/mgmt"} {
		if err := os.Mkdir(at(top+cgroup), 0o755); err != nil {
			need.Missing(t, need.Root, "no cgroup: "+err.Error())
		}
		defer os.Remove(at(top + cgroup))
	}
	inside := top + "/user/rdexec/vrf/mgmt"
	defer bind(t, at(inside), 77)()
	want := func(leaves bool, delegated string) {
		t.Helper()
		got := l.look(inside)
		if got.unknown != "" || got.ifindex != 77 || got.leaves != leaves || got.delegated != delegated {
			t.Errorf("look = %+v; want that it leaves: %v, and %q", got, leaves, delegated)
		}
	}
	want(true, "")
	dir, err := enter.OpenCgroup(l.root, top+"/user/rdexec")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	var m bpf.Maps
	if m.Homes, err = bpf.MakeHomes(); err == nil {
		m.Members, err = bpf.MakeMembers()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range bpf.Hold(m, false) {
		want(true, "")
		fd, err := bpf.Load(p)
		if err == nil {
			err = p.Hook.AttachBeside(dir, fd)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
	}
	want(false, "")
	chown := func(cgroup string, uid int) {
		t.Helper()
		if err := os.Chown(at(top+cgroup+"/cgroup.procs"), uid, 0); err != nil {
			t.Fatal(err)
		}
	}
	chown("/user/rdexec", 1000)
	chown("/user/rdexec/vrf/mgmt", 1000)
	want(false, "") // he can go where the programs are as well
	chown("/user", 1000)
	want(false, "user 1000 can take it out of the vrf: cgroup "+top+"/user is delegated to him")
	chown("/user", 0)
	if err := os.Chmod(at(top+"/cgroup.procs"), 0o664); err != nil {
		t.Fatal(err)
	}
	want(false, "others than root can take it out of the vrf: they may write cgroup.procs of cgroup "+top)
}
