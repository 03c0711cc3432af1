package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// An answer that is not known is never an empty success. Two processes of nobody in
// blue, one in a cgroup whose program binds to the link br0, one in a cgroup without,
// are looked at by root and by nobody, from machines that have cgroup2 or /proc
// otherwise.
func TestIdentifySaysWhatItCannotSee(t *testing.T) {
	start(t)
	cgroup := boundCgroup(t, 77)
	sandbox.Sh(t, `ip netns add blue; ip -n blue link add br0 index 77 type bridge
		mkdir -p /run/world; cp -L `+bin+` /run/world/rdomain`)
	t.Cleanup(func() { sandbox.Sh(t, `ip netns delete blue; rm -r /run/world`) })
	bound := inBlue(t, cgroup+"/inner/vrf/red")
	free := inBlue(t, cgroup+"/../rdgen-free-test")

	const (
		cgroups = "umount -a -t cgroup2; "
		hide    = "mount -t proc -o hidepid=2 proc /proc; "
		seen    = "rdomain: note: process PID: bound to link br0, which is not a vrf\n"
		byName  = "rdomain: note: process PID: the vrf is what the name of its cgroup says, as the programs of cgroup /"
	)
	// As systemd and OpenRC have it in hybrid mode: a hierarchy of version 1 beside it.
	hybrid := cgroups + `mount -t tmpfs none /sys/fs/cgroup; mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/one
		mount -t cgroup2 none /sys/fs/cgroup/unified; mount -t cgroup -o none,name=rdgen none /sys/fs/cgroup/one; `
	for _, c := range []struct {
		name, setup, as string
		pid             string
		code            int
		out, stderr     string // stderr contains it, or is empty
	}{
		{"cgroup2 is mounted", ":; ", "root", bound, 0, "blue\n", seen},
		{"cgroup2 is mounted, free", ":; ", "root", free, 0, "blue\n", ""},
		{"no cgroup2", cgroups, "root", bound, 0, "blue\n", seen},
		{"no cgroup2, free", cgroups, "root", free, 0, "blue\n", ""},
		{"hybrid", hybrid, "root", bound, 0, "blue\n", seen},
		{"hybrid, free", hybrid, "root", free, 0, "blue\n", ""},
		{"hybrid, nobody, by name", hybrid, "nobody", bound, 0, "red@blue\n", byName},
		{"hybrid, nobody", hybrid, "nobody", free, 111, "", "unable to say in which vrf process PID is, or whether it is in one: the programs of cgroup /rdgen-free-test cannot be seen: "},
		{"a part of cgroup2", "mount --bind " + cgroup + " /mnt; while read -r _ m t _; do [ $t != cgroup2 ] || [ $m = /mnt ] || umount $m; done </proc/mounts; ", "root", bound, 0, "blue\n", seen},
		{"a part is the usual place", "mount --bind " + cgroup + " /sys/fs/cgroup; ", "root", bound, 0, "blue\n", seen},
		{"another cgroup namespace", "echo $$ >" + cgroup + "/inner/cgroup.procs; exec unshare -C ", "root", free, 111, "",
			"lies outside of this process's cgroup namespace"},
		{"another cgroup namespace, inside", "echo $$ >" + cgroup + "/inner/cgroup.procs; exec unshare -C ", "root", bound, 0, "blue\n", seen},
		{"hidepid", hide, "root", bound, 0, "blue\n", seen},
		{"nobody, by name", ":; ", "nobody", bound, 0, "red@blue\n", byName},
		{"nobody", ":; ", "nobody", free, 111, "", "unable to say in which vrf process PID is, or whether it is in one: the programs of cgroup /rdgen-free-test cannot be seen: "},
		{"nobody, no cgroup2", cgroups, "nobody", free, 111, "", "cannot be seen: unable to mount cgroup2, whose root is mounted nowhere: operation not permitted"},
		{"nobody, of root", ":; ", "nobody", fmt.Sprint(os.Getpid()), 111, "", "unable to look at process PID: open /proc/PID/ns/net: permission denied"},
		{"nobody, hidepid", hide, "nobody", fmt.Sprint(os.Getpid()), 111, "", "unable to look at process PID: /proc/PID is hidden (hidepid= of its mount): permission denied"},
		{"nobody, hidepid, no process", hide, "nobody", "4194300", 111, "", "there is no process PID"},
	} {
		out, stderr, code := elsewhere(c.setup, c.as, "identify", c.pid)
		want := strings.ReplaceAll(c.stderr, "PID", c.pid)
		if code != c.code || out != c.out || want == "" && stderr != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: identify = %d, %q, %q; want %d, %q, %q", c.name, code, out, stderr, c.code, c.out, want)
		}
	}
	code, stderr := 0, ""
	if unreadable() {
		code, stderr = 111, "the list is not whole: "
	}
	for _, c := range []struct {
		name, setup, as string
		code            int
		stderr          string
	}{
		{"root", ":; ", "root", code, stderr},
		{"no cgroup2", cgroups, "root", code, stderr},
		{"hybrid", hybrid, "root", code, stderr},
		{"hidepid", hide, "root", code, stderr},
		{"nobody", ":; ", "nobody", 111, "the list is not whole: "},
		{"nobody, hidepid", hide, "nobody", 111, "the list is not whole: /proc hides the processes of other users (hidepid=)"},
	} {
		out, stderr, code := elsewhere(c.setup, c.as, "ps", "blue")
		if code != c.code || !strings.Contains(out, " "+bound+" ") || !strings.Contains(out, " "+free+" ") ||
			c.stderr == "" && stderr != "" || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: ps = %d, %q, %q; want both, %d, %q", c.name, code, out, stderr, c.code, c.stderr)
		}
	}
}

