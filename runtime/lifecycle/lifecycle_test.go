package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/parallel"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func host(t *testing.T) *Host {
	t.Helper()
	sandbox.Need(t)
	h, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func id(t *testing.T, s string) domain.ID {
	t.Helper()
	id, err := domain.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// One Host brings many domains up and down without keeping a descriptor or a
// thread for any of them.
func TestNoDescriptorIsKept(t *testing.T) {
	h := host(t)
	if err := os.WriteFile("/etc/rdomain/bad.conf", []byte("[Link v]\nKind=veth\nPeer=w\n[Route]\nDestination=10.0.0.0/8\nGateway=192.0.2.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/etc/rdomain/bad.conf")
	round := func(n int) {
		parallel.Each(n, 4, func(i int) {
			name := id(t, fmt.Sprintf("n%d", i))
			if err := h.Up(name); err != nil {
				t.Error(err)
			}
			if _, err := h.Check(name); err != nil {
				t.Error(err)
			}
			if _, err := h.Down(name); err != nil {
				t.Error(err)
			}
		})
		if err := h.Up(id(t, "bad")); err == nil {
			t.Error("up bad = nil; want an error")
		}
		if _, err := h.List(4); err != nil {
			t.Error(err)
		}
	}
	round(8)
	before := descriptors(t)
	round(40)
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors are open, before there were %d", after, before)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	if limit := 24 + 4*runtime.GOMAXPROCS(0); len(threads) > limit {
		t.Errorf("%d threads for 48 namespaces; threads that were in one must end", len(threads))
	}
}

// The rules of VRFs are everybody's: they are recorded by namespace, taken back
// once, and only what was changed.
func TestRulesAreTakenBack(t *testing.T) {
	h := host(t)
	s, err := h.newSession(domain.Netns{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	before := sandbox.Sh(t, `ip rule; ip -6 rule`)
	lookup := object.Rule{Pref: plan.PrefL3mdev, L3mdev: true, Protocol: object.ProtocolKernel}
	last := object.Rule{Pref: plan.PrefUnreachable, L3mdev: true, Type: "unreachable", Protocol: object.ProtocolKernel}
	local := object.Rule{Pref: plan.PrefLocal, Table: 255, Protocol: object.ProtocolKernel}
	first := object.Rule{Table: 255, Protocol: object.ProtocolKernel}
	steps := []object.Step{{Verb: object.Add, Object: lookup}, {Verb: object.Add, Object: last}, {Verb: object.Add, Object: local}, {Verb: object.Delete, Object: first}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.withRules(func() error {
		return s.apply(id(t, "red"), nil, &record.Record{}, &plan.Plan{Steps: steps, Record: &record.Record{}})
	}))
	moved := sandbox.Sh(t, `ip rule; ip -6 rule`)
	if moved == before {
		t.Fatal("no rule was changed")
	}
	// A second VRF finds them, and records nothing of its own.
	must(s.withRules(func() error {
		if n := len(s.rules.Added) + len(s.rules.Deleted); n != 3 {
			t.Errorf("%d changes are recorded; want 3", n)
		}
		return nil
	}))
	must(s.withRules(s.lastVRF))
	sandbox.Sh(t, `ip rule delete pref 1000`) // the kernel's stays
	if after := sandbox.Sh(t, `ip rule; ip -6 rule`); after != before {
		t.Errorf("rules are now\n%s\nbefore\n%s", after, before)
	}
	if entries, _ := os.ReadDir(record.Dir); len(entries) != 0 {
		t.Errorf("files are left: %v", entries)
	}
	// A step that fails takes the rules back at once.
	bad := append(steps[1:3:3], object.Step{Verb: object.Set, Object: object.Setting{Link: "none", What: "up"}})
	if err := s.withRules(func() error {
		return s.apply(id(t, "red"), nil, &record.Record{}, &plan.Plan{Steps: bad, Record: &record.Record{}})
	}); err == nil {
		t.Error("a bad step = nil; want an error")
	}
	if after := sandbox.Sh(t, `ip rule; ip -6 rule`); after != before {
		t.Errorf("after a bad step rules are\n%s\nbefore\n%s", after, before)
	}
	if entries, _ := os.ReadDir(record.Dir); len(entries) != 0 {
		t.Errorf("files are left: %v", entries)
	}
}

// The program of a VRF is pinned for its ifindex and unpinned, where need be in
// a BPF file system that is mounted for it.
func TestPin(t *testing.T) {
	h := host(t)
	s, err := h.newSession(domain.Netns{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var st unix.Statfs_t
	if err := unix.Statfs(bpffs, &st); err != nil {
		need.Missing(t, need.Root, "no "+bpffs+": "+err.Error())
	}
	mounted := st.Type == unix.BPF_FS_MAGIC
	sandbox.Sh(t, `ip link add v.1 type bridge`)
	d, err := domain.Parse("", "v.1")
	if err != nil {
		t.Fatal(err)
	}
	pin := object.Pin{Domain: d}
	_, err = s.do(object.Step{Verb: object.Add, Object: pin}, &record.Record{})
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
	if index := s.index[at{link: "v.1"}]; have.Pinned == 0 || have.Pinned != uint32(index) {
		t.Errorf("pinned for ifindex %d; want %d", have.Pinned, index)
	}
	if pin.Pin() != "/sys/fs/bpf/rdomain/v+1" {
		t.Errorf("pinned at %s", pin.Pin())
	}
	for range 2 {
		if _, err := s.do(object.Step{Verb: object.Delete, Object: pin}, &record.Record{}); err != nil {
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
