package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rdgen/runtime/domain"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func name(t *testing.T, s string) domain.NetnsName {
	t.Helper()
	n, err := domain.ParseNetns(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func make1(t *testing.T, n domain.NetnsName) *NS {
	t.Helper()
	if err := Prepare(); err != nil {
		t.Fatal(err)
	}
	ns, err := Make(n, func(*NS) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	return ns
}

// ip(8) must see and remove what Make made, and Remove what ip(8) made.
func TestMakeIsWhatIPMakes(t *testing.T) {
	sandbox.Need(t)
	ours := make1(t, name(t, "ours"))
	sandbox.Sh(t, `ip netns add theirs`)
	if got := sandbox.Sh(t, `ip netns list | sort`); !strings.Contains(got, "ours") || !strings.Contains(got, "theirs") {
		t.Errorf("ip netns list = %q; want ours and theirs", got)
	}
	sandbox.Sh(t, `ip -n ours link set lo up; ip netns exec ours true`)
	if got := sandbox.Sh(t, `stat -c %a /run/netns/ours /run/netns/theirs | uniq`); strings.Count(got, "\n") != 1 {
		t.Errorf("modes of /run/netns/ours and theirs differ: %s", got)
	}
	theirs, err := Open(name(t, "theirs"))
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if theirs.ID() == ours.ID() {
		t.Errorf("two namespaces have one identity, %v", ours.ID())
	}
	sandbox.Sh(t, `ip netns delete ours`)
	if _, err := Lookup("ours"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lookup(ours) = %v after ip netns delete; want it gone", err)
	}
	if err := Remove(name(t, "theirs"), theirs.ID()); err != nil {
		t.Fatal(err)
	}
	wantNothing(t)
}

func wantNothing(t *testing.T) {
	t.Helper()
	if names, err := Names(); err != nil || len(names) != 0 {
		t.Errorf("Names() = %v, %v; want none", names, err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"ours", "theirs", "half", "twice", "old", "mine", "young"} {
		if strings.Contains(string(mounts), " /run/netns/"+n+" ") {
			t.Errorf("the mount of %s is left:\n%s", n, mounts)
		}
	}
}

// Prepare must make one shared mount, however often and by however many it is
// called: each further one would double all mounts below.
func TestPrepareMountsOnce(t *testing.T) {
	sandbox.Need(t)
	sandbox.Sh(t, `while umount /run/netns 2>/dev/null; do :; done`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := Prepare(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	count := func() (n int, shared bool) {
		info, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(info)) {
			if f := strings.Fields(line); f[4] == Run && strings.Contains(line, " - tmpfs sandbox ") {
				n++
				shared = strings.Contains(line, " shared:")
			}
		}
		return n, shared
	}
	for _, c := range []string{`true`, `ip netns add theirs; ip netns delete theirs`} {
		sandbox.Sh(t, c)
		if n, shared := count(); n != 1 || !shared {
			t.Errorf("after %q %s is mounted %d times, shared %v; want once, shared", c, Run, n, shared)
		}
	}
}

func TestFailedMakeLeavesNothing(t *testing.T) {
	sandbox.Need(t)
	if err := Prepare(); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if _, err := Make(name(t, "half"), func(*NS) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("Make = %v; want the error of the function", err)
	}
	if _, err := os.Lstat("/run/netns/half"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("lstat = %v after a failed Make; want no file", err)
	}
	make1(t, name(t, "twice"))
	if _, err := Make(name(t, "twice"), func(*NS) error { return nil }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Make of one that exists = %v; want fs.ErrExist", err)
	}
	sandbox.Sh(t, `ip netns delete twice`)
	wantNothing(t)
}

func TestOpenRefuses(t *testing.T) {
	sandbox.Need(t)
	make1(t, name(t, "real"))
	sandbox.Sh(t, `: >/run/netns/empty; ln -s real /run/netns/link; mkfifo /run/netns/fifo; mkdir /run/netns/dir
		: >/run/netns/uts; mount --bind /proc/self/ns/uts /run/netns/uts`)
	for n, want := range map[string]error{"empty": ErrNotNamespace, "fifo": ErrNotNamespace, "dir": ErrNotNamespace,
		"uts": ErrNotNamespace, "none": fs.ErrNotExist, "link": ErrSymlink} {
		ns, err := Open(name(t, n))
		if !errors.Is(err, want) {
			t.Errorf("Open(%s) = %v, %v; want %v", n, ns, err, want)
		}
	}
	sandbox.Sh(t, `umount /run/netns/uts; rm -r /run/netns/empty /run/netns/link /run/netns/fifo /run/netns/dir /run/netns/uts
		ip netns delete real`)
}

func TestRepair(t *testing.T) {
	sandbox.Need(t)
	if err := Prepare(); err != nil {
		t.Fatal(err)
	}
	stale := func(n string, age time.Duration) {
		sandbox.Sh(t, `(umask 777; : >/run/netns/`+n+`)`)
		then := time.Now().Add(-age)
		if err := os.Chtimes("/run/netns/"+n, then, then); err != nil {
			t.Fatal(err)
		}
	}
	stale("old", time.Hour)
	if gone, err := Repair(name(t, "old"), false); !gone || err != nil {
		t.Errorf("Repair(old) = %v, %v; want it gone", gone, err)
	}
	stale("mine", 0)
	if gone, err := Repair(name(t, "mine"), true); !gone || err != nil {
		t.Errorf("Repair(mine) = %v, %v; want it gone", gone, err)
	}
	if gone, err := Repair(name(t, "none"), false); !gone || err != nil {
		t.Errorf("Repair(none) = %v, %v; want it gone", gone, err)
	}
	// Somebody who is just making it must not be disturbed.
	stale("young", 0)
	done := make(chan error)
	go func() {
		gone, err := Repair(name(t, "young"), false)
		if gone {
			err = fmt.Errorf("gone, though it became a namespace (%v)", err)
		}
		done <- err
	}()
	sandbox.Sh(t, `unshare -n mount --bind /proc/self/ns/net /run/netns/young`)
	if err := <-done; err != nil {
		t.Errorf("Repair(young): %v", err)
	}
	sandbox.Sh(t, `ip netns delete young; echo text >/run/netns/text`)
	if _, err := Repair(name(t, "text"), true); !errors.Is(err, ErrNotNamespace) {
		t.Errorf("Repair(text) = %v; want it refused", err)
	}
	sandbox.Sh(t, `rm /run/netns/text`)
	wantNothing(t)
}

func TestRemoveLeavesAnother(t *testing.T) {
	sandbox.Need(t)
	first := make1(t, name(t, "n")) // stays open, so that its number is not given again
	sandbox.Sh(t, `ip netns delete n; ip netns add n`)
	if err := Remove(name(t, "n"), first.ID()); err == nil {
		t.Error("Remove removed another namespace of the same name")
	}
	if _, err := Lookup("n"); err != nil {
		t.Error(err)
	}
	sandbox.Sh(t, `ip netns delete n`)
}

func TestInsideComesBack(t *testing.T) {
	sandbox.Need(t)
	ns := make1(t, name(t, "in"))
	home, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	for range 50 {
		err := ns.Inside(func() error {
			here, err := Self()
			if err == nil {
				defer here.Close()
				if here.ID() != ns.ID() {
					err = fmt.Errorf("inside is %v, want %v", here.ID(), ns.ID())
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		after, err := Self()
		if err != nil {
			t.Fatal(err)
		}
		if after.ID() != home.ID() {
			t.Fatalf("this goroutine is in %v afterwards, want %v", after.ID(), home.ID())
		}
		after.Close()
	}
	sandbox.Sh(t, `ip netns delete in`)
}

// TestFirstThreadComesBack: whatever thread was away, the first one of the process, which Go
// never ends, shows the namespace that the process is in, and holds no other.
func TestFirstThreadComesBack(t *testing.T) {
	sandbox.Need(t)
	if err := Prepare(); err != nil {
		t.Fatal(err)
	}
	const first = "/proc/self/ns/net"
	home, err := os.Readlink(first)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		var all sync.WaitGroup
		all.Go(func() {
			if err := Scratch(func() error { return nil }); err != nil {
				t.Error(err)
			}
		})
		if i%10 == 0 {
			all.Go(func() {
				n := name(t, "first")
				ns, err := Make(n, func(*NS) error { return nil })
				if err != nil {
					t.Error(err)
					return
				}
				defer ns.Close()
				if err := Remove(n, ns.ID()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if now, err := os.Readlink(first); now != home {
			t.Fatalf("after %d times the first thread is in %s, %v; want %s", i+1, now, err, home)
		}
	}
}

func TestMountPoint(t *testing.T) {
	const info = `66 46 254:0 /run/netns /run/netns rw,relatime - ext4 /dev/vda rw
67 43 0:39 /netns /run/netns rw,relatime shared:2 - tmpfs t rw
68 43 0:39 / /run rw,relatime shared:3 - tmpfs t rw
69 43 0:39 /netns /run/netns rw,relatime master:2 - tmpfs t rw
`
	for _, c := range []struct {
		id                     string
		mounted, shared, slave bool
	}{{"66", true, false, false}, {"67", true, true, false}, {"68", false, false, false}, {"6", false, false, false}, {"69", true, false, true}} {
		mounted, shared, slave := mountPoint("pos:\t0\nmnt_id:\t"+c.id+"\nino:\t1\n", info, Run)
		if mounted != c.mounted || shared != c.shared || slave != c.slave {
			t.Errorf("mountPoint(%s) = %v, %v, %v; want %v, %v, %v", c.id, mounted, shared, slave, c.mounted, c.shared, c.slave)
		}
	}
}
