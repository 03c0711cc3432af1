package enter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

const domainConf = "nameserver domain\n"

// domainHost is a host with a domain blue that has a resolv.conf of its own.
func domainHost(t *testing.T) host {
	t.Helper()
	h := newHost(t)
	h.files("blue", map[string]string{"resolv.conf": domainConf})
	return h
}

func TestPrivateEtc(t *testing.T) {
	h := domainHost(t)
	h.write("/etc/netns/blue/nsswitch.conf", "hosts: files dns\n") // the host has none
	h.write("/etc/netns/blue/sub/file", "sub\n")
	h.must(os.MkdirAll("/run/app", 0o755))
	h.write("/run/app/pid", "1\n")
	before := h.mounts()
	s := h.shell("-n", "blue")
	for _, c := range []struct{ command, want string }{
		{"cat /etc/resolv.conf", domainConf},
		{"cat /etc/nsswitch.conf", "hosts: files dns\n"},
		{"cat /etc/sub/file", "sub\n"},
		{"cat /etc/hostname", "host\n"},
		{"cat /etc/app/conf", "app\n"},
		// Relative links of the host that lead out of /etc.
		{"cat /etc/app/state/pid", "1\n"},
		{"grep -c ' /etc ' /etc/mtab", "2\n"},
		{"cat /etc/netns/blue/resolv.conf", domainConf},
		{"ls /sys/fs/cgroup", h.run("ls", "/sys/fs/cgroup").out},
		{"(echo >/etc/new) 2>&1 | grep -o 'Read-only.*'", "Read-only file system\n"},
		{"ls /etc/new 2>/dev/null", ""},
		{"rm /etc/hostname 2>&1 | grep -o 'Read-only.*'; cat /etc/hostname", "Read-only file system\nhost\n"},
		{"echo inside >/etc/hostname; echo state >/etc/app/saved; echo $?", "0\n"},
	} {
		s.want(c.command, c.want)
	}
	wantFile(t, "/etc/hostname", "inside\n")
	wantFile(t, "/etc/app/saved", "state\n")
	if after := h.mounts(); after != before {
		t.Errorf("the mounts of the host changed:\n%s\nwere\n%s", after, before)
	}
	wantFile(t, "/etc/resolv.conf", "nameserver host\n")
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s = %q, %v; want %q", path, got, err, want)
	}
}

// TestHostReplacesFiles: whatever the host does to its files, a service that
// runs keeps the domain's and sees the host's as they are now.
func TestHostReplacesFiles(t *testing.T) {
	h := domainHost(t)
	s := h.shell("-n", "blue")
	s.want("cat /etc/resolv.conf", domainConf)

	h.write("/etc/resolv.conf", "nameserver leak\n")
	s.want("cat /etc/resolv.conf", domainConf)

	h.write("/etc/passwd", "locked:!:1:1::/:/bin/false\n")
	s.want("cat /etc/passwd", "locked:!:1:1::/:/bin/false\n")

	h.write("/run/resolver/stub", "nameserver stub\n")
	h.must(os.Symlink("../run/resolver/stub", "/etc/link"))
	h.must(os.Rename("/etc/link", "/etc/resolv.conf"))
	s.want("cat /etc/resolv.conf", domainConf)
	h.write("/run/resolver/stub", "nameserver leak\n")
	s.want("cat /etc/resolv.conf", domainConf)
	h.must(os.Remove("/etc/resolv.conf"))
	s.want("cat /etc/resolv.conf", domainConf)

	h.write("/etc/netns/blue/resolv.conf", "nameserver edited\n")
	s.want("cat /etc/resolv.conf", "nameserver edited\n")

	// A second service, while the first one runs.
	h.write("/etc/added", "added\n")
	h.write("/etc/netns/blue/hosts", "127.0.0.1 blue\n")
	for range 2 {
		if got := h.enter("-n", "blue", "cat", "/etc/resolv.conf", "/etc/added", "/etc/hosts"); got != "nameserver edited\nadded\n127.0.0.1 blue\n" {
			t.Errorf("a second service reads %q", got)
		}
	}
	s.want("cat /etc/added /etc/hosts", "added\n127.0.0.1 blue\n")
	h.must(os.Remove("/etc/added"))
	h.enter("-n", "blue", "true")
	s.want("ls -a /etc | grep -c added", "0\n")
	s.want("cat /etc/resolv.conf", "nameserver edited\n")
}

