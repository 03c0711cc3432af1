package openrc

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alpinePatch does to OpenRC's shell files what Alpine's patches do, in the form
// of its 0.49 to 0.62, and reports whether the patch knows namespaces. test/sweep
// has made the other forms before.
func alpinePatch(b *bed) bool {
	if run := b.sh("openrc-run.sh"); strings.Contains(run, "RC_VRF_EXEC") {
		return strings.Contains(run, "netns exec")
	}
	supervisors := regexp.MustCompile(`(?m)^# load service supervisor`)
	b.file("lib/rc/sh/openrc-run.sh", 0o755, supervisors.ReplaceAllString(b.sh("openrc-run.sh"), `RC_VRF_EXEC=
[ -z "$$vrf" ] || RC_VRF_EXEC="/sbin/ip vrf exec $$vrf"
[ -z "$$netns" ] || RC_VRF_EXEC="/sbin/ip netns exec $$netns $$RC_VRF_EXEC"
$0`))
	for _, name := range []string{"start-stop-daemon", "supervise-daemon"} {
		b.file("lib/rc/sh/"+name+".sh", 0o644, replaced(b.sh(name+".sh"), "eval "+name, "eval ${RC_VRF_EXEC} "+name))
	}
	return true
}

// patched is what reads conf.d, with the patch behind it.
var patched = regexp.MustCompile(`(?s)_conf_d=\$\{RC_SERVICE.*?unset _conf_d\n.*?\nRC_VRF_EXEC=.*?(\n[^\n]*RC_VRF_EXEC=[^\n]*)+\n`)

// TestBesideAlpine starts services on an OpenRC with Alpine's patch, which puts
// what start-stop-daemon and supervise-daemon start into the domain by ip(8): with
// rdgen there is one who enters, and that is the hook or the line. A busybox ip
// cannot do what the patch asks of it.
func TestBesideAlpine(t *testing.T) {
	inside := []string{"decl started in t1", "super started in t1", "plain started in t1", "ip entered 0 times"}
	hook, line := func(b *bed) { b.hook(); b.rdexec() }, func(b *bed) { b.line(); b.rdexec() }
	stopped := []string{"decl stopped in none", "super stopped in none", "plain stopped in none", "ip entered 0 times"}
	for _, row := range []struct {
		name    string
		install func(b *bed)
		before  string
		want    []string
		alter   func(text string) string
	}{
		{"the hook", hook, "", inside, nil},
		{"the hook, another function reads the files", hook, "", inside, renamed},
		{"the hook, all files by dot", hook, "", inside, byDot},
		{"the hook, conf.d after the script", hook, "", inside, func(text string) string {
			if !patched.MatchString(text) { // of another release, in test/sweep
				return renamed(text)
			}
			rest, conf := removed(text, patched)
			return renamed(replaced(rest, readScript, readScript+conf))
		}},
		{"the line, another function reads the files", line, "", inside, renamed},
		{"the line", line, "", inside, nil},
		{"both", func(b *bed) { b.hook(); b.line(); b.rdexec() }, "", inside, nil},
		{"the hook, busybox's ip", hook, "printf '#!/bin/sh\\nexit 1\\n' >/sbin/ip\n", inside, nil},
		{"nothing of rdgen", func(*bed) {}, "", nil, nil},
		{"the file in rc.conf.d that was left", func(b *bed) { b.file(ConfPath, 0o644, string(confFile)) }, "", stopped, nil},
		{"the line without rdgen", func(b *bed) { b.line() }, "rm " + HookPath + "\n", stopped, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBed(t)
			namespaces := alpinePatch(b)
			row.install(b)
			if row.alter != nil {
				path := filepath.Join(b.stage, "lib/rc/sh/openrc-run.sh")
				text, err := os.ReadFile(path)
				if err != nil {
					text = []byte(b.sh("openrc-run.sh")) // which has the patch
				}
				b.file("lib/rc/sh/openrc-run.sh", 0o755, row.alter(string(text)))
			}
			b.conf("netns=t1\n", "decl", "super", "plain")
			want := append([]string{"none started in default"}, row.want...)
			switch {
			case row.want == nil && namespaces:
				want = append(want, "decl started in t1", "super started in t1", "plain started in default", "ip entered 2 times")
			case row.want == nil:
				want = append(want, "decl started in default", "super started in default", "plain started in default", "ip entered 0 times")
			}
			b.want(b.run(`ip netns add t1
cp "$(readlink -f "$(command -v ip)")" /run/ip; : >/run/ip.log; rm -f /bin/ip /sbin/ip /usr/bin/ip /usr/sbin/ip
printf '#!/bin/sh\necho "$*" >>/run/ip.log\nexec /run/ip "$@"\n' >/sbin/ip; chmod +x /sbin/ip
`+row.before+`for s in none decl super plain; do rc-service $s start </dev/null >/tmp/rc.log 2>&1; done
for s in none decl super plain; do state $s; done
echo "ip entered $(grep -c exec /run/ip.log) times"
`), want...)
		})
	}
}
