package record

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func store(t *testing.T) *Store {
	t.Helper()
	sandbox.Need(t)
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		os.RemoveAll(Dir)
	})
	return s
}

func id(t *testing.T, s string) domain.ID {
	t.Helper()
	id, err := domain.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSaveLoadRemove(t *testing.T) {
	s := store(t)
	if _, err := s.Load(id(t, "m@t1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of nothing = %v; want fs.ErrNotExist", err)
	}
	prefix := netip.MustParsePrefix("10.0.0.2/30")
	want := &Record{File: "/etc/rdomain/m@t1.conf", Netns: "t1", VRF: "m", Home: netns.ID{Dev: 4, Ino: 7},
		Made:      &Namespace{"t1", netns.ID{Dev: 4, Ino: 8}},
		Links:     []Link{{Link: object.Link{Netns: "t1", Name: "m", Kind: "vrf", Options: object.Options{Table: 10}}, Index: 3}},
		Taken:     []Taken{{Name: "eth0", Index: 4, Up: true, MTU: 1500, Addresses: []object.Address{object.NewAddress("", "eth0", prefix)}}},
		Addresses: []object.Address{object.NewAddress("t1", "eth0", prefix)},
		Routes:    []object.Route{{Netns: "t1", Destination: prefix.Masked(), Type: "unicast", Dev: "eth0", Table: 10}},
		Pin:       &object.Pin{Netns: "t1", VRF: "m", Path: "/x"}, Complete: true}
	for range 2 {
		if err := s.Save(id(t, "m@t1"), want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Load(id(t, "m@t1"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b object.Link) bool { return a == b }), cmp.Comparer(func(a, b object.Address) bool { return a == b }), cmp.Comparer(func(a, b object.Route) bool { return a == b })); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
	if ids, err := s.IDs(); err != nil || len(ids) != 1 || ids[0].String() != "m@t1" {
		t.Errorf("IDs() = %v, %v; want m@t1", ids, err)
	}
	for range 2 {
		if err := s.Remove(id(t, "m@t1")); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := os.ReadDir(Dir); len(entries) != 0 {
		t.Errorf("files are left: %v", entries)
	}
}

func TestSaveAfterAKilledOneAndBesideALink(t *testing.T) {
	s := store(t)
	sandbox.Sh(t, `echo half >/run/rdomain/a.json.new; echo precious >/run/precious; ln -s ../precious /run/rdomain/b.json.new
		ln -s ../precious /run/rdomain/b.json`)
	if _, err := s.Load(id(t, "b")); err == nil {
		t.Error("Load follows a symbolic link")
	}
	for _, name := range []string{"a", "b"} {
		if err := s.Save(id(t, name), &Record{Netns: name}); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Load(id(t, name)); err != nil || r.Netns != name {
			t.Errorf("Load(%s) = %+v, %v", name, r, err)
		}
	}
	if out := sandbox.Sh(t, `cat /run/precious; ls /run/rdomain; rm /run/precious`); out != "precious\na.json\nb.json\n" {
		t.Errorf("there is now %q", out)
	}
}

func TestLoadRefuses(t *testing.T) {
	s := store(t)
	for _, text := range []string{"", "{", `{"netns":"../x"}`, `{"vrf":"sixteenbyteslong"}`, `{"netns":7}`} {
		if err := os.WriteFile(Dir+"/x.json", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Load(id(t, "x")); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load of %q = %+v, %v; want an error that says what is wrong", text, r, err)
		}
	}
}

// A directory that somebody else can write to could hold records of things to
// delete.
func TestOpenRefusesOthersDirectory(t *testing.T) {
	store(t)
	for _, c := range []string{`chmod 777 /run/rdomain`, `rm -r /run/rdomain; ln -s /etc /run/rdomain`, `rm /run/rdomain; touch /run/rdomain`} {
		sandbox.Sh(t, c)
		if s, err := Open(); err == nil {
			s.Close()
			t.Errorf("Open after %q = nil; want an error", c)
		}
	}
}

// However many wait for a lock whose file is removed each time, only one at a
// time has it.
func TestLockWhoseFileIsRemoved(t *testing.T) {
	s := store(t)
	var inside, total atomic.Int32 // the race detector does not know flock
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := range 20 {
				l, err := s.Lock(id(t, "x"))
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d have the lock", n)
				}
				total.Add(1)
				for range 20 { // long enough for others to come
					_, _ = os.Lstat(Dir)
				}
				inside.Add(-1)
				if (i+j)%2 == 0 {
					l.Remove()
				} else {
					l.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if total.Load() != 1000 {
		t.Errorf("%d times locked; want 1000", total.Load())
	}
}

// Those who share a lock keep out who wants it alone.
func TestShare(t *testing.T) {
	s := store(t)
	one, err := s.Share(id(t, "x"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Share(id(t, "x"))
	if err != nil {
		t.Fatal(err)
	}
	two.Unlock()
	if out, err := exec.Command("flock", "-n", Dir+"/x.lock", "true").CombinedOutput(); err == nil {
		t.Errorf("a shared lock can be had alone: %s", out)
	}
	one.Unlock()
	l, err := s.Lock(id(t, "x"))
	if err != nil {
		t.Fatal(err)
	}
	l.Remove()
}

func TestRules(t *testing.T) {
	s := store(t)
	ns := netns.ID{Dev: 4, Ino: 9}
	if _, err := s.LoadRules(ns); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadRules of nothing = %v; want fs.ErrNotExist", err)
	}
	if err := s.SaveRules(ns, &Rules{Added: []object.Rule{{Pref: 2000, L3mdev: true, Type: "unreachable"}}}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.LoadRules(ns); err != nil || len(r.Added) != 1 || r.Added[0].Pref != 2000 {
		t.Errorf("LoadRules = %+v, %v", r, err)
	}
	if ids, err := s.IDs(); err != nil || len(ids) != 0 {
		t.Errorf("IDs() = %v, %v; rules are no domain", ids, err)
	}
	if err := s.RemoveRules(ns); err != nil {
		t.Fatal(err)
	}
}

func TestCheckID(t *testing.T) {
	if err := CheckID(id(t, strings.Repeat("x", longest))); err != nil {
		t.Error(err)
	}
	if err := CheckID(id(t, strings.Repeat("x", longest+1))); err == nil {
		t.Error("CheckID accepts a name whose record has no legal file name")
	}
}
