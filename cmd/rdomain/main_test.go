package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rdgen/runtime/netns"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
	"rdgen/test/sandbox"
)

// bin is where the sandbox has this test binary under the name of rdomain; as
// such it is rdomain.
const bin = "/run/bin/rdomain"

func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "rdomain":
		os.Exit(run(os.Stdout, os.Stderr, os.Args[1:]))
	case "sudo", "doas", "pkexec":
		os.Exit(standIn(name, os.Args[1:]))
	}
	sandbox.Main(m)
}

// start gives a test an empty /etc/rdomain and rdomain on PATH, and sees to it
// that the test leaves nothing.
func start(t *testing.T) {
	t.Helper()
	sandbox.Need(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, bin); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(bin)+":"+os.Getenv("PATH"))
	before := snapshot(t)
	t.Cleanup(func() {
		files, _ := filepath.Glob("/etc/rdomain/*")
		for _, f := range files {
			os.RemoveAll(f)
		}
		if after := snapshot(t); !t.Failed() && after != before {
			t.Errorf("the test leaves\n%s\nwhere it found\n%s", after, before)
		}
	})
}

// file writes /etc/rdomain/ID.conf.
func file(t *testing.T, id, text string) {
	t.Helper()
	if err := os.WriteFile("/etc/rdomain/"+id+".conf", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rdomain runs rdomain as a process and returns what it says.
func rdomain(args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run()
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// quiet runs rdomain, which must succeed in silence.
func quiet(t *testing.T, args ...string) {
	t.Helper()
	if out, err, code := rdomain(args...); code != 0 || out != "" || err != "" {
		t.Fatalf("rdomain %s = %d, %q, %q; want 0 in silence", strings.Join(args, " "), code, out, err)
	}
}

// upEmpty brings a namespace up that has no file.
func upEmpty(t *testing.T, id string) {
	t.Helper()
	says(t, 0, "", "rdomain: note: "+id+": making an empty namespace: there is no /etc/rdomain/"+id+".conf\n", "up", id)
}

// says runs rdomain and holds what it prints and its exit code against wanted.
func says(t *testing.T, wantCode int, wantOut, wantErr string, args ...string) {
	t.Helper()
	out, err, code := rdomain(args...)
	if code != wantCode || out != wantOut || err != wantErr {
		t.Errorf("rdomain %s = %d\nstdout %q\nstderr %q\nwant %d\nstdout %q\nstderr %q",
			strings.Join(args, " "), code, out, err, wantCode, wantOut, wantErr)
	}
}

var numbers = regexp.MustCompile(`"(index|peer_index|ino|dev|cookie)":\d+`)

// snapshot is all that rdomain can change, as text without what differs from
// run to run: the namespaces with their links, addresses, routes and rules, the
// files below /run, and the mounts.
func snapshot(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	names, err := netns.Names()
	if err != nil {
		t.Fatal(err)
	}
	describe(t, &b, "home", nil)
	for _, n := range names {
		ns, err := netns.Open(n)
		if err != nil {
			fmt.Fprintf(&b, "netns %s: %v\n", n, err)
			continue
		}
		describe(t, &b, n.String(), ns)
		ns.Close()
	}
	if _, err := os.Stat("/etc/rdomain/k.nft"); err == nil {
		b.WriteString(sandbox.Sh(t, `[ ! -e /run/netns/k ] || ip netns exec k nft -s list ruleset || true`))
	}
	if text, _ := os.ReadFile("/etc/rdomain/k.conf"); bytes.Contains(text, []byte("Masquerade=")) {
		b.WriteString(sandbox.Sh(t, `nft list ruleset; cd /proc/sys/net; grep . ipv4/ip_forward ipv6/conf/all/forwarding`))
	}
	for _, dir := range []string{"/run/netns", "/run/rdomain", "/sys/fs/bpf/rdomain", "/etc/netns"} {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				text, _ := os.ReadFile(path)
				if strings.HasSuffix(path, ".json") {
					text = sorted(numbers.ReplaceAll(text, []byte(`"$1":0`)))
				}
				fmt.Fprintf(&b, "file %s %s\n", path, text)
			}
			return nil
		})
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, " /run/netns/") {
			b.WriteString("mount " + line)
		}
	}
	return b.String()
}

// sorted returns a record with its list in an order of its own: what is repaired is recorded last.
func sorted(text []byte) []byte {
	var r record.Record
	if json.Unmarshal(text, &r) != nil {
		return text
	}
	slices.SortFunc(r.Entries, func(a, b record.Entry) int {
		return cmp.Compare(fmt.Sprint(a.Object.Key()), fmt.Sprint(b.Object.Key()))
	})
	text, _ = json.Marshal(r)
	return text
}

// describe writes what is in one namespace; ns is nil for the test's own.
func describe(t testing.TB, b *strings.Builder, name string, ns *netns.NS) {
	t.Helper()
	var c *rtnl.Conn
	open := func() (err error) {
		c, err = rtnl.Open()
		return err
	}
	var err error
	if ns == nil {
		err = open()
	} else {
		err = ns.Inside(open)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	links, err := c.Links("")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	byIndex := map[int]string{0: "-"}
	for _, l := range links {
		byIndex[l.Index] = l.Name
		lines = append(lines, fmt.Sprintf("%s: link %s kind %q up %v mtu %d", name, l.Name, l.Kind, l.Up, l.MTU))
		addresses, err := c.Addresses(l.Index)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addresses {
			if !a.Own {
				a.Label = ""
				lines = append(lines, fmt.Sprintf("%s: %s %+v", name, l.Name, a.Address))
			}
		}
	}
	for _, table := range []uint32{254, 7, 255} {
		routes, err := c.Routes(table, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range routes {
			if !r.Destination.Addr().IsLinkLocalUnicast() {
				line := fmt.Sprintf("%s: route %+v dev %s", name, r.Route, byIndex[r.Index])
				for _, h := range r.Many {
					line += fmt.Sprintf(" hop %s@%s %d", h.Gateway, byIndex[h.Index], h.Weight)
				}
				lines = append(lines, line)
			}
		}
	}
	for _, v6 := range []bool{false, true} {
		rules, err := c.Rules(v6)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			lines = append(lines, fmt.Sprintf("%s: rule %+v", name, r))
		}
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, "\n") + "\n")
}
