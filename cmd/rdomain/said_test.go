package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
	"rdgen/test/sandbox"
)

// A name that was mistyped was a new empty namespace, or nothing at all, in silence.
func TestMistypedNames(t *testing.T) {
	start(t)
	file(t, "private", "")
	const hint = "there is no /etc/rdomain/privat.conf; did you mean private?\n"
	says(t, 100, "", "rdomain: fatal: privat: nothing of that name is up, and "+hint, "reload", "privat")
	says(t, 0, "", "rdomain: note: privat: nothing of that name is up, and "+hint, "down", "privat")
	// ps may besides not see all processes of this machine.
	if _, said, _ := rdomain("ps", "privat"); !strings.HasPrefix(said, "rdomain: note: privat: nothing of that name is up, and "+hint) {
		t.Errorf("ps privat says %q", said)
	}
	says(t, 111, "", "rdomain: fatal: unable to enter netns privat (/run/netns/privat): no such file or directory\n"+
		"rdomain: hint: rdomain up privat makes it; "+hint, "exec", "privat", "true")
	if out, _, code := rdomain("check", "privat"); code != 1 || !strings.Contains(out, "# privat: "+hint) {
		t.Errorf("check privat = %d, %s", code, out)
	}
	says(t, 0, "", "rdomain: note: privat: making an empty namespace: "+hint, "up", "privat")
	for name, meant := range map[string]string{"private.conf": "private", "all": "--all"} {
		says(t, 100, "", "rdomain: fatal: "+name+": nothing of that name is up, and there is no /etc/rdomain/"+name+".conf; did you mean "+meant+"?\n", "reload", name)
	}
	says(t, 100, "", "rdomain: fatal: no verb \"chekc\"; expected up, down, reload, confirm, check, list, dump, ps, identify, exec, session or watch\n"+
		"rdomain: hint: is rdomain check meant?\n", "chekc")
	quiet(t, "up", "privat") // it is there by now
	quiet(t, "reload", "privat")
	quiet(t, "down", "privat")
	quiet(t, "down", "private") // has a file, and is down already
	sandbox.Sh(t, `ip netns add foreign`)
	says(t, 0, "", "rdomain: note: foreign: it was made by somebody else; left alone\n", "down", "foreign")
	sandbox.Sh(t, `ip netns delete foreign`)
}

// A card that another domain has was waited for in silence, and then said not to exist.
func TestLinkInAnotherDomain(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip link add nic0 type dummy 2>/dev/null || ip link add nic0 type veth peer name nic0p`)
	file(t, "a", "[Link nic0]\n")
	file(t, "b", "[Domain]\nTimeoutSec=3600\n[Link nic0]\n")
	quiet(t, "up", "a")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/b.conf:3: link nic0 is in netns a, by /etc/rdomain/a.conf\n", "up", "b")
	quiet(t, "down", "a", "b")
	sandbox.Sh(t, `ip link delete nic0`)
}

// begun starts rdomain, and returns it with what it will say.
func begun(t *testing.T, args ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(bin, args...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(said)
}

// A wait was silent for as long as TimeoutSec= says, here an hour; what it waits for is said
// after a second, wherever the output goes.
func TestWaitSaysForWhat(t *testing.T) {
	start(t)
	file(t, "w", "[Domain]\nTimeoutSec=3600\n[Link late0]\nAddress=10.9.0.1/24\n")
	cmd, said := begun(t, "up", "w")
	line, _ := said.ReadString('\n')
	sandbox.Sh(t, `ip link add late0 type veth peer name late1`)
	if err := cmd.Wait(); err != nil || !strings.HasPrefix(line, "rdomain: note: w: waiting for link late0 in the default domain, at most ") ||
		!strings.HasSuffix(line, " s more (/etc/rdomain/w.conf:3)\n") {
		t.Errorf("up of a link that comes late: %v, %q", err, line)
	}
	quiet(t, "down", "w")
	sandbox.Sh(t, `ip link delete late0`)
}

// A link that came while up waited was taken in before its owner, OpenVPN, had given it
// its address: both said that all was well, and the services had a link without one.
func TestUpLeavesTheOwnerHisTime(t *testing.T) {
	start(t)
	file(t, "w", "[Domain]\nTimeoutSec=3600\nRequiresLink=late0\n[Link late0]\n")
	cmd, said := begun(t, "up", "w")
	_, _ = said.ReadString('\n')
	sandbox.Sh(t, `ip link add late0 type veth peer name late1`)
	line, _ := said.ReadString('\n')
	if !strings.HasPrefix(line, "rdomain: note: w: waiting for an address of link late0, by who made it, at most ") {
		t.Errorf("up of a link without an address says %q", line)
	}
	sandbox.Sh(t, `ip address add 10.9.0.1/24 dev late0; ip link set late0 up`)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	sandbox.Sh(t, `ip -n w address show dev late0 | grep -qF 10.9.0.1/24`)
	quiet(t, "down", "w")
	sandbox.Sh(t, `ip link delete late0`)
}

// networkd takes the address of a link that moves away for a moment; a route by a gateway
// behind it failed then, and with it the domain.
func TestGatewayOfAnOwnersAddress(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip link add own0 type veth peer name own1; ip link set own1 up`)
	file(t, "w", "[Link own0]\n[Route]\nDestination=default\nGateway=10.9.0.2\nDevice=own0\n")
	cmd, said := begun(t, "up", "w")
	line, _ := said.ReadString('\n')
	if !strings.HasPrefix(line, "rdomain: note: w: waiting for the owner of link own0 to give it the address for gateway 10.9.0.2 again, at most ") {
		t.Errorf("up says %q", line)
	}
	sandbox.Sh(t, `ip -n w address add 10.9.0.1/24 dev own0`)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	sandbox.Sh(t, `ip -n w route | grep -q "default via 10.9.0.2"`)
	quiet(t, "down", "w")
	sandbox.Sh(t, `ip link delete own0`)
}