// TestLinksOutOfEtc: the host's resolv.conf is a link out of /etc, and the
// domain has none of its own. The service gets what the link says.
func TestLinksOutOfEtc(t *testing.T) {
	h := newHost(t)
	h.files("blue", map[string]string{"hosts": "127.0.0.1 blue\n"})
	h.write("/run/resolver/stub", "nameserver stub\n")
	h.must(os.Remove("/etc/resolv.conf"))
	h.must(os.Symlink("../run/resolver/stub", "/etc/resolv.conf"))
	s := h.shell("-n", "blue")
	s.want("cat /etc/resolv.conf /etc/hosts", "nameserver stub\n127.0.0.1 blue\n")
	h.write("/run/resolver/stub", "nameserver new\n")
	s.want("cat /etc/resolv.conf", "nameserver new\n")
}

// TestTakenAwayIsNotTheHosts tries to make a running service leak: its
// resolv.conf is removed, and another service of the domain starts.
func TestTakenAwayIsNotTheHosts(t *testing.T) {
	h := domainHost(t)
	h.write("/etc/netns/blue/only", "only\n")
	h.write("/etc/netns/blue/keep", "keep\n")
	s := h.shell("-n", "blue")
	h.must(os.Remove("/etc/netns/blue/resolv.conf"))
	h.must(os.Remove("/etc/netns/blue/only"))
	for range 2 {
		if r := h.run(h.rdexec, "-n", "blue", "cat", "/etc/resolv.conf"); strings.Contains(r.out, "host") {
			t.Errorf("a new service reads the host's resolv.conf: %q", r.out)
		}
		s.want("cat /etc/resolv.conf", "cat: /etc/resolv.conf: No such file or directory\n")
	}
	s.want("ls -a /etc | grep -c only", "0\n") // the host has none of that name
	h.write("/etc/netns/blue/resolv.conf", "nameserver back\n")
	s.want("cat /etc/resolv.conf", "nameserver back\n")
}

// TestMountsBelowEtc: what the host mounts below its /etc, before and after, is
// there inside.
func TestMountsBelowEtc(t *testing.T) {
	h := domainHost(t)
	h.mount("tmpfs", "/etc/app", "tmpfs", 0)
	h.write("/etc/app/conf", "mounted\n")
	s := h.shell("-n", "blue")
	s.want("cat /etc/app/conf", "mounted\n")
	h.must(unix.Unmount("/etc/app", 0))
	s.want("cat /etc/app/conf", "app\n")
	h.mount("tmpfs", "/etc/app", "tmpfs", 0)
	h.write("/etc/app/conf", "again\n")
	s.want("cat /etc/app/conf", "again\n")
}

func TestNoFilesNoLinks(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	before := h.mounts()
	for _, make := range []string{"", "/etc/netns", "/etc/netns/blue"} {
		if make != "" {
			h.must(os.Mkdir(make, 0o755))
		}
		if got := h.enter("-n", "blue", "sh", "-c", "cat /etc/hostname /etc/resolv.conf; echo new >/etc/hostname; rm /etc/hostname; echo host >/etc/hostname"); got != "host\nnameserver host\n" {
			t.Errorf("with %q: reads %q", make, got)
		}
		if _, err := os.Lstat("/run/rdomain"); err == nil {
			t.Errorf("with %q: /run/rdomain was made", make)
		}
	}
	if after := h.mounts(); after != before {
		t.Errorf("the mounts of the host changed:\n%s\nwere\n%s", after, before)
	}
}

