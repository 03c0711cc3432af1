package enter

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

func TestExec(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	h.files("files", map[string]string{"resolv.conf": "nameserver files\n"})
	for _, options := range [][]string{nil, {"-n", "blue"}, {"-n", "files"}} {
		argv := append(append([]string{h.rdexec}, options...), "--", "sh", "-c")
		if r := h.run(append(argv, "echo $$; exit 7")...); r.code != 7 || r.err != "" ||
			r.out != strconv.Itoa(r.pid)+"\n" {
			t.Errorf("rdexec %q: exit %d, stderr %q, pid inside %q; want exit 7 and pid %d", options, r.code, r.err, r.out, r.pid)
		}
		if r := h.run(append(argv, "kill -9 $$")...); r.code != -1 {
			t.Errorf("rdexec %q: exit %d; want the signal that killed the program", options, r.code)
		}
	}
	r := h.run(h.rdexec, "-n", "", "sh", "-c", "echo executed")
	want := "rdexec: fatal: option -n is empty"
	if r.code != domain.ExitPermanent || r.out != "" || !strings.HasPrefix(r.err, want) {
		t.Errorf("rdexec -n '' = %d, %q, %q; want %d and %q", r.code, r.out, r.err, domain.ExitPermanent, want)
	}
}

func TestEntersTheNamespace(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	var blue unix.Stat_t
	h.must(unix.Stat("/run/netns/blue", &blue))
	got := strings.TrimSpace(h.enter("-n", "blue", "readlink", "/proc/self/ns/net"))
	if want := "net:[" + strconv.FormatUint(blue.Ino, 10) + "]"; got != want {
		t.Errorf("rdexec -n blue is in %s; want %s", got, want)
	}
}

func TestRefusesWhatIsNoNetns(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	h.must(os.WriteFile("/run/netns/empty", nil, 0))
	h.must(os.WriteFile("/run/netns/text", []byte("text"), 0o644))
	h.must(os.Mkdir("/run/netns/dir", 0o755))
	h.must(unix.Mkfifo("/run/netns/fifo", 0o644))
	h.must(os.Symlink("/run/netns/none", "/run/netns/dangling"))
	h.must(os.Symlink("/run/netns/blue", "/run/netns/alias"))
	h.must(os.Symlink("/proc/1/ns/net", "/run/netns/default"))
	for _, kind := range []string{"uts", "ipc"} {
		h.must(os.WriteFile("/run/netns/"+kind, nil, 0))
		h.mount("/proc/thread-self/ns/"+kind, "/run/netns/"+kind, "", unix.MS_BIND)
	}
	for name, want := range map[string]string{
		"none":     "no such file or directory",
		"dangling": symlink,
		"alias":    symlink,
		"default":  symlink,
		"empty":    "an empty file is not a network namespace (left by a mount that failed?)",
		"text":     "the file is not a network namespace",
		"dir":      "the file is not a network namespace",
		"fifo":     "the file is not a network namespace",
		"uts":      "a UTS namespace is not a network namespace",
		"ipc":      "an IPC namespace is not a network namespace",
	} {
		h.refuse(domain.ExitTemporary, "unable to enter netns "+name+" (/run/netns/"+name+"): "+want+"\n", "-n", name)
	}
}

func TestRefusesWithoutPrivilege(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.netns("blue")
	h.must(os.Chmod(h.tmp, 0o777))
	mark := h.tmp + "/executed"
	r := h.run(h.rdexec, "-u", "web", h.rdexec, "-n", "blue", "sh", "-c", ": >"+mark)
	if r.code != domain.ExitTemporary || !strings.Contains(r.err, "unable to enter netns blue (/run/netns/blue): operation not permitted") {
		t.Errorf("rdexec -n blue as an ordinary user = %d, %q", r.code, r.err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("rdexec -n blue as an ordinary user executed the program")
	}
}

// TestEnteredIsLookedAt: a filter that says success of a setns(2) which it does not let
// through is not believed; the program would have run in the default domain.
func TestEnteredIsLookedAt(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	cmd := h.child("liar", nil, h.rdexec, "-n", "blue", "echo", "outside")
	out, err := cmd.CombinedOutput()
	want := "rdexec: fatal: unable to enter netns blue (/run/netns/blue): the kernel says success, and the process is in another one (a seccomp filter?)\n"
	if string(out) != want || cmd.ProcessState.ExitCode() != domain.ExitTemporary {
		t.Errorf("rdexec where setns does nothing: %v, %q; want %d, %q", err, out, domain.ExitTemporary, want)
	}
}

// TestIsolation: what listens inside answers inside and nowhere else, and the
// other way round.
func TestIsolation(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	inside, outside := []string{h.rdexec, "-n", "blue", "--"}, []string(nil)
	for _, c := range []struct{ here, there []string }{{inside, outside}, {outside, inside}} {
		cmd := h.child("listen", c.here)
		stdin, err := cmd.StdinPipe()
		h.must(err)
		stdout, err := cmd.StdoutPipe()
		h.must(err)
		h.must(cmd.Start())
		addr, err := bufio.NewReader(stdout).ReadString('\n')
		h.must(err)
		addr = strings.TrimSpace(addr)
		if out, err := h.child("dial", c.here, addr).CombinedOutput(); err != nil {
			t.Errorf("dial %s in the same domain, %q: %v, %s", addr, c.here, err, out)
		}
		out, err := h.child("dial", c.there, addr).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "connection refused") {
			t.Errorf("dial %s in another domain, %q: %v, %s; want it refused", addr, c.there, err, out)
		}
		stdin.Close()
		io.Copy(io.Discard, stdout)
		h.must(cmd.Wait())
	}
}