// With so few files the Go runtime ended rdomain with a trace of its own, and with exit
// code 2, which rdomain(8) has not.
func TestFewFiles(t *testing.T) {
	start(t)
	for _, verb := range []string{"list", "up x"} {
		out, err := exec.Command("sh", "-c", "ulimit -n 8; exec rdomain "+verb).CombinedOutput()
		if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 111 ||
			!strings.HasPrefix(string(out), "rdomain: fatal: 8 files can be open at once; 32 are needed\nrdomain: hint: ") {
			t.Errorf("rdomain %s with 8 files: %v, %q", verb, err, out)
		}
	}
}

// A field of JSON that no page had is one that nobody may count on.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../man/rdomain.8")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "\n.Sh JSON\n")
	text, _, _ = strings.Cut(text, "\n.Sh ")
	for verb, value := range map[string]any{"check": lifecycle.Report{}, "list": lifecycle.Entry{}, "ps , identify": identify.Location{}} {
		_, part, _ := strings.Cut(text, "\n.It Cm "+verb+"\n")
		part, _, _ = strings.Cut(part, "\n.It ")
		for field := range reflect.TypeOf(value).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !strings.Contains("\n"+part, "\n.Li "+name+" ") && !strings.Contains("\n"+part, "\n.Li "+name+"\n") {
				t.Errorf("rdomain(8), JSON, does not have %q of %s", name, verb)
			}
		}
	}
}