// TestHostsResolversAreHidden: what a program of the host would answer from its own
// domain is not asked, also if that program starts later.
func TestHostsResolversAreHidden(t *testing.T) {
	h := domainHost(t)
	h.netns("bare")
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	h.must(os.MkdirAll("/run/systemd", 0o755))
	for _, name := range []string{"blue", "bare"} {
		s := h.shell("-n", name)
		for _, dir := range domain.ResolverDirs {
			if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o755 {
				t.Errorf("%s: %v, %v; want it there, mode 755", dir, st, err)
			}
			h.write(dir+"/socket", "host\n")
			s.want("ls -A "+dir, "")
			s.want("echo own >"+dir+"/own; cat "+dir+"/own", "own\n")
			h.must(os.Remove(dir + "/socket"))
			if _, err := os.Lstat(dir + "/own"); err == nil {
				t.Errorf("%s/own is there outside", dir)
			}
		}
	}
	h.must(os.RemoveAll("/run/systemd")) // a machine without systemd
	h.enter("-n", "bare", "true")
	if _, err := os.Lstat("/run/systemd"); err == nil {
		t.Error("/run/systemd was made")
	}
}

// TestHostsResolvConfIsNotWritten: what a DHCP client does inside.
func TestHostsResolvConfIsNotWritten(t *testing.T) {
	for _, link := range []bool{false, true} {
		h := newHost(t)
		h.netns("bare")
		h.files("hosts", map[string]string{"hosts": "127.0.0.1 x\n"})
		if link {
			h.write("/run/resolver/stub", "nameserver host\n")
			h.must(os.Remove("/etc/resolv.conf"))
			h.must(os.Symlink("../run/resolver/stub", "/etc/resolv.conf"))
		}
		for _, name := range []string{"bare", "hosts"} {
			s := h.shell("-n", name)
			for _, how := range []string{"echo nameserver dhcp >/etc/resolv.conf", "echo nameserver dhcp >$(readlink -f /etc/resolv.conf)",
				"echo nameserver dhcp >/etc/new; mv -f /etc/new /etc/resolv.conf", "echo x >/run/resolver/x; mv -f /run/resolver/x $(readlink -f /etc/resolv.conf)"} {
				s.do("(" + how + ") 2>&1")
				wantFile(t, "/etc/resolv.conf", "nameserver host\n")
				s.want("cat /etc/resolv.conf", "nameserver host\n")
			}
		}
		h.write("/etc/hostname", "written\n") // the rest of /etc is the host's
		if got := h.enter("-n", "bare", "cat", "/etc/hostname"); got != "written\n" {
			t.Errorf("hostname is %q inside", got)
		}
	}
}

// TestLastFileTakenAwayIsNotTheHosts is TestTakenAwayIsNotTheHosts for a domain with
// one file.
func TestLastFileTakenAwayIsNotTheHosts(t *testing.T) {
	h := domainHost(t)
	s := h.shell("-n", "blue")
	h.must(os.Remove("/etc/netns/blue/resolv.conf"))
	for _, gone := range []string{"file", "directory"} {
		for range 2 {
			if r := h.run(h.rdexec, "-n", "blue", "cat", "/etc/resolv.conf"); r.code == 0 {
				t.Errorf("without the %s a new service reads %q", gone, r.out)
			}
			s.want("cat /etc/resolv.conf", "cat: /etc/resolv.conf: No such file or directory\n")
		}
		h.must(os.RemoveAll("/etc/netns/blue"))
	}
	h.write("/etc/netns/blue/resolv.conf", "nameserver back\n")
	s.want("cat /etc/resolv.conf", "nameserver back\n")
	if got := h.enter("-n", "blue", "cat", "/etc/resolv.conf"); got != "nameserver back\n" {
		t.Errorf("a new service reads %q", got)
	}
}

