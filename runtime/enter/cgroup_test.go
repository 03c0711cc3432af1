package enter

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"rdgen/test/need"
)

func TestVRFCgroup(t *testing.T) {
	exists := func(name string) bool { return name == "t1" || name == "blue" }
	for _, c := range []struct{ own, netns, want string }{
		{"/", "", "/rdexec/vrf/mgmt"},
		{"/", "t1", "/rdexec/t1-ns/vrf/mgmt"},
		{"/system.slice/a.service", "", "/system.slice/a.service/rdexec/vrf/mgmt"},
		{"/system.slice/a.service", "t1", "/system.slice/a.service/rdexec/t1-ns/vrf/mgmt"},
		// Inside a domain already: its directory is replaced.
		{"/vrf/red", "", "/rdexec/vrf/mgmt"},
		{"/a/vrf/red", "", "/a/rdexec/vrf/mgmt"},
		{"/a/t1-ns/vrf/red", "", "/a/rdexec/vrf/mgmt"},
		{"/a/t1-ns/vrf/red", "blue", "/a/rdexec/blue-ns/vrf/mgmt"},
		{"/t1-ns/vrf/red", "t1", "/rdexec/t1-ns/vrf/mgmt"},
		{"/rdexec/vrf/red", "", "/rdexec/vrf/mgmt"},
		{"/a/rdexec/t1-ns/vrf/red", "blue", "/a/rdexec/blue-ns/vrf/mgmt"},
		{"/a/rdexec/vrf", "", "/a/rdexec/vrf/mgmt"}, // by ip vrf exec default
		{"/a/rdexec", "", "/a/rdexec/vrf/mgmt"},
		// What only looks like one stays.
		{"/system.slice/vrf-x.service", "", "/system.slice/vrf-x.service/rdexec/vrf/mgmt"},
		{"/vrf", "", "/vrf/rdexec/vrf/mgmt"},
		{"/a/vrf/red/sub", "", "/a/vrf/red/sub/rdexec/vrf/mgmt"},
		{"/openrc.foo-ns/vrf/red", "", "/openrc.foo-ns/rdexec/vrf/mgmt"},
		{"/t1-ns", "", "/t1-ns/rdexec/vrf/mgmt"},
		{"/-ns/vrf/red", "", "/-ns/rdexec/vrf/mgmt"},
	} {
		guarded, got := vrfCgroup(c.own, c.netns, "mgmt", exists)
		if got != c.want || !strings.HasPrefix(got, guarded+"/") || !strings.HasSuffix(guarded, "/rdexec") {
			t.Errorf("vrfCgroup(%q, %q, mgmt) = %q, %q; want %q", c.own, c.netns, guarded, got, c.want)
		}
	}
}

func TestCgroup2Mounts(t *testing.T) {
	const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids
31 22 0:27 / /mnt/a\040b rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 22 0:27 /part /mnt/part rw - cgroup2 cgroup2 rw
33 22 0:28 / /cgroup2 rw - tmpfs cgroup2 rw
34 22 0:27 / /cg rw - cgroup2 none rw
short line
`
	want := []string{"/mnt/a b", "/cg"}
	if diff := cmp.Diff(want, cgroup2Mounts(mountinfo)); diff != "" {
		t.Errorf("cgroup2Mounts: -want +got\n%s", diff)
	}
}

// TestCgroupRoot finds the hierarchy where it is mounted, and mounts it where
// it is not.
func TestCgroupRoot(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	mounted := h.mounts()
	if strings.Contains(mounted, "nsdelegate") || strings.Contains(mounted, "memory_") {
		need.Missing(t, need.VM, "a second mount of cgroup2 would change the options of this machine's")
	}
	wantRoot := func() {
		t.Helper()
		root, err := cgroupRoot()
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(root)
		var fs unix.Statfs_t
		h.must(unix.Fstatfs(root, &fs))
		if fs.Type != unix.CGROUP2_SUPER_MAGIC {
			t.Errorf("cgroupRoot is of type %x", fs.Type)
		}
		dir, err := openCgroup(root, "/")
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(dir)
	}
	wantRoot()
	for _, path := range cgroup2Mounts(mounted) {
		h.must(unix.Unmount(path, unix.MNT_DETACH))
	}
	without := h.mounts()
	wantRoot()
	if got := h.mounts(); got != without {
		t.Errorf("the mount of cgroup2 is seen:\n%s", got)
	}
	h.must(os.Mkdir("/run/cgroup", 0o755))
	h.mount("none", "/run/cgroup", "cgroup2", 0)
	wantRoot()
}
