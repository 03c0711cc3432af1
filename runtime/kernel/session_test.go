package kernel

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// session returns a session in the test's own namespace.
func session(t *testing.T) *Session {
	t.Helper()
	sandbox.Need(t)
	home, err := OpenHome()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(home.Close)
	s, err := home.Open(domain.NetnsName{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// The program of a VRF is pinned for its ifindex and unpinned, where need be in
// a BPF file system that is mounted for it.
func TestPin(t *testing.T) {
	s := session(t)
	const bpffs = "/sys/fs/bpf"
	var st unix.Statfs_t
	if err := unix.Statfs(bpffs, &st); err != nil {
		need.Missing(t, need.Root, "no "+bpffs+": "+err.Error())
	}
	mounted := uint32(st.Type) == unix.BPF_FS_MAGIC
	sandbox.Sh(t, `ip link add v.1 type bridge`)
	d, err := domain.Parse("", "v.1")
	if err != nil {
		t.Fatal(err)
	}
	pin := object.Pin{Domain: d}
	_, err = s.Do(object.Step{Verb: object.Add, Object: pin}, &record.Record{})
	if errors.Is(err, unix.EPERM) {
		sandbox.Sh(t, `ip link delete v.1`)
		need.Missing(t, need.Root, "no BPF in a user namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	have := &plan.State{}
	if err := s.vrf(d, have); err != nil {
		t.Fatal(err)
	}
	if index := s.index[At{Link: "v.1"}]; have.Pinned == 0 || have.Pinned != uint32(index) {
		t.Errorf("pinned for ifindex %d; want %d", have.Pinned, index)
	}
	if pin.Pin() != "/sys/fs/bpf/rdomain/v+1" {
		t.Errorf("pinned at %s", pin.Pin())
	}
	for range 2 {
		if _, err := s.Do(object.Step{Verb: object.Delete, Object: pin}, &record.Record{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(pin.Pin()); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", pin.Pin(), err)
	}
	if !mounted {
		sandbox.Sh(t, `umount /sys/fs/bpf`)
	}
	sandbox.Sh(t, `ip link delete v.1`)
}