// TestChangeInTheSameSecond: a file system that keeps whole seconds says nothing of the
// second change within one.
func TestChangeInTheSameSecond(t *testing.T) {
	now := int64(1_000_000_000 * 1e9)
	for newest, sure := range map[int64]bool{now: false, now - 1e9: false, now - 2e9: false, now - 2e9 - 1: true, now + 1e9: false} {
		if got := settled(newest, now); got != sure {
			t.Errorf("settled(%d, %d) = %v; want %v", newest, now, got, sure)
		}
	}
}

// TestOneDomainAfterAnother: what is executed in a second domain sees nothing
// of the first one's files.
func TestOneDomainAfterAnother(t *testing.T) {
	h := domainHost(t)
	h.write("/etc/netns/blue/hosts", "127.0.0.1 blue\n")
	h.files("red", map[string]string{"resolv.conf": "nameserver red\n"})
	h.netns("bare")
	again := func(inner ...string) []string {
		return append(append([]string{"-n", "blue", "--", h.rdexec, "-n"}, inner...), "sh", "-c",
			"cat /etc/resolv.conf; cat /etc/hosts 2>/dev/null; grep -c ' /etc ' /proc/self/mounts; pwd")
	}
	h.must(unix.Chdir("/etc/app"))
	for _, c := range []struct {
		inner []string
		want  string
	}{
		{[]string{"red"}, "nameserver red\n2\n/etc/app\n"},
		{[]string{"blue"}, domainConf + "127.0.0.1 blue\n2\n/etc/app\n"},
		{[]string{"bare"}, "nameserver host\n1\n/etc/app\n"},
		{[]string{"blue", h.rdexec, "-n", "red"}, "nameserver red\n2\n/etc/app\n"},
	} {
		if r := h.run(append([]string{h.rdexec}, again(c.inner...)...)...); r.out != c.want {
			t.Errorf("rdexec -n blue rdexec -n %q = %q, %q; want %q", c.inner, r.out, r.err, c.want)
		}
	}
}

func TestUmaskAndModes(t *testing.T) {
	h := domainHost(t)
	old := unix.Umask(0o077)
	h.enter("-n", "blue", "true")
	unix.Umask(old)
	wantMode := func(path string, want os.FileMode) {
		t.Helper()
		st, err := os.Stat(path)
		h.must(err)
		if got := st.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o; want %o", path, got, want)
		}
	}
	dir := "/run/rdomain/etc/blue"
	for path, want := range map[string]os.FileMode{
		"/run/rdomain": 0o755, "/run/rdomain/etc": 0o700, dir: 0o755, dir + "/.host": 0o755, dir + "/.host/etc": 0o755,
	} {
		wantMode(path, want)
	}
	// What somebody else made so that all can hold the lock, is closed again.
	h.must(os.RemoveAll("/run/rdomain"))
	h.must(os.MkdirAll("/run/rdomain/etc", 0o755))
	h.enter("-n", "blue", "true")
	wantMode("/run/rdomain/etc", 0o700)
}

// TestDamagedLinks: an update that was killed, or a hand that meddled, is
// repaired by the next start.
func TestDamagedLinks(t *testing.T) {
	h := domainHost(t)
	dir := "/run/rdomain/etc/blue/"
	for _, damage := range []func(){
		func() { h.must(os.Remove(dir + stamp)) },
		func() { h.must(os.RemoveAll(dir + hostDir)) },
		func() {
			h.must(os.Remove(dir + stamp))
			h.must(os.Remove(dir + "resolv.conf"))
			h.must(os.Symlink("/proc/none", dir+nextLink))
		},
		func() {
			h.must(os.Remove(dir + stamp))
			h.must(os.Remove(dir + "resolv.conf"))
			h.must(os.Symlink(hostEtc+"/resolv.conf", dir+"resolv.conf"))
			h.must(os.Symlink("/", dir+"extra"))
			h.must(os.WriteFile(dir+"plain", nil, 0o644))
		},
		func() {
			h.must(os.Remove(dir + stamp))
			h.must(os.Remove(dir + "hostname"))
			h.must(os.WriteFile(dir+"hostname", []byte("false\n"), 0o644))
		},
	} {
		h.enter("-n", "blue", "true")
		damage()
		got := h.enter("-n", "blue", "sh", "-c", "cat /etc/resolv.conf /etc/hostname; ls -d /etc/extra /etc/plain 2>/dev/null; ls /etc/.host/etc/hostname")
		if want := domainConf + "host\n/etc/.host/etc/hostname\n"; got != want {
			t.Errorf("after damage: %q; want %q", got, want)
		}
	}
}

