package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/test/sandbox"
)

const tried = "[Domain]\nKind=netns\n[Link v0]\nKind=veth\nPeer=v-tried\nAddress=10.7.0.2/24\n"

// trying runs rdomain with --try, and waits until it says that it is on trial.
func trying(t *testing.T, args ...string) (cmd *exec.Cmd, said io.ReadCloser) {
	t.Helper()
	cmd = exec.Command(bin, args...)
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for !strings.HasSuffix(text.String(), "\n") {
		b := make([]byte, 1)
		if _, err := said.Read(b); err != nil {
			t.Fatalf("%v; it said %q", err, text.String())
		}
		text.Write(b)
	}
	if !strings.Contains(text.String(), "rdomain confirm a") {
		t.Fatalf("it says %q", text.String())
	}
	return cmd, said
}

// interrupt ends a trial as a terminal that is lost does, and waits until it is taken back.
func interrupt(cmd *exec.Cmd, said io.Closer) {
	said.Close()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
}

// addresses are those of the link of the domain a, "" without it.
func addresses() string {
	out, _ := exec.Command("ip", "-n", "a", "-4", "-o", "address", "show", "dev", "v0").Output()
	var list []string
	for line := range strings.Lines(string(out)) {
		list = append(list, strings.Fields(line)[3])
	}
	return strings.Join(list, " ")
}

// TestTry: a change that nobody confirms is taken back in full, whatever happens to the
// terminal and to the connection; one that is confirmed stays.
func TestTry(t *testing.T) {
	start(t)
	file(t, "a", strings.Replace(tried, "[Domain]\n", "[Domain]\nRequires=b\n", 1))
	file(t, "b", "[Domain]\nKind=netns\n")
	before := snapshot(t)
	back := func(what string) {
		t.Helper()
		if after := snapshot(t); after != before {
			t.Errorf("%s: it is\n%s\nand was\n%s", what, after, before)
		}
	}
	says(t, 111, "", "rdomain: note: it is taken back in 1 s; to keep it, press Enter here or call rdomain confirm a\n"+
		"rdomain: fatal: taken back: nobody confirmed it within 1s\n", "up", "--try", "1", "a")
	back("up that nobody confirmed, with what it requires")

	cmd, _ := trying(t, "up", "--try", "1000", "a")
	says(t, 100, "", "rdomain: fatal: a: a change is on trial already\nrdomain: hint: rdomain confirm a keeps it\n", "reload", "--try=9", "a")
	cmd.Process.Signal(unix.SIGTERM)
	cmd.Wait()
	back("up that was told to end")

	cmd, _ = trying(t, "up", "--try", "1000", "a")
	quiet(t, "confirm", "a")
	if err := cmd.Wait(); err != nil || addresses() != "10.7.0.2/24" {
		t.Fatalf("confirmed: %v, addresses %q", err, addresses())
	}
	says(t, 100, "", "rdomain: fatal: a: no change is on trial\n", "confirm", "a")

	// The change cuts the connection: its terminal is gone, and nobody reads what is said.
	before = snapshot(t)
	file(t, "a", strings.ReplaceAll(tried, "10.7.0.2/24", "10.8.0.2/24")+"[Route]\nDestination=default\nGateway=10.8.0.1\n")
	cmd, said := trying(t, "reload", "--try", "1", "a")
	if got := addresses(); got != "10.8.0.2/24" {
		t.Errorf("on trial: addresses %q", got)
	}
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
		cmd.Process.Signal(s)
	}
	said.Close()
	cmd.Wait()
	file(t, "a", strings.Replace(tried, "[Domain]\n", "[Domain]\nRequires=b\n", 1))
	back("reload whose terminal is gone")

	// A reload that fails is taken back at once.
	before = snapshot(t)
	file(t, "a", strings.ReplaceAll(tried, "Kind=veth\nPeer=v-tried", "Kind=vlan\nId=7\nParent=none"))
	if out, err, code := rdomain("reload", "--try", "1000", "a"); code == 0 {
		t.Errorf("a reload that fails = %d, %q, %q", code, out, err)
	}
	file(t, "a", strings.Replace(tried, "[Domain]\n", "[Domain]\nRequires=b\n", 1))
	back("reload that fails")
	quiet(t, "down", "a", "b")
	for _, args := range [][]string{{"--try"}, {"--try", "x"}, {"--try", "0", "a"}, {"-n", "--try", "1", "a"}} {
		if out, err, code := rdomain(append([]string{"up"}, args...)...); code != 100 {
			t.Errorf("up %v = %d, %q, %q; want 100", args, code, out, err)
		}
	}
	sandbox.Sh(t, "test -z \"$(ls /run/rdomain | grep -e try -e was)\"")
}

