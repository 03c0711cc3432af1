package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/installed"
	"rdgen/test/sandbox"
)

// standIn is what the test binary is as sudo, doas or pkexec: it allows everything. It is
// set-uid, and gives what it runs as little as the real ones do.
func standIn(name string, args []string) int {
	uid := os.Getuid()
	said := map[string]string{"sudo": fmt.Sprintf("SUDO_UID=%d", uid), "doas": "DOAS_USER=alice", "pkexec": fmt.Sprintf("PKEXEC_UID=%d", uid)}[name]
	if name == "pkexec" {
		_ = os.Chdir("/")
	}
	if args[0] == "--" {
		args = args[1:]
	}
	if args[0] != installed.RdomainExec() {
		fmt.Fprintln(os.Stderr, "no rule for", args)
		return 99
	}
	unix.Umask(0o022)
	_ = syscall.Setgroups(nil)
	_ = syscall.Setgid(0)
	_ = syscall.Setuid(0)
	err := syscall.Exec("/run/world/rdomain", append([]string{"rdomain", "exec-for-user"}, args...), []string{"PATH=/usr/bin:/bin", "HOME=/root", said})
	fmt.Fprintln(os.Stderr, name, err)
	return 99
}

// asUser runs a shell script as a user of the groups 1000 and 2000, in a folder of hers.
func asUser(uid int, script string) (stdout, stderr string, code int) {
	cmd := exec.Command("setpriv", fmt.Sprint("--reuid=", uid), "--regid=1000", "--groups=1000,2000",
		"env", "-i", "PATH=/run/world:/usr/bin:/bin", "HOME=/run/home", "LD_PRELOAD=", "SUDO_UID=0", "RDOMAIN=old", "A=b=c\nd", "sh", "-c", script)
	cmd.Dir = "/run/home"
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run()
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// people makes the users, a domain of alice's, and the stand-ins that are named.
func people(t *testing.T, tools ...string) {
	t.Helper()
	start(t)
	sandbox.Sh(t, `printf 'root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1000::/:/bin/sh\n' >/etc/passwd
		printf 'alice:x:1000:\nnetusers:x:2000:\n' >/etc/group; mkdir -p /run/world /run/wrappers/bin; install -d -m 0700 -o 1000 /run/home
		cp -L `+bin+` /run/world/rdomain; ip netns add work; ip -n work link set lo up`)
	for _, tool := range tools {
		sandbox.Sh(t, "cp -L "+bin+" /run/wrappers/bin/"+tool+"; chmod 4755 /run/wrappers/bin/"+tool)
	}
	t.Cleanup(func() {
		sandbox.Sh(t, "rm -r /run/world /run/wrappers /run/home /etc/passwd /etc/group; ip netns delete work")
	})
}

// A user whom the file allows runs a program in the domain, as herself, with all that she has.
func TestExecForUser(t *testing.T) {
	for _, tool := range []string{"sudo", "doas", "pkexec"} {
		t.Run(tool, func(t *testing.T) {
			people(t, tool)
			file(t, "work", "[Domain]\nAllowUsers=alice\n")
			inode := strings.TrimSpace(sandbox.Sh(t, "stat -Lc %i /run/netns/work"))
			const all = `umask 027; export B=2; cd /run/home
				rdomain exec work -- sh -c 'readlink /proc/self/ns/net; grep -E "^(Uid|Gid|Groups|CapEff|CapPrm|CapInh|CapAmb|Umask)" /proc/self/status
				pwd; echo $HOME $B $SUDO_UID $RDOMAIN "${LD_PRELOAD-unset}" "$A"; exit 7'`
			out, stderr, code := asUser(1000, all)
			want := "net:[" + inode + "]\nUmask:\t0027\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t1000 2000 \n" +
				"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n" +
				"/run/home\n/run/home 2 0 work  b=c\nd\n"
			if out != want || stderr != "" || code != 7 {
				t.Errorf("%d, %q\n%s\nwant 7,\n%s", code, stderr, out, want)
			}
			if _, _, code := asUser(1000, `rdomain exec work sh -c 'kill -KILL $$'`); code != 128+9 {
				t.Errorf("of a program that is killed: %d", code)
			}
		})
	}
}

// Nobody but whom the file names gets in, and nobody as another.
func TestExecForUserRefuses(t *testing.T) {
	people(t, "sudo")
	direct := "/run/wrappers/bin/sudo " + installed.RdomainExec() + " "
	const may = "[Domain]\nAllowUsers=alice\n"
	for _, c := range []struct {
		what, file string
		uid        int
		script     string
		code       int
		want       string
	}{
		{"by the group", "[Domain]\nAllowGroups=netusers\n", 1001, "rdomain exec work id -u", 0, "1001\n"},
		{"by a number", "[Domain]\nAllowUsers=7 1001\n", 1001, "rdomain exec work id -u", 0, "1001\n"},
		{"by hand", may, 1000, direct + "$$ work -- id -u; :", 0, "1000\n"},
		{"another user", may, 1001, "rdomain exec work id", 100, "rdomain: fatal: work: user 1001 may not run programs there\n" +
			"rdomain: hint: AllowUsers= and AllowGroups= in [Domain] of /etc/rdomain/work.conf say who may\n"},
		{"nobody is named", "[Domain]\n", 1000, "rdomain exec work id", 100, "user 1000 may not run programs there"},
		{"a name that is nobody's", "[Domain]\nAllowUsers=mallory\nAllowGroups=alicia\n", 1000, "rdomain exec work id", 100, "may not run"},
		{"no file", "", 1000, "rdomain exec work id", 100, "rdomain: fatal: work: there is no /etc/rdomain/work.conf, and so nobody but root may run programs there\n"},
		{"a file that is wrong", may + "x\n", 1000, "rdomain exec work id", 100, "work.conf:3: "},
		{"no domain of that name", may, 1000, "rdomain exec ../work id", 100, `contains "/"`},
		{"a process of root's", may, 1000, direct + "$PPID work -- id; :", 100, "it is not one of user 1000 alone"},
		{"the first process", may, 1000, direct + "1 work -- id; :", 100, `"1" is not a PID`},
		{"one beside", may, 1000, "sleep 9 & " + direct + "$! work -- id; e=$?; kill $!; exit $e", 100, "has not called this one"},
		{"itself", may, 1000, "exec " + direct + "$$ work -- id", 100, "it is not one of user 1000 alone"},
		{"no process", may, 1000, direct + "self work -- id; :", 100, `"self" is not a PID`},
		{"no program", may, 1000, direct + "$$ work --; :", 100, "no program given"},
		{"nothing", may, 1000, direct + "; :", 100, "needs the PID"},
		{"an option", may, 1000, direct + "$$ -n work id; :", 100, "-n"},
		{"another verb", may, 1000, "rdomain down work", 100, "this needs root"},
		{"by root", may, 0, "rdomain exec-for-user x $$ work id; :", 100, "says that root has called"},
	} {
		_ = os.Remove("/etc/rdomain/work.conf")
		if c.file != "" {
			file(t, "work", c.file)
		}
		script := c.script
		if strings.HasSuffix(script, "; :") { // so that the shell is above, and does not become it
			script = strings.TrimSuffix(script, ":") + "exit $?"
		}
		out, stderr, code := asUser(c.uid, script)
		if code != c.code || !strings.Contains(out+stderr, c.want) || (c.code == 0) != (stderr == "") || c.code != 0 && out != "" {
			t.Errorf("%s: %d, %q, %q; want %d, %q", c.what, code, out, stderr, c.code, c.want)
		}
	}
	file(t, "work", may)
	for _, mode := range []os.FileMode{0o646, 0o666} {
		if err := os.Chmod("/etc/rdomain/work.conf", mode); err != nil {
			t.Fatal(err)
		}
		if _, stderr, code := asUser(1000, "rdomain exec work id"); code != 100 || !strings.Contains(stderr, "nobody but root may run programs there: /etc/rdomain/work.conf can be written by everybody") {
			t.Errorf("file of mode %o: %d, %q", mode, code, stderr)
		}
	}
	// Who can write the folder, or that which a link leads to, puts another file there.
	sandbox.Sh(t, "chmod 0644 /etc/rdomain/work.conf; chmod 0777 /etc/rdomain")
	if _, stderr, code := asUser(1000, "rdomain exec work id"); code != 100 || !strings.Contains(stderr, "there: /etc/rdomain can be written by everybody") {
		t.Errorf("folder: %d, %q", code, stderr)
	}
	sandbox.Sh(t, "chmod 0755 /etc/rdomain; mv /etc/rdomain/work.conf /run/home/x; ln -s /run/home/x /etc/rdomain/work.conf")
	if _, stderr, code := asUser(1000, "rdomain exec work id"); code != 100 || !strings.Contains(stderr, "there: /run/home belongs to user 1000") {
		t.Errorf("folder of what a link leads to: %d, %q", code, stderr)
	}
	sandbox.Sh(t, "mv /run/home/x /etc/rdomain/real; ln -sf real /etc/rdomain/work.conf; chmod 1777 /etc/rdomain")
	if out, stderr, code := asUser(1000, "rdomain exec work id -u"); code != 0 || out != "1000\n" {
		t.Errorf("a link in the folder, and the sticky bit: %d, %q, %q", code, out, stderr)
	}
	sandbox.Sh(t, "chmod 0755 /etc/rdomain; rm /etc/rdomain/real /etc/rdomain/work.conf")
	file(t, "work", may)
	if files, _ := filepath.Glob("/run/wrappers/bin/*"); len(files) != 1 {
		t.Fatal(files)
	}
	sandbox.Sh(t, "chmod u-s /run/wrappers/bin/sudo")
	if _, stderr, code := asUser(1000, "rdomain exec work id"); code == 0 {
		t.Errorf("by a sudo that is not set-uid: %d, %q", code, stderr)
	}
}

// From inside of a namespace a VRF of the default domain is not entered: a user, and root, got
// into the VRF of that name that the namespace has, of which another file says who may.
func TestExecOfVRFFromInside(t *testing.T) {
	people(t, "sudo")
	file(t, "work", "[Domain]\nAllowUsers=alice\n")
	file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\nAllowUsers=alice\n")
	const want = "rdomain: fatal: mgmt: this is inside of a namespace, and mgmt is a VRF outside of it\n" +
		"rdomain: hint: mgmt@NETNS is the VRF of that name in the namespace NETNS\n"
	for _, uid := range []int{1000, 0} {
		if out, stderr, code := asUser(uid, "rdomain exec work -- rdomain exec mgmt -- id"); out != "" || stderr != want || code != 100 {
			t.Errorf("user %d: %d, %q, %q", uid, code, out, stderr)
		}
	}
}

// The stop key of the user's terminal does not stop what runs as root for her: it did, also where
// that held a lock for which the starts of services wait.
func TestExecForUserIsNotStopped(t *testing.T) {
	people(t, "doas")
	file(t, "work", "[Domain]\nAllowUsers=alice\n")
	sandbox.Sh(t, "mkdir -p /etc/netns/work; echo nameserver 192.0.2.1 >/etc/netns/work/resolv.conf; install -d -m 0700 /run/rdomain/etc")
	t.Cleanup(func() { sandbox.Sh(t, "rm -r /etc/netns/work /run/rdomain/etc") })
	lock, err := os.Open("/run/rdomain/etc")
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(lock.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		out, stderr, code := asUser(1000, `S="grep -E ^Sig(Ign|Cgt) /proc/self/status"
			[ "$($S)" = "$(rdomain exec work -- $S)" ]`)
		ended <- fmt.Sprint(out, stderr, code)
	}()
	pid := 0
	for pid == 0 {
		select {
		case said := <-ended:
			t.Fatalf("it waits for no lock: %s", said)
		default:
		}
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(locks)) {
			if f := strings.Fields(line); len(f) > 6 && f[1] == "->" && strings.HasSuffix(f[6], fmt.Sprintf(":%d", st.Ino)) {
				pid, _ = strconv.Atoi(f[5])
			}
		}
	}
	if err := syscall.Kill(pid, unix.SIGTSTP); err != nil {
		t.Fatal(err)
	}
	for pending := true; pending; { // or the program would get it
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		pending = !strings.Contains(string(text), "\nShdPnd:\t0000000000000000")
	}
	lock.Close()
	for said := ""; said == ""; {
		select {
		case said = <-ended:
		default:
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if strings.Contains(string(text), "\nState:\tT") {
				t.Error("it is stopped")
				_ = syscall.Kill(pid, unix.SIGCONT)
			}
			continue
		}
		if said != "0" {
			t.Errorf("the program has other signals than its caller: %q", said)
		}
	}
}