// unreadable reports whether the machine has processes that even the root of this
// test may not look at, as in a user namespace.
func unreadable() bool {
	paths, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	return slices.ContainsFunc(paths, func(path string) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrPermission)
	})
}

// boundCgroup makes a cgroup, and returns its path: what is below is bound to
// ifindex.
func boundCgroup(t *testing.T, ifindex uint32) string {
	t.Helper()
	root, err := enter.CgroupRoot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(root) })
	prog, err := bpf.Load(bpf.Bind(ifindex, domain.VRFMark))
	if err != nil {
		need.Missing(t, need.Root, "no BPF in a user namespace: "+err.Error())
	}
	defer unix.Close(prog)
	at := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), root)
	sandbox.Sh(t, "mkdir -p "+at+"/rdgen-bound-test/inner/vrf/red "+at+"/rdgen-free-test")
	t.Cleanup(func() {
		// A process that was waited for may be in its cgroup for a moment longer.
		sandbox.Sh(t, "cd "+at+`
			for c in rdgen-bound-test/inner/vrf/red rdgen-bound-test/inner/vrf rdgen-bound-test/inner rdgen-bound-test rdgen-free-test; do
				until rmdir $c 2>/dev/null; do test -d $c; sleep 0.05; done
			done`)
	})
	dir, err := enter.OpenCgroup(root, "/rdgen-bound-test")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	if err := bpf.SockCreate.AttachBeside(dir, prog); err != nil {
		t.Fatal(err)
	}
	return at + "/rdgen-bound-test"
}

// inBlue starts a process of nobody in namespace blue and in a cgroup.
func inBlue(t *testing.T, cgroup string) (pid string) {
	t.Helper()
	pid = fmt.Sprint(sandbox.Held(t, "ip", "netns", "exec", "blue", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
	if err := os.WriteFile(cgroup+"/cgroup.procs", []byte(pid), 0); err != nil {
		t.Fatal(err)
	}
	return pid
}

// elsewhere runs rdomain in a mount namespace that setup has changed.
func elsewhere(setup, as string, args ...string) (stdout, stderr string, code int) {
	run := "/run/world/rdomain " + strings.Join(args, " ")
	if as == "nobody" {
		run = "setpriv --reuid=65534 --regid=65534 --clear-groups " + run
	}
	var out, err strings.Builder
	cmd := exec.Command("unshare", "-m", "sh", "-ec", setup+run)
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run()
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}