// TestSteadyState: when nothing has changed, nothing is touched.
func TestSteadyState(t *testing.T) {
	h := domainHost(t)
	// For two seconds after a change no stamp is believed; the first start after that
	// writes a good one.
	text := ""
	for i := 0; !strings.Contains(text, " "); i++ {
		if i == 20000 {
			t.Fatalf("no start of %d wrote a stamp that can be believed; the last is %q", i, text)
		}
		h.enter("-n", "blue", "true")
		var err error
		text, err = os.Readlink("/run/rdomain/etc/blue/" + stamp)
		h.must(err)
	}
	var before, after unix.Stat_t
	h.must(unix.Stat("/run/rdomain/etc/blue/"+hostDir, &before))
	h.enter("-n", "blue", "true")
	h.must(unix.Stat("/run/rdomain/etc/blue/"+hostDir, &after))
	if before.Ctim != after.Ctim {
		t.Error("a start that had nothing to do wrote a stamp")
	}
	// It does so even where /run cannot be written.
	h.mount("", "/run", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV)
	if got := h.enter("-n", "blue", "cat", "/etc/resolv.conf"); got != domainConf {
		t.Errorf("resolv.conf with /run read-only = %q", got)
	}
	h.write("/etc/netns/blue/hosts", "")
	h.refuse(domain.ExitTemporary, "unable to prepare /run/rdomain/etc/blue: read-only file system\n", "-n", "blue")
}

// TestYoungStamp: what was made from a directory that changed in this very tick
// of the file clock may miss a later change of the same tick.
func TestYoungStamp(t *testing.T) {
	h := domainHost(t)
	blue := etcOf(parse(t, "blue", ""))
	for range 5000 {
		h.write("/etc/netns/blue/resolv.conf", domainConf)
		if _, err := makeLinks(blue); err != nil {
			t.Fatal(err)
		}
		text, err := os.Readlink(blue.linkDir() + "/" + stamp)
		h.must(err)
		if text == stampTag {
			return
		}
	}
	t.Error("a stamp was believed a moment after the change, 1000 times")
}

func TestRefusesWithoutItsFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(h host)
		want string
	}{
		{"run is read-only", func(h host) {
			h.mount("", "/run", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV)
		}, "unable to prepare /run/rdomain/etc/blue: read-only file system\n"},
		{"rdomain is a link", func(h host) {
			h.must(os.Symlink(h.tmp, "/run/rdomain"))
		}, "unable to prepare /run/rdomain/etc/blue: not a directory\n"},
		{"etc is a link", func(h host) {
			h.must(os.Mkdir("/run/rdomain", 0o755))
			h.must(os.Symlink(h.tmp, "/run/rdomain/etc"))
		}, "unable to prepare /run/rdomain/etc/blue: not a directory\n"},
		{"the directory is a link", func(h host) {
			h.must(os.MkdirAll("/run/rdomain/etc", 0o755))
			h.must(os.Symlink(h.tmp, "/run/rdomain/etc/blue"))
		}, "unable to prepare /run/rdomain/etc/blue: not a directory\n"},
		{"the directory is a dangling link", func(h host) {
			h.must(os.MkdirAll("/run/rdomain/etc", 0o755))
			h.must(os.Symlink("none", "/run/rdomain/etc/blue"))
		}, "unable to prepare /run/rdomain/etc/blue: not a directory\n"},
		{"the directory is a file", func(h host) {
			h.must(os.MkdirAll("/run/rdomain/etc", 0o755))
			h.must(os.WriteFile("/run/rdomain/etc/blue", nil, 0o644))
		}, "unable to prepare /run/rdomain/etc/blue: not a directory\n"},
		{"others can write to rdomain", func(h host) {
			h.must(os.Mkdir("/run/rdomain", 0o755))
			h.must(os.Chmod("/run/rdomain", 0o775))
		}, "unable to prepare /run/rdomain/etc/blue: directory rdomain does not belong to root alone\n"},
		{"others can write to the directory", func(h host) {
			h.must(os.MkdirAll("/run/rdomain/etc/blue", 0o755))
			h.must(os.Chmod("/run/rdomain/etc/blue", 0o777))
		}, "directory blue does not belong to root alone\n"},
		{"the directory has a directory for a link", func(h host) {
			h.must(os.MkdirAll("/run/rdomain/etc/blue/hostname", 0o755))
		}, "unable to prepare /run/rdomain/etc/blue: "},
		{"the files are a file", func(h host) {
			h.must(os.RemoveAll("/etc/netns/blue"))
			h.write("/etc/netns/blue", "")
		}, "unable to read /etc/netns/blue: not a directory\n"},
		{"the files are a dangling link", func(h host) {
			h.must(os.RemoveAll("/etc/netns/blue"))
			h.must(os.Symlink("common", "/etc/netns/blue"))
		}, "unable to read /etc/netns/blue: no such file or directory\n"},
		{"no mount namespaces", func(h host) {
			h.must(os.WriteFile("/proc/sys/user/max_mnt_namespaces", []byte("0"), 0))
		}, "unable to make a mount namespace: no space left on device\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := domainHost(t)
			if strings.HasPrefix(c.name, "no mount") {
				// The limit is that of the user namespace: not the host's.
				inUserNamespace(h, c.want)
				return
			}
			c.make(h)
			h.refuse(domain.ExitTemporary, c.want, "-n", "blue")
		})
	}
	t.Run("the owner is another", func(t *testing.T) {
		needHostRoot(t)
		h := domainHost(t)
		h.must(os.MkdirAll("/run/rdomain/etc/blue", 0o755))
		for _, name := range []string{"rdomain/etc/blue", "rdomain/etc", "rdomain"} {
			h.must(os.Chown("/run/"+name, 33, 0))
			h.refuse(domain.ExitTemporary, "directory "+filepath.Base(name)+" does not belong to root alone\n", "-n", "blue")
			h.must(os.Chown("/run/"+name, 0, 0))
		}
	})
}

// inUserNamespace sets the limit of mount namespaces to 0 in a user namespace,
// makes a netns there, and enters it.
func inUserNamespace(h host, want string) {
	h.Helper()
	mark := h.tmp + "/executed"
	r := h.run("unshare", "-Urnm", "sh", "-ec", `
		mount --bind /proc/self/ns/net /run/netns/blue
		echo 0 >/proc/sys/user/max_mnt_namespaces
		exec "$0" -n blue sh -c ': >"$0"' "$1"`, h.rdexec, mark)
	if r.code != domain.ExitTemporary || r.err != "rdexec: fatal: "+want {
		h.Errorf("without mount namespaces: %d, %q; want %q", r.code, r.err, want)
	}
	if _, err := os.Lstat(mark); err == nil {
		h.Error("without a mount namespace the program was executed")
	}
}

