package enter

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
)

// parts are the programs that keep a socket in its VRF.
var parts = []string{bpf.HomeName, bpf.OutName, bpf.InName, bpf.JoinName}

var hooks = []bpf.Hook{bpf.SockCreate, bpf.Egress, bpf.Ingress, bpf.SetSockOpt}

func openCgroup(t *testing.T, root int, path string) int {
	t.Helper()
	dir, err := OpenCgroup(root, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(dir) })
	return dir
}

// TestKept: each part that is taken away is missed, by a program that asks the kernel and, of
// those that a program can try itself, by the look that any user can do.
func TestKept(t *testing.T) {
	root, path := testCgroup(t)
	for i, name := range parts {
		service := path + "/openrc." + name
		bound(t, "other", "77", service)
		wantBound(t, service+" 77 77", "look", "77", service)
		wantBound(t, service+" 77 77", "attached", "77", service)
		dir := openCgroup(t, root, service)
		wantKept(t, dir, name, true)
		there, err := attachedNamed(hooks[i], dir, name)
		if err != nil || len(there) != 1 {
			t.Fatal(name, there, err)
		}
		if err := hooks[i].Detach(dir, there[0]); err != nil {
			t.Fatal(err)
		}
		unix.Close(there[0])
		wantKept(t, dir, name, false)
		wantBound(t, leaky+service+" 77 77", "attached", "77", service)
		// Without the note of its home no packet of a socket passes at all.
		if name != bpf.InName && name != bpf.HomeName {
			wantBound(t, leaky+service+" 77 77", "look", "77", service)
		}
	}
}

func wantKept(t *testing.T, dir int, name string, want bool) {
	t.Helper()
	if kept, err := Kept(dir); err != nil || kept != want {
		t.Errorf("Kept with and without %s = %v, %v; want %v", name, kept, err, want)
	}
}

// TestKeepFails: where one of the programs cannot be attached, nothing is executed in
// the VRF. Here a cgroup above allows no other program of that kind.
func TestKeepFails(t *testing.T) {
	root, path := testCgroup(t)
	for i, hook := range hooks {
		above := path + "/" + parts[i]
		dir, err := makeCgroup(root, above)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(dir)
		prog, err := load(bpf.Program{Name: "alone", Hook: hook, Insns: []bpf.Insn{bpf.MovImm(bpf.R0, 1), bpf.Exit()}})
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(prog)
		if err := hook.Attach(dir, prog); err != nil {
			t.Fatal(err)
		}
		for _, way := range []string{"own", "other"} {
			got := bound(t, way, "77", above+"/service/vrf/mgmt")
			if !strings.HasPrefix(got, "error: unable to attach the VRF's program to cgroup "+above+"/service") {
				t.Errorf("%s, where no %s can be attached: %q", way, parts[i], got)
			}
		}
	}
}

// TestUnfit: what may pass with the next try is no reason to hold less.
func TestUnfit(t *testing.T) {
	of := func(err error) error { return unable("make x", &bpf.Error{Do: "load the program", Err: err}) }
	for _, err := range []error{unix.EINVAL, unix.EACCES, unix.E2BIG} {
		if !unfit(of(err)) {
			t.Errorf("unfit(%v) = false", of(err))
		}
	}
	for _, err := range []error{nil, wrong("use x", "is not ours"), of(unix.EAGAIN), of(unix.ENOMEM), of(unix.EPERM), of(unix.EMFILE)} {
		if unfit(err) {
			t.Errorf("unfit(%v) = true", err)
		}
	}
}
