package record

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/problem"
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
	d, err := domain.Parse("t1", "m")
	if err != nil {
		t.Fatal(err)
	}
	t1 := d.Netns
	on := object.Sysctl{Netns: t1, Path: "net/ipv4/ip_forward", Value: "1"}
	off := on
	off.Value = "0"
	want := &Record{Version: 2, File: "/etc/rdomain/m@t1.conf", Domain: d, Home: netns.ID{Dev: 4, Ino: 7}, Requires: []domain.ID{t1.ID()},
		Entries: []Entry{
			{Object: object.Netns{Name: t1}, Made: Identity{Netns: netns.ID{Dev: 4, Ino: 8}}},
			{Object: object.Link{Netns: t1, Name: "m", Kind: "vrf", Options: object.Options{Table: 10}}, Made: Identity{Index: 3}},
			{Object: object.Pin{Domain: d}},
			{Object: object.Taken{Netns: t1, Name: "eth0", Up: true, MTU: 1500,
				Addresses: []object.Address{object.NewAddress(domain.NetnsName{}, "eth0", prefix)}}, Made: Identity{Index: 4}},
			{Object: object.NewAddress(t1, "eth0", prefix)},
			{Object: object.Route{Netns: t1, Destination: prefix.Masked(), Type: "unicast", Dev: "eth0", Table: 10}},
			{Object: on, Old: off},
		}, Complete: true}
	for range 2 {
		if err := s.Save(id(t, "m@t1"), want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Load(id(t, "m@t1"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("Load = %+v\nwant %+v", got, want)
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
		if err := s.Save(id(t, name), &Record{File: name, Home: netns.ID{Dev: 4, Ino: 7}}); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Load(id(t, name)); err != nil || r.File != name {
			t.Errorf("Load(%s) = %+v, %v", name, r, err)
		}
	}
	if out := sandbox.Sh(t, `cat /run/precious; ls /run/rdomain; rm /run/precious`); out != "precious\na.json\nb.json\n" {
		t.Errorf("there is now %q", out)
	}
}

// A record that is damaged is never taken for one that records nothing: what it
// recorded would be lost.
func TestLoadRefuses(t *testing.T) {
	s := store(t)
	const home = `"home":{"dev":4,"ino":7}`
	for _, c := range []struct{ text, want string }{
		{"", "it is empty"}, {"\n", "it is empty"}, {"{", "unexpected end of JSON input"},
		{"{}", "it is not a record: it does not say in which namespace rdomain ran"},
		{"[]", "it has a JSON array where something else belongs"},
		{"null", "it is not a record: it does not say in which namespace rdomain ran"},
		{`{"version":2,"home":{"dev":0,"ino":0}}`, "it is not a record: it does not say in which namespace rdomain ran"},
		{`{"version":3,` + home + `}`, "it is of version 3, and this rdomain knows 2; the one that wrote it can take the domain down"},
		{`{"version":2,` + home + `,"complete":true,"entr`, "unexpected end of JSON input"},
		{`{"version":2,` + home + `,"domain":{"netns":"../x"},"entries":[]}`, `netns name "../x" contains "/"`},
		{`{"version":2,` + home + `,"domain":{"vrf":"sixteenbyteslong"},"entries":[]}`, `vrf name "sixteenbyteslong" has 16 bytes`},
		{`{"version":2,` + home + `,"domain":{"netns":7}}`, "it has a JSON number where something else belongs"},
		{`{"version":2,` + home + `,"complete":true}`, "it has no list of what was made"},
		{`{"version":2,` + home + `,"entries":[{}]}`, `objects of kind "" are not known here`},
		{`{"version":2,` + home + `,"entries":[null]}`, `objects of kind "" are not known here`},
		{`{"version":2,` + home + `,"entries":[{"kind":"link","object":7}]}`, "it has a JSON number where something else belongs"},
		{`{"version":2,` + home + `,"entries":[{"kind":"link"}]}`, "unexpected end of JSON input"},
		{`{` + home + `,"links":7}`, "it has a JSON number where something else belongs"}, {`{` + home + `,"netns":"../x"}`, `netns name "../x"`},
		{`{` + home + `,"tunnels":[{}]}`, `"tunnels" is not known here`},
	} {
		if err := os.WriteFile(Dir+"/x.json", []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := s.Load(id(t, "x"))
		p, ok := errors.AsType[*problem.Error](err)
		if !ok || errors.Is(err, fs.ErrNotExist) || p.File != Dir+"/x.json" || !strings.Contains(p.Msg, c.want) || p.Hint == "" {
			t.Errorf("Load of %q = %+v, %v; want %q, and what to do", c.text, r, err, c.want)
		}
	}
	for _, text := range []string{"", "{}", "null", `{"netns":"t1"}`, "{"} {
		ns := netns.ID{Dev: 4, Ino: 9}
		if err := os.WriteFile(Dir+"/rules,4,9.json", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if r, err := s.LoadRules(ns); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("LoadRules of %q = %+v, %v; want an error that says what is wrong", text, r, err)
		}
	}
}

// What an older rdomain wrote is read: these are files that it did write.
func TestOldRecords(t *testing.T) {
	for _, name := range []string{"vrf", "netns"} {
		data, err := os.ReadFile("testdata/first-" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		r, err := parse(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		golden := "testdata/first-" + name + ".golden"
		want, _ := os.ReadFile(golden)
		if string(want) != string(got)+"\n" {
			t.Errorf("%s is read as\n%s\nwant\n%s", name, got, want)
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

// A FIFO in place of a lock held up for ever.
func TestLockIsNotWaitedForLikeAFIFO(t *testing.T) {
	s := store(t)
	if err := unix.Mkfifo(Dir+"/a.lock", 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := s.Lock(id(t, "a"))
	if err != nil {
		t.Fatal(err)
	}
	l.Remove()
}

// What the kernel's limits are called is said with the error.
func TestWatchNamesTheLimit(t *testing.T) {
	for errno, want := range map[error]string{unix.EMFILE: "fs.inotify.max_user_instances", unix.ENOSPC: "fs.inotify.max_user_watches"} {
		p, ok := errors.AsType[*problem.Error](limit(errno))
		if !ok || !strings.Contains(p.Hint, want) || !p.Temporary || !errors.Is(p, errno) {
			t.Errorf("%v: %#v", errno, p)
		}
	}
}

// The longest ID has a record: the file names of it have no more than NAME_MAX bytes.
func TestLongestID(t *testing.T) {
	if longest := strings.Repeat("x", domain.MaxID); len(longest+".json"+temporary) > 255 || len(longest+".lock") > 255 {
		t.Errorf("a name of %d bytes has no record", domain.MaxID)
	}
}

// TestTrial: of two who begin a trial one does, and of two who end it one has. Who came second was
// on trial too, and then confirmed by the end of the first.
func TestTrial(t *testing.T) {
	s, a, b := store(t), id(t, "a"), id(t, "b")
	refuse := errors.New("one is on trial already")
	alone := func() error {
		if s.Marked(a) {
			return refuse
		}
		return nil
	}
	was := &Was{Text: []byte("[Domain]\n"), Notes: map[string][]byte{}}
	before := Before{List: []domain.ID{a, b}, Up: []domain.ID{b}, Was: []Standing{{b, was}}, Needs: map[domain.ID][]domain.ID{a: {b}}}
	trial, err := s.Begin(before, alone)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(before, alone); !errors.Is(err, refuse) {
		t.Errorf("the second has %v", err)
	}
	other, err := s.Trial(b)
	if err != nil || !other.Same(trial) || !other.Kept() {
		t.Fatalf("the trial of b: %v, kept %v", err, err == nil && other.Kept())
	}
	defer other.Close()
	if got, left, err := other.Read(); err != nil || left != nil || len(got.Was) != 1 || !got.Was[0].Was.Equal(*was) {
		t.Errorf("before the change it says %v, %v, %v", got, left, err)
	}
	state := State{true, was}
	if err := trial.Note(map[domain.ID]State{b: state}); err != nil {
		t.Error(err)
	}
	if got, left, err := other.Read(); err != nil || !left[b].Equal(state) || len(got.List) != 2 || got.Needs[a][0] != b {
		t.Errorf("after the change it says %v, %v, %v", got, left, err)
	}
	if info, err := os.Stat(Dir + "/a.try"); err != nil || info.Mode() != 0o600 {
		t.Errorf("a.try: %v, %v", info, err)
	}
	if err := s.Unmark(a); err != nil || trial.Marked(a) || !trial.Marked(b) {
		t.Errorf("%v, %v", err, trial.Marked(a))
	}
	if err := trial.Unmark(a); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("who ends it second has %v", err)
	}

	// Another trial of a is not the first one's to end.
	second, err := s.Begin(Before{List: []domain.ID{a}}, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := trial.Unmark(a); !errors.Is(err, fs.ErrNotExist) || trial.Marked(a) || !second.Marked(a) {
		t.Errorf("the first trial ends the second: %v", err)
	}
	trial.Close() // as the end of a process does
	if other.Kept() {
		t.Error("it is kept, and its process is gone")
	}
	if err := errors.Join(other.Keep(), other.Unmark(b), second.Unmark(a)); err != nil {
		t.Error(err)
	}
	second.Close()
	if left, err := s.Marks(); len(left) > 0 || err != nil {
		t.Errorf("there is left %v, %v", left, err)
	}
}