// TestAtOnce: many services of a domain start while the host changes its /etc.
func TestAtOnce(t *testing.T) {
	h := domainHost(t)
	for i := range 50 {
		h.write(fmt.Sprintf("/etc/conf%d", i), "conf\n")
	}
	lines := len(strings.Split(strings.TrimSpace(passwdText), "\n")) + 2
	want := strings.Repeat(fmt.Sprintln(lines), 10)
	for range 5 {
		// Only this thread is in the host, so a shell starts them together.
		script := `for i in 1 2 3 4 5 6 7 8 9 10; do
			"$0" -n blue -- sh -c 'cat /etc/resolv.conf /etc/conf7 /etc/passwd | sort -u | wc -l' &
			: >/etc/tmp$i; mv /etc/tmp$i /etc/tmp; echo x >/etc/netns/blue/n$i; rm /etc/tmp /etc/netns/blue/n$i
		done; wait`
		if r := h.run("sh", "-c", script, h.rdexec); r.out != want || r.err != "" {
			t.Errorf("ten at once = %q, %q; want ten times %d", r.out, r.err, lines)
		}
	}
	got := h.enter("-n", "blue", "sh", "-c", "ls -a /etc | grep -c -e '^tmp' -e '^n[0-9]'; ls /etc/conf* | wc -l")
	if got != "0\n50\n" {
		t.Errorf("afterwards %q; want no leftover and 50 files", got)
	}
}

// TestResolverOfVRF: a VRF whose file has DNS= looks names up by its own resolvers; one
// without has what the host has, also where it is entered from inside another.
func TestResolverOfVRF(t *testing.T) {
	h := newHost(t)
	h.files("blue", map[string]string{"resolv.conf": domainConf, "hosts": "127.0.0.1 blue\n"})
	for _, d := range domain.ResolverDirs {
		h.write(d+"/socket", "")
	}
	const look = "cat /etc/resolv.conf /etc/hosts 2>/dev/null; ls /run/nscd /run/systemd/resolve"
	const hosts = "nameserver host\n/run/nscd:\nsocket\n\n/run/systemd/resolve:\nsocket\n"
	const hidden = "/run/nscd:\n\n/run/systemd/resolve:\n"
	inside := func(want string, words ...string) {
		t.Helper()
		out, err := h.child("resolver", nil, append(words, "sh", "-c", look)...).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%q = %q, %v; want %q", words, out, err, want)
		}
	}
	before := h.mounts()
	inside(hosts, "@red")
	if h.mounts() != before {
		t.Error("a VRF without resolvers of its own changed a mount")
	}
	h.write(domain.ResolverDir+"/red/resolv.conf", "nameserver red\n")
	h.write(domain.ResolverDir+"/red@blue/resolv.conf", "nameserver red in blue\n")
	inside("nameserver red\n"+hidden, "@red")
	inside("nameserver red\n"+hidden, "@red", "@red")
	inside("nameserver host\n"+hidden, "@red", "@green") // the mounts on the directories stay
	inside("nameserver red in blue\n127.0.0.1 blue\n"+hidden, "blue@red")
	inside(domainConf+"127.0.0.1 blue\n"+hidden, "blue@red", "blue@")
	inside(domainConf+"127.0.0.1 blue\n"+hidden, "blue@", "@green")
	inside("nameserver red in blue\n127.0.0.1 blue\n"+hidden, "blue@", "@red") // the VRF of that namespace
	if h.mounts() != before {
		t.Error("the host's mounts changed")
	}

	// The last file is taken away, and so is the folder: what is started then has the host's.
	h.must(os.Remove(domain.ResolverDir + "/red/resolv.conf"))
	out, err := h.child("resolver", nil, "@red", "true").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "no resolver file is in it") {
		t.Errorf("with an empty folder: %q, %v", out, err)
	}
	inside("cat: /etc/resolv.conf: No such file or directory\n"[:0]+hidden, "@red")
	h.must(os.Remove(domain.ResolverDir + "/red"))
	inside(hosts, "@red")
	red := parse(t, "", "red")
	h.must(RemoveEtc(red))
	if _, err := os.Lstat(runDir + "/red@"); err == nil {
		t.Error("its directory of links is left")
	}
}