// TestConfirmHolds: what confirm has said to be kept stays. A confirm of one domain of two, or
// while the change was being taken back, was undone.
func TestConfirmHolds(t *testing.T) {
	start(t)
	file(t, "a", tried)
	file(t, "b", "[Domain]\nKind=netns\n[Link v1]\nKind=veth\nPeer=v-tried1\n")
	cmd, _ := trying(t, "up", "--try", "1000", "a", "b")
	quiet(t, "confirm", "a")
	cmd.Process.Signal(unix.SIGTERM)
	cmd.Wait()
	if addresses() != "10.7.0.2/24" {
		t.Error("a was confirmed, and is gone")
	}
	if _, err := os.Stat("/run/netns/b"); err == nil {
		t.Error("b was not confirmed, and stays")
	}
	quiet(t, "down", "a")

	cmd, _ = trying(t, "up", "--try", "1", "a")
	lock, err := os.Open("/run/rdomain/a.lock") // so that taking it back waits
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	for said := ""; !strings.Contains(said, "a.lock"); {
		out, _ := exec.Command("sh", "-c", "grep -s . /proc/locks; ls -l /proc/"+strconv.Itoa(cmd.Process.Pid)+"/fd").Output()
		said = string(out)
	}
	_, _, code := rdomain("confirm", "a")
	lock.Close()
	err = cmd.Wait()
	if kept := addresses() != ""; kept != (code == 0) || kept != (err == nil) {
		t.Errorf("while it is taken back, confirm = %d, try = %v, and addresses are %q", code, err, addresses())
	}
}

