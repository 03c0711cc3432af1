package enter

import (
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestCgroup2Mounts(t *testing.T) {
	const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids
31 22 0:27 / /mnt/a\040b rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 22 0:27 /part /mnt/part rw - cgroup2 cgroup2 rw
33 22 0:28 / /cgroup2 rw - tmpfs cgroup2 rw
34 22 0:27 /../.. /cg rw - cgroup2 none rw
short line
`
	want := []cgroup2Mount{{"31", "/", "/mnt/a b", "rw,nsdelegate"}, {"32", "/part", "/mnt/part", "rw"}, {"34", "/../..", "/cg", "rw"}}
	if diff := cmp.Diff(want, cgroup2Mounts(mountinfo), cmp.AllowUnexported(cgroup2Mount{})); diff != "" {
		t.Errorf("cgroup2Mounts: -want +got\n%s", diff)
	}
}

func TestCgroupOf(t *testing.T) {
	for text, want := range map[string]string{
		"0::/\n": "/",
		"12:cpu:/x\n0::/system.slice/sshd.service\n": "/system.slice/sshd.service",
		"0::/../../other\n":                          "/../../other",
		"10:cpuset:/\n1:name=systemd:/vrf/blue\n":    "",
		"": "",
	} {
		if got, ok := CgroupOf(text); got != want || ok != (want != "") {
			t.Errorf("CgroupOf(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
	for path, want := range map[string]bool{"/": false, "/..": true, "/../x": true, "/..x": false, "/a/..": false} {
		if got := outside(path); got != want {
			t.Errorf("outside(%q) = %v; want %v", path, got, want)
		}
	}
}

// TestCgroupRoot finds the hierarchy where it is mounted, and mounts it where it is
// not, or not as a whole.
func TestCgroupRoot(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	// The file of a cgroup that must be found below each root.
	root, path := testCgroup(t)
	wantRoot := func(where, below string) {
		t.Helper()
		fd, err := CgroupRoot()
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		defer unix.Close(fd)
		dir, err := OpenCgroup(fd, below)
		if err != nil {
			t.Fatalf("%s: open %s: %v", where, below, err)
		}
		unix.Close(dir)
	}
	options := func() string {
		text, err := readFile("/proc/1/mountinfo")
		h.must(err)
		return cgroup2Mounts(text)[0].options
	}
	before := options()
	wantRoot("as it is", path)
	mounts := cgroup2Mounts(h.mounts())
	h.must(os.Mkdir("/run/part", 0o755))
	h.must(os.Mkdir("/run/cgroup", 0o755))
	h.mount("/proc/self/fd/"+strconv.Itoa(root), "/run/cgroup", "", unix.MS_BIND)
	h.mount("/proc/self/fd/"+strconv.Itoa(root)+path, "/run/part", "", unix.MS_BIND)
	for _, m := range mounts {
		h.must(unix.Unmount(m.path, unix.MNT_DETACH))
	}
	wantRoot("an unusual place", path)
	h.mount("none", "/run/cgroup", "tmpfs", 0)
	wantRoot("hidden by another mount", path)
	h.must(unix.Unmount("/run/cgroup", 0))
	h.must(unix.Unmount("/run/cgroup", unix.MNT_DETACH))
	wantRoot("a part is mounted", path)
	h.must(unix.Unmount("/run/part", unix.MNT_DETACH))
	wantRoot("no mount", path)
	if got := cgroup2Mounts(h.mounts()); len(got) > 0 {
		t.Errorf("the mount of cgroup2 is seen: %+v", got)
	}
	if after := options(); after != before {
		t.Errorf("the options of cgroup2 were %q, and are %q", before, after)
	}

	// In a cgroup namespace the paths begin at its root, and so must the mount: the
	// host's, which is still there, is not it.
	dir, err := OpenCgroup(root, path)
	h.must(err)
	defer unix.Close(dir)
	h.must(unix.Mkdirat(dir, "inner", 0o755))
	own, err := ownCgroup()
	h.must(err)
	// Opened here: with nsdelegate no file that is opened inside lets a process out.
	back, err := os.OpenFile("/proc/self/fd/"+strconv.Itoa(root)+own+"/cgroup.procs", os.O_WRONLY, 0)
	h.must(err)
	defer func() {
		_, err := back.WriteString("0")
		h.must(err)
		h.must(back.Close())
	}()
	h.must(join(dir, path))
	runtime.LockOSThread()
	h.must(unix.Unshare(unix.CLONE_NEWCGROUP))
	wantRoot("in a cgroup namespace", "/inner")
	if own, err := ownCgroup(); own != "/" || err != nil {
		t.Errorf("ownCgroup = %q, %v; want /", own, err)
	}
}
