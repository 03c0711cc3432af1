package openrc

import (
	"regexp"
	"strings"
	"testing"
)

// TestServicesCutShort has an empty file, and a part of one, where a full disk or a power
// cut has left them: no service that names a domain starts outside, and it is said why.
func TestServicesCutShort(t *testing.T) {
	// but is the text without its last lines.
	but := func(text []byte, last int) string {
		all := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
		return strings.Join(all[:len(all)-last], "")
	}
	comment, _, _ := strings.Cut(string(hookFile), "\n[")
	for _, c := range []struct {
		name, path, text, said string
		line                   bool
	}{
		{"hook, empty", HookPath, "", "openrc.sh is missing or not whole", false},
		{"hook, its comment", HookPath, comment, "openrc.sh is missing or not whole", false},
		{"hook, except the end", HookPath, but(hookFile, 2), "openrc.sh is missing or not whole", false},
		{"hook, in a function", HookPath, string(hookFile[:4096]), "openrc.sh", false},
		{"line, empty", HookPath, "", "openrc.sh is not whole", true},
		{"line, in a function", HookPath, string(hookFile[:4096]), "openrc.sh", true},
		{"enter, empty", EnterPath, "", "openrc-enter.sh is not whole", false},
		{"enter, in a function", EnterPath, string(enterFile[:1024]), "openrc-enter.sh", false},
		{"enter, except the end", EnterPath, but(enterFile, 2), "openrc-enter.sh is not whole", false},
		{"enter, empty, line", EnterPath, "", "openrc-enter.sh is not whole", true},
		{"rdexec, empty", "/usr/sbin/rdexec", "", "rdexec is not executable", false},
		{"rdexec, empty, line", "/usr/sbin/rdexec", "", "rdexec is not executable", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			if c.line {
				b.line()
			} else {
				b.hook()
			}
			b.rdexec()
			b.file(c.path, 0o755, c.text)
			b.conf("netns=t1\n", "decl", "super", "plain")
			got := b.run("ip netns add t1\nrc decl start; said " + strings.ReplaceAll(c.said, " ", ".") + "; rc super start; rc plain start\n" +
				"state decl; state super; state plain; daemons 0\n")
			got = regexp.MustCompile(`start = [1-9]\d*`).ReplaceAllString(got, "start fails")
			b.want(got, "decl start fails", "said "+strings.ReplaceAll(c.said, " ", "."), "super start fails", "plain start fails",
				"decl stopped in none", "super stopped in none", "plain stopped in none", "0 daemons")
		})
	}
	t.Run("stop and supervise, empty", func(t *testing.T) {
		b := newBed(t)
		b.hook()
		b.rdexec()
		b.file(StopPath, 0o644, "")
		b.file(SupervisePath, 0o644, "")
		b.conf("netns=t1\n", "decl")
		b.conf("netns=t1\nsupervisor=runit\n", "none")
		b.want(b.run("ip netns add t1\nrc decl start; running decl; rc decl stop; said "+StopPath+".is.not.whole; state decl\n"+
			"rc none start; said "+SupervisePath+".is.not.whole; state none\n"),
			"decl start = 0", "decl stop = 1", "said "+StopPath+".is.not.whole", "decl started in t1",
			"none start = 1", "said "+SupervisePath+".is.not.whole", "none stopped in none")
	})
}