// An alternative name of a link was refused without the line, as if it could pass.
func TestAlternativeNameIsSaid(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip link add nic0 type veth peer name nic1; ip link property add dev nic0 altname enp9s0f0`)
	for _, text := range []string{"[Domain]\nTimeoutSec=3600\n[Link enp9s0f0]\n", "[Domain]\n\nRequiresLink=enp9s0f0\n", "[Link v0]\nKind=vlan\nParent=enp9s0f0\nId=5\n"} {
		file(t, "a", text)
		for _, verb := range []string{"up", "check"} {
			if verb == "check" && strings.Contains(text, "RequiresLink") {
				continue // is no part of what there is to be
			}
			says(t, 100, "", "rdomain: fatal: /etc/rdomain/a.conf:3: enp9s0f0 is an alternative name of link nic0\n"+
				"rdomain: hint: write nic0: rdomain takes links by their own names\n", verb, "a")
		}
	}
	sandbox.Sh(t, `ip link delete nic0; test ! -e /run/netns/a`)
}

func TestOptionsAfterNames(t *testing.T) {
	start(t)
	file(t, "a", "")
	says(t, 0, "ip netns add a\nip -n a link set lo up\n", "", "up", "a", "-n")
	if out, _, code := rdomain("check", "a", "--json"); code != 1 || !strings.HasPrefix(out, "[") {
		t.Errorf("check a --json = %d, %s", code, out)
	}
	says(t, 100, "", "rdomain: fatal: unknown option \"-x\"\nrdomain: hint: rdomain --help shows what is possible\n", "up", "a", "-x")
}

// Every verb's --help was an unknown option. That of a program which exec runs is the program's.
func TestHelpOfVerbs(t *testing.T) {
	start(t)
	file(t, "a", "")
	quiet(t, "up", "a")
	for _, verb := range []string{"up", "down", "reload", "check", "list", "ps", "identify", "exec", "watch"} {
		says(t, 0, usage, "", verb, "--help")
		says(t, 0, usage, "", verb, "-h")
	}
	for _, verb := range []string{"up", "down", "reload", "check", "list", "ps", "identify"} { // like all options, behind names too
		says(t, 0, usage, "", verb, "a", "--help")
	}
	says(t, 100, "", "rdomain: fatal: no verb \"-n\"; expected up, down, reload, confirm, check, list, dump, ps, identify, exec, session or watch\n"+
		"rdomain: hint: options stand behind the verb\n", "-n", "up", "a")
	for _, prog := range []string{"", "/etc", "nosuch"} { // a folder was taken for a program, and executed when it was needed
		says(t, 100, "", "rdomain: fatal: watch: there is no program \""+prog+"\"\nrdomain: hint: rdomain --help shows what is possible\n", "watch", "--", prog)
	}
	says(t, 100, "", "rdomain: fatal: netns name \"--help\" starts with \"-\" and would be read as an option\n", "down", "--", "--help")
	says(t, 0, "--help\n", "", "exec", "a", "printf", "%s\\n", "--help")
	quiet(t, "down", "a")
}

// Nothing that is asked for is left out of JSON.
func TestCheckJSONNamesBadFiles(t *testing.T) {
	start(t)
	file(t, "good", "")
	file(t, "bad", "oops\n")
	quiet(t, "up", "good")
	out, _, code := rdomain("check", "--json", "--all")
	var reports []struct {
		ID, Error string
		Problems  []string
	}
	if err := json.Unmarshal([]byte(out), &reports); err != nil || code != 100 || len(reports) != 2 {
		t.Fatalf("check --json --all = %d, %v, %s", code, err, out)
	}
	if reports[0].ID != "bad" || !strings.Contains(reports[0].Error, "bad.conf:1") || reports[1].Error != "" {
		t.Errorf("check --json --all = %s", out)
	}
	quiet(t, "down", "good")
}

func TestIdentifyOneself(t *testing.T) {
	start(t)
	file(t, "a", "")
	quiet(t, "up", "a")
	says(t, 0, "a\n", "", "exec", "a", bin, "identify")
	says(t, 0, "", "", "identify")
	quiet(t, "down", "a")
}

// What could not be written was said to be done.
func TestFullOutputIsAnError(t *testing.T) {
	start(t)
	file(t, "a", "[Link br0]\nKind=bridge\n")
	for _, args := range [][]string{{"up", "-n", "a"}, {"check", "a"}, {"check", "--json", "a"}, {"list"}, {"list", "--json"}, {"ps", "--json"}, {"--help"}, {"--version"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bin, args...)
		cmd.Stdout = full
		var said strings.Builder
		cmd.Stderr = &said
		_ = cmd.Run()
		full.Close()
		if code := cmd.ProcessState.ExitCode(); code != 111 || !strings.Contains(said.String(), "no space left on device") {
			t.Errorf("rdomain %s >/dev/full = %d, %q", args, code, said.String())
		}
	}
}

// asNobody runs rdomain as an ordinary user.
func asNobody(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	// The test's own program is where only root looks.
	sandbox.Sh(t, `mkdir /run/all; cp /proc/$PPID/exe /run/all/rdomain; chmod 755 /run/all/rdomain`)
	defer sandbox.Sh(t, `rm -r /run/all`)
	cmd := exec.Command("/run/all/rdomain", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	said, _ := cmd.CombinedOutput()
	return string(said), cmd.ProcessState.ExitCode()
}

// Who is not root is told so in one line, and sees what files say.
func TestNotRoot(t *testing.T) {
	start(t)
	file(t, "a", "[Domain]\nDescription=the first\n")
	quiet(t, "up", "a")
	for _, args := range []string{"up a", "up -n a", "down a", "reload a", "check a"} {
		out, code := asNobody(t, strings.Fields(args)...)
		if want := "rdomain: fatal: this needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN)\n"; out != want || code != 100 {
			t.Errorf("rdomain %s as nobody = %d, %q; want 100, %q", args, code, out, want)
		}
	}
	for _, args := range []string{"ps", "identify", "identify 1"} {
		out, code := asNobody(t, strings.Fields(args)...)
		if !strings.HasSuffix(out, "\nrdomain: hint: root sees all\n") || strings.Count(out, "rdomain: ") != 2 || code != 111 {
			t.Errorf("rdomain %s as nobody = %d, %q; want 111 and who sees all", args, code, out)
		}
	}
	// What only root can read is no error of the file.
	sandbox.Sh(t, `mkdir -m 700 /etc/wireguard; touch /etc/wireguard/w; chmod 600 /etc/wireguard/w`)
	defer sandbox.Sh(t, `rm -r /etc/wireguard`)
	file(t, "b", "[Link w]\nKind=wireguard\nConfigFile=/etc/wireguard/w\n")
	file(t, "c", "[Link w]\nKind=wireguard\nPrivateKeyFile=/etc/wireguard/w\n")
	want := "ID  KIND   STATE    TABLE  LINKS  DESCRIPTION\n" +
		"a   netns  unknown  -      -      the first (only root can look inside)\n" +
		"b   netns  unknown  -      -      (only root can look inside)\n" +
		"c   netns  unknown  -      -      (only root can look inside)\n"
	if out, code := asNobody(t, "list"); out != want || code != 0 {
		t.Errorf("rdomain list as nobody = %d, %q; want %q", code, out, want)
	}
	quiet(t, "down", "a")
}

// Names of processes and links are chosen by others.
func TestNothingReachesTheTerminal(t *testing.T) {
	start(t)
	file(t, "a", "")
	quiet(t, "up", "a")
	sandbox.Sh(t, `ip -n a link add "$(printf 'x\033[2J')" type bridge
		mkfifo /run/wait; exec 9<>/run/wait
		ip netns exec a sh -c 'printf "\033]0;x\007\nrow\342\200\256" >/proc/self/comm; echo >/run/ready; read x' <&9 >/dev/null 2>&1 & echo $! >/run/pid
		until test -e /run/ready; do :; done`)
	for _, args := range [][]string{{"ps"}, {"list"}, {"check", "a"}, {"down", "a"}} {
		out, stderr, _ := rdomain(args...)
		for _, text := range []string{out, stderr} {
			if strings.ContainsAny(text, "\033\007") || strings.Contains(text, "\nrow") {
				t.Errorf("rdomain %s prints %q", args, text)
			}
		}
		if args[0] == "ps" && !strings.Contains(out, `\x1b]0;x\x07\x0arow\u202e`) {
			t.Errorf("ps prints %q", out)
		}
	}
	sandbox.Sh(t, `kill $(cat /run/pid); while test -e /proc/$(cat /run/pid)/ns/net; do :; done; rm /run/ready /run/pid /run/wait`)
	quiet(t, "down", "a") // nothing outlives it any more
}

// Every user can hold iproute2's lock on /run/netns, and could stop rdomain with it.
func TestLocksOfOthers(t *testing.T) {
	start(t)
	file(t, "a", "[Link br0]\nKind=bridge\n")
	quiet(t, "up", "a")
	hold := func(path string) (pid string, release func()) {
		cmd := exec.Command("flock", "-x", "-o", path, "sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sandbox.Sh(t, `while flock -n `+path+` true; do :; done`)
		return fmt.Sprint(cmd.Process.Pid), sync.OnceFunc(func() {
			sandbox.Sh(t, fmt.Sprintf(`kill $(cat /proc/%d/task/*/children) || true`, cmd.Process.Pid))
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	pid, release := hold("/run/netns")
	defer release()
	quiet(t, "down", "a")
	quiet(t, "up", "a")
	// It is needed for what somebody may just be making, and is said to be held.
	sandbox.Sh(t, `: >/run/netns/young`)
	_, stderr, code := rdomain("up", "young")
	if code != 111 || !strings.Contains(stderr, "lock /run/netns: lock is held for 10 s by process "+pid+" (flock)") {
		t.Errorf("up while the lock is held = %d, %q", code, stderr)
	}
	release()
	sandbox.Sh(t, `rm -f /run/netns/young`)
	// That of another rdomain is spoken of.
	pid, release = hold("/run/rdomain/a.lock")
	defer release()
	cmd := exec.Command(bin, "down", "a")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(said).ReadString('\n')
	release()
	if err := cmd.Wait(); err != nil || !strings.HasPrefix(line, "rdomain: note: waiting for the lock /run/rdomain/a.lock, which process "+pid) {
		t.Errorf("down while another holds the lock: %v, %q", err, line)
	}
}

// A namespace that no domain can be called as was in no list, and nobody said so.
func TestOthersAreSaid(t *testing.T) {
	start(t)
	sandbox.Sh(t, `for n in 'a b' 'x;id' "$(printf 'e\033[31m')"; do ip netns add "$n"; done`)
	t.Cleanup(func() { sandbox.Sh(t, `cd /run/netns; umount 'a b' 'x;id' e*; rm *`) })
	const want = `rdomain: note: not listed is what is in /run/netns by a name that no domain can have: "a b" "e\x1b[31m" "x;id"` + "\n"
	says(t, 0, "ID  KIND  STATE  TABLE  LINKS\n", want, "list")
	sandbox.Sh(t, `for n in 1 2 3 4; do touch "/run/netns/z $n"; done`)
	if _, said, _ := rdomain("list", "--json"); !strings.HasSuffix(said, `"x;id" "z 1" "z 2" and 2 more`+"\n") {
		t.Errorf("of seven it says %q", said)
	}
}