// TestStateIsKept compares a program that was started through rdexec with one
// that was not.
func TestStateIsKept(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	h.files("files", map[string]string{"resolv.conf": "nameserver files\n"})
	state := func(prefix ...string) string {
		t.Helper()
		var all strings.Builder
		for _, show := range [][]string{
			{"/bin/cat", "/proc/self/status", "/proc/self/limits"},
			{"/bin/ls", "-l", "/proc/self/fd"},
			{"/bin/readlink", "/proc/self/cwd"},
			{"/usr/bin/env"},
			{"/bin/sh", "-c", "cat /proc/$$/cmdline", "a", "", "b c"},
		} {
			cmd := h.child("state", nil, append(prefix[:len(prefix):len(prefix)], show...)...)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%q: %v, %s", cmd.Args, err, out)
			}
			all.WriteString(volatile.ReplaceAllString(string(out), ""))
		}
		return all.String()
	}
	want := state()
	// What the test itself set; more signals may be ignored where it was started.
	for _, sample := range []string{`SigIgn:\t[0-9a-f]{12}5[26]01\n`, `SigBlk:\t0000000000003800\n`, `300 +400 `, `A=1\nA=2\nnoequals`, `77 -> pipe:\n`} {
		if !regexp.MustCompile(sample).MatchString(want) {
			t.Fatalf("without rdexec the state has no %q:\n%s", sample, want)
		}
	}
	for _, options := range [][]string{{}, {"-n", "blue"}, {"-n", "files"}} {
		got := state(append(append([]string{h.rdexec}, options...), "--")...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rdexec %q: -without +with\n%s", options, diff)
		}
	}
}

// What differs between any two processes.
var volatile = regexp.MustCompile(`(?m)^(Pid|Tgid|Ngid|NStgid|NSpid|NSpgid|NSsid|Vm.*|Rss.*|Hugetlb.*|.*_switches|Mems.*|SigQ):.*\n|^total.*\n|^l.*/proc/[0-9]+/fd\n|^l[^>]*[0-9:]{5} |\[[0-9]+\]$`)

func TestUser(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.netns("blue")
	h.must(unix.Setgroups([]int{4, 29}))
	for _, c := range []struct{ user, uid, gid, groups string }{
		{"web", "33", "33", "4 29 33 46 47"},
		{"web:adm", "33", "4", "4"},
		{"1234:5678", "1234", "5678", "5678"},
		{"root", "0", "0", "0"},
	} {
		status := h.enter("-n", "blue", "-u", c.user, "cat", "/proc/self/status")
		for _, want := range []string{
			"Uid:" + strings.Repeat("\t"+c.uid, 4) + "\n", "Gid:" + strings.Repeat("\t"+c.gid, 4) + "\n",
			"Groups:\t" + c.groups + " \n",
		} {
			if !strings.Contains(status, want) {
				t.Errorf("rdexec -u %s: no %q in\n%s", c.user, want, status)
			}
		}
		if c.uid != "0" && !strings.Contains(status, "CapEff:\t0000000000000000\n") {
			t.Errorf("rdexec -u %s keeps capabilities:\n%s", c.user, status)
		}
	}
	h.refuse(domain.ExitPermanent, "unable to become user nobody: no such user in /etc/passwd\n", "-u", "nobody", "-n", "blue")
	h.refuse(domain.ExitPermanent, "no such group in /etc/group\n", "-u", "web:nogroup")
	h.must(os.Remove("/etc/group"))
	h.refuse(domain.ExitTemporary, "unable to look up user web in /etc/group: no such file or directory\n", "-u", "web")
}

// TestUserIsLookedUpOutside: the domain's own passwd says nothing about who
// the service is.
func TestUserIsLookedUpOutside(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.files("blue", map[string]string{"passwd": "web:x:0:0::/:/bin/sh\n", "group": ""})
	if got := h.enter("-n", "blue", "-u", "web", "id", "-u"); got != "33\n" {
		t.Errorf("rdexec -u web is uid %q; want 33", got)
	}
	h.refuse(domain.ExitPermanent, "no such user", "-n", "blue", "-u", "daemon")
}

func TestCheck(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	h.netns("red")
	h.must(os.WriteFile("/run/netns/empty", nil, 0))
	blue, red := parse(t, "blue", ""), parse(t, "red", "")
	wantCheck(t, blue, "another network namespace")
	h.must(enterNetns(blue.Netns))
	wantCheck(t, blue, "")
	wantCheck(t, domain.Domain{}, "")
	wantCheck(t, red, "this process is not in netns red: it is in another network namespace")
	wantCheck(t, parse(t, "none", ""), "unable to check netns none (/run/netns/none): no such file or directory")
	wantCheck(t, parse(t, "empty", ""), "another network namespace")
	wantCheck(t, parse(t, "", "mgmt"), "unable to enter vrf mgmt: no such device")
	wantCheck(t, parse(t, "blue", "lo"), "lo is not a VRF")
}

func parse(t *testing.T, netns, vrf string) domain.Domain {
	t.Helper()
	d, err := domain.Parse(netns, vrf)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wantCheck(t *testing.T, d domain.Domain, want string) {
	t.Helper()
	err := Check(d)
	if want == "" && err != nil {
		t.Errorf("Check(%v) = %v; want nil", d, err)
	}
	if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("Check(%v) = %v; want an error with %q", d, err, want)
	}
}
