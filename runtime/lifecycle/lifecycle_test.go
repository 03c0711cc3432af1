package lifecycle

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"rdgen/parallel"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
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
	w, err := h.open(domain.NetnsName{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.id = id(t, "red")
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
	must(w.withRules(func() error {
		return w.apply(&plan.Plan{Steps: steps, Record: &record.Record{}})
	}))
	moved := sandbox.Sh(t, `ip rule; ip -6 rule`)
	if moved == before {
		t.Fatal("no rule was changed")
	}
	// A second VRF finds them, and records nothing of its own.
	must(w.withRules(func() error {
		if n := len(w.rules.Added) + len(w.rules.Deleted); n != 3 {
			t.Errorf("%d changes are recorded; want 3", n)
		}
		return nil
	}))
	must(w.withRules(w.lastVRF))
	sandbox.Sh(t, `ip rule delete pref 1000`) // the kernel's stays
	if after := sandbox.Sh(t, `ip rule; ip -6 rule`); after != before {
		t.Errorf("rules are now\n%s\nbefore\n%s", after, before)
	}
	if entries, _ := os.ReadDir(record.Dir); len(entries) != 0 {
		t.Errorf("files are left: %v", entries)
	}
	// A step that fails takes the rules back at once.
	bad := append(steps[1:3:3], object.Step{Verb: object.Set, Object: object.Setting{Link: "none", What: "up"}})
	if err := w.withRules(func() error {
		return w.apply(&plan.Plan{Steps: bad, Record: &record.Record{}})
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