// TestTryIsNotAlone: what others do while a trial waits is not taken back with it, and nobody
// says of a change that it is kept if another trial takes it back.
func TestTryIsNotAlone(t *testing.T) {
	start(t)
	needs := func(name, address string, required ...string) {
		text := "[Domain]\nKind=netns\n"
		for _, r := range required {
			text += "Requires=" + r + "\n"
		}
		file(t, name, text+"[Link v-"+name+"]\nKind=veth\nPeer=p-"+name+"\nAddress="+address+"\n")
	}
	at := func(name string) string {
		out, _ := exec.Command("ip", "-n", name, "-4", "-o", "address", "show", "dev", "v-"+name).Output()
		return strings.Join(strings.Fields(string(out)), " ")
	}
	ended := func(cmd *exec.Cmd) {
		t.Helper()
		cmd.Process.Signal(unix.SIGTERM)
		if cmd.Wait(); cmd.ProcessState.ExitCode() != 111 {
			t.Fatalf("it was told to end, and ends with %v", cmd.ProcessState)
		}
	}
	needs("b", "10.2.0.2/24")
	needs("a", "10.1.0.2/24", "b")
	quiet(t, "up", "a")

	// A domain that one on trial requires is on no other trial, and is changed by hand.
	needs("a", "10.1.0.3/24", "b")
	cmd, _ := trying(t, "reload", "--try", "1000", "a")
	needs("b", "10.2.0.9/24")
	says(t, 100, "", "rdomain: fatal: a: a change is on trial already, and it requires b\nrdomain: hint: rdomain confirm a keeps it\n", "reload", "--try", "9", "b")
	quiet(t, "reload", "b")
	ended(cmd)
	if a, b := at("a"), at("b"); !strings.Contains(a, "10.1.0.2/24") || !strings.Contains(b, "10.2.0.9/24") {
		t.Errorf("a is taken back, and b, which somebody else reloaded, stays; but they have\n%s\n%s", a, b)
	}
	cmd, _ = trying(t, "reload", "--try", "1000", "a")
	ended(cmd)

	// One that is brought down by hand is not brought up again.
	cmd, _ = trying(t, "reload", "--try", "1000", "a")
	quiet(t, "down", "a")
	ended(cmd)
	if _, err := os.Stat("/run/netns/a"); err == nil {
		t.Error("a was brought down while it was on trial, and is up again")
	}
	quiet(t, "down", "b")

	// What another requires stays up.
	needs("c", "10.3.0.2/24", "b")
	cmd, _ = trying(t, "up", "--try", "1000", "a")
	quiet(t, "up", "c")
	ended(cmd)
	if a, b, c := at("a"), at("b"), at("c"); a != "" || b == "" || c == "" {
		t.Errorf("c, which was brought up beside the trial of a, requires b; but they have\n%s\n%s\n%s", a, b, c)
	}
	quiet(t, "down", "c", "b")

	// What a domain that was up has come to require goes again, unless it was there.
	needs("a", "10.1.0.2/24", "b")
	quiet(t, "up", "a")
	needs("a", "10.1.0.3/24", "b", "d")
	needs("d", "10.4.0.2/24")
	cmd, _ = trying(t, "reload", "--try", "1000", "a")
	ended(cmd)
	if a, b, d := at("a"), at("b"), at("d"); !strings.Contains(a, "10.1.0.2/24") || b == "" || d != "" {
		t.Errorf("a came to require d, and was taken back; but they have\n%s\n%s\n%s", a, b, d)
	}
	quiet(t, "down", "a", "b")
}

// TestTryIsNotTypedAhead: what was typed before the change was made does not keep it.
func TestTryIsNotTypedAhead(t *testing.T) {
	start(t)
	file(t, "a", tried)
	for _, ahead := range []bool{true, false} {
		master, slave := terminal(t)
		seconds := "1000"
		if ahead {
			seconds = "1"
			master.WriteString("ping 10.7.0.1\n")
		}
		cmd := exec.Command(bin, "up", "--try", seconds, "a")
		cmd.Stdin, cmd.SysProcAttr = slave, &syscall.SysProcAttr{Setsid: true, Setctty: true}
		said, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || !strings.Contains(line, "press Enter") {
			t.Fatalf("it says %q, %v", line, err)
		}
		if !ahead {
			master.WriteString("\n")
		}
		if cmd.Wait(); ahead == cmd.ProcessState.Success() || ahead == (addresses() != "") {
			t.Errorf("Enter before it was asked for: %v; it ends with %v, and there is %q", ahead, cmd.ProcessState, addresses())
		}
	}
	quiet(t, "down", "a")
}

// Where an up was killed, nothing could be taken back; the hint said that an older rdomain was
// the cause.
func TestTryAfterAKill(t *testing.T) {
	start(t)
	file(t, "a", "[Domain]\nKind=netns\n")
	quiet(t, "up", "a")
	sandbox.Sh(t, "rm /run/rdomain/a.was") // as it is while an up works
	says(t, 100, "", "rdomain: fatal: a: what its file said when it was brought up is not known, so nothing could be taken back\n"+
		"rdomain: hint: an older rdomain brought it up, or one that was killed meanwhile; rdomain reload a, without --try, with the file as it was\n",
		"reload", "--try", "1000", "a")
	sandbox.Sh(t, "test ! -e /run/rdomain/a.try")
	quiet(t, "reload", "a")
	quiet(t, "down", "a")
}
