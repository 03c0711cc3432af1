package openrc

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rdgen/runtime/domain"
	"rdgen/test/need"
)

// bed is a machine with OpenRC for one scenario: what is in stage lies over its
// root. The OpenRC is a Debian one, unpacked and not installed:
//
//	apt-get download openrc librc1 libeinfo1
//	for deb in *.deb; do dpkg-deb -x "$deb" DIR; done; export RDGEN_OPENRC_ROOT=DIR
type bed struct {
	t                  *testing.T
	openrc, stage, out string
	// setup is run before each scenario.
	setup string
}

// sh returns one of the OpenRC's own shell files.
func (b *bed) sh(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.openrc, "lib/rc/sh", name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func newBed(t *testing.T) *bed {
	t.Helper()
	t.Parallel()
	need.Uid0(t)
	if !wholeRoot() {
		need.Missing(t, need.OpenRC, "an overlay of / takes the machine's root")
	}
	need.Tools(t, need.OpenRC, "ip", "tar", "start-stop-daemon")
	b := &bed{t: t, openrc: os.Getenv("RDGEN_OPENRC_ROOT"), stage: t.TempDir(), out: t.TempDir()}
	if _, err := os.Stat(filepath.Join(b.openrc, "sbin/openrc-run")); b.openrc == "" || err != nil {
		need.Missing(t, need.OpenRC, "RDGEN_OPENRC_ROOT names no folder with an unpacked OpenRC")
	}
	for _, dir := range []string{b.stage, b.out} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.file("etc/init.d/rdomain", 0o755, string(rdomainScript))
	for name, text := range services {
		b.file("etc/init.d/"+name, 0o755, text)
	}
	if sh := os.Getenv("RDGEN_OPENRC_SHELL"); sh != "" { // of test/sweep
		need.Tools(t, need.Sh, sh)
		b.setup = "ln -sf " + sh + " /bin/sh\n"
	}
	return b
}

func (b *bed) file(path string, mode os.FileMode, text string) {
	b.t.Helper()
	path = filepath.Join(b.stage, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		b.t.Fatal(err)
	}
}

// hook installs what rdgen ships for every service.
func (b *bed) hook() {
	b.file(ConfPath, 0o644, string(confFile))
	b.parts()
}

func (b *bed) parts() {
	for path, text := range hookParts() {
		b.file(path, 0o644, string(text))
	}
}

// line adds the line to the scripts of the test's services.
func (b *bed) line() {
	b.parts()
	for name, text := range services {
		s := &Script{Path: name, Source: []byte(text)}
		b.file("etc/init.d/"+name, 0o755, string(s.WithLine()))
	}
}

// rdexec installs the real one.
func (b *bed) rdexec() {
	b.t.Helper()
	program, err := need.Program("cmd/rdexec")
	if err != nil {
		b.t.Fatal(err)
	}
	if out, err := exec.Command("install", "-D", program, filepath.Join(b.stage, "usr/sbin/rdexec")).CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
}

// prelude is what scenarios have in common. where prints the namespace of a
// process, state whether a service is started and its daemon's namespace, daemons
// the number of daemons. What is awaited comes in any case: a busy machine is slow to ask,
// too. The limit is for what is broken, and ends the scenario.
const prelude = `
PATH=/usr/sbin:/usr/bin:/sbin:/bin
where()
{
	[ -n "$1" ] && [ -e "/proc/$1" ] || { echo none; return; }
	for ns in /run/netns/*; do
		[ ! "$ns" -ef "/proc/$1/ns/net" ] || { echo "${ns##*/}"; return; }
	done
	if [ /proc/1/ns/net -ef "/proc/$1/ns/net" ]; then echo default; else echo unknown; fi
}
await()
{
	i=0
	until "$@"; do
		[ $i -lt 600 ] || { echo "waited, and it did not come: $*"; exit 1; }
		i=$((i + 1))
		sleep 0.1
	done
}
sleeps() { [ "$(cat "/proc/$(cat "/run/$1.pid")/comm")" = sleep ]; } 2>/dev/null
gone() { [ ! -e "/proc/$1" ]; }
# running waits until the daemon is its own program, as stop asks: start-stop-daemon returns
# before that, and before it has written the pid.
running() { await sleeps "$1"; }
written() { await [ -s "/run/$1.pid" ]; }
state()
{
	if rc-service "$1" status >/dev/null 2>&1; then up=started; else up=stopped; fi
	[ $up = stopped ] || running "$1"
	pid=
	if [ -e "/run/$1.pid" ]; then read -r pid <"/run/$1.pid"; fi
	# Debian's start-stop-daemon sends a signal, and leaves the file.
	[ -z "$pid" ] || [ $up = started ] || await gone "$pid"
	echo "$1 $up in $(where "$pid")"
}
count()
{
	n=0
	for stat in /proc/[0-9]*/stat; do # those that have ended may wait for pid 1
		{ read -r stat <"$stat"; } 2>/dev/null || continue
		case "$stat" in *"(sleep) "[!ZX]*) n=$((n + 1)) ;; esac
	done
	[ $n = "$1" ]
}
# daemons N waits until there are as many: one is a shell first, and one that was
# stopped may not have ended.
daemons()
{
	await count "$1"
	echo "$n daemons"
}
rc() { rc-service "$@" </dev/null >/tmp/rc.log 2>&1; echo "$* = $?"; }
said() { if grep -q "$1" /tmp/rc.log; then echo "said $1"; else echo "did not say $1:"; cat /tmp/rc.log; fi; }
`

// services are the scripts of the test: a declarative one with hooks and a
// reload, a supervised one, one with its own start(). Each writes down where
// its functions run. Debian's start-stop-daemon would not wait for what it stops, and then
// not start the next, without retry.
var services = map[string]string{
	"decl": `#!/sbin/openrc-run
command=/bin/sleep
command_args=1000
command_background=yes
pidfile=/run/decl.pid
retry=TERM/60
extra_started_commands=reload
here() { echo "$1 $(readlink /proc/self/ns/net) ${RDGEN_ENTERED-clean}" >>/run/decl.where; }
case $0 in */openrc-run.sh) here top ;; esac # and not gendepends.sh
start_pre() { here start_pre; }
reload() { here reload; }
stop_pre() { here stop_pre; }
`,
	"super": `#!/sbin/openrc-run
supervisor=supervise-daemon
command=/bin/sh
command_args="-c 'echo \$\$ >/run/super.pid; exec sleep 1000'"
pidfile=/run/super.supervisor.pid
`,
	"plain": `#!/sbin/openrc-run
start()
{
	ebegin "Starting plain"
	sleep 1000 >/dev/null 2>&1 </dev/null &
	echo $! >/run/plain.pid
	eend 0
}
stop()
{
	read -r pid </run/plain.pid
	kill "$pid"
	rm /run/plain.pid
}
`,
	"none": `#!/sbin/openrc-run
command=/bin/sleep
command_args=1000
command_background=yes
pidfile=/run/none.pid
retry=TERM/60
`,
}

// run runs a scenario in namespaces of its own and returns what it printed.
func (b *bed) run(scenario string) string {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.out, "scenario"), []byte(prelude+b.setup+scenario), 0o644); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command("sh", "testdata/bed.sh", b.openrc, b.stage, b.out)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(filepath.Join(b.out, "log"))
	if err != nil {
		b.t.Fatalf("scenario: %v\n%s%s", err, out, log)
	}
	return string(log)
}

func (b *bed) want(got string, want ...string) {
	b.t.Helper()
	if w := strings.Join(want, "\n") + "\n"; got != w {
		b.t.Errorf("the scenario printed\n%s\nwant\n%s", got, w)
	}
}

func (b *bed) conf(text string, names ...string) {
	for _, name := range names {
		b.file("etc/conf.d/"+name, 0o644, text)
	}
}

// TestServicesEnter starts a service of each kind in a real namespace through
// the real rdexec: by the file in rc.conf.d, by the line, and by both.
func TestServicesEnter(t *testing.T) {
	for _, way := range []string{"hook", "line", "hook and line", "hook, busybox", "line, busybox"} {
		t.Run(way, func(t *testing.T) {
			b := newBed(t)
			b.rdexec()
			setup := ""
			if strings.Contains(way, "busybox") {
				need.Tools(t, need.Sh, "busybox")
				setup = "ln -sf busybox /bin/sh"
			}
			if strings.Contains(way, "hook") {
				b.hook()
			}
			if strings.Contains(way, "line") {
				b.line()
			}
			b.conf("netns=t1\n", "decl", "super", "plain")
			got := b.run(setup + `
ip netns add t1
rc decl start; rc super start; rc plain start; rc none start
written super
state decl; state super; state plain; state none
running decl
if tr '\0' '\n' </proc/$(cat /run/decl.pid)/environ | grep RDGEN; then echo marked; fi
rc decl reload; rc decl restart; running decl; state decl
rc decl stop; case $(cat /tmp/rc.log) in *ERROR*) cat /tmp/rc.log ;; esac
rc super stop; rc plain stop; rc none stop
mv /run/decl.where /run/decl.inside # the state of what is stopped is asked for without a network
state decl; state super; state plain; state none; daemons 0
inside="net:[$(stat -L -c %i /run/netns/t1)] clean"
while read -r func place; do
	[ "$place" = "$inside" ] || echo "$func in $place, not $inside"
done </run/decl.inside
echo $(cut -d ' ' -f 1 /run/decl.inside | sort -u)
`)
			b.want(got,
				"decl start = 0", "super start = 0", "plain start = 0", "none start = 0",
				"decl started in t1", "super started in t1", "plain started in t1", "none started in default",
				"decl reload = 0", "decl restart = 0", "decl started in t1",
				"decl stop = 0", "super stop = 0", "plain stop = 0", "none stop = 0",
				"decl stopped in none", "super stopped in none", "plain stopped in none", "none stopped in none", "0 daemons",
				"reload start_pre stop_pre top")
		})
	}
}

// TestServicesAsked asks what rdgen check says of the OpenRC of the other tests.
func TestServicesAsked(t *testing.T) {
	t.Run("rdgen check", func(t *testing.T) {
		b := newBed(t)
		agrees(t, b, alterations[0], b.sh("openrc-run.sh"))
	})
}

// TestServicesStayStopped tries to make a service leak into the default domain.
func TestServicesStayStopped(t *testing.T) {
	for _, row := range []struct {
		name   string
		break_ func(b *bed)
		conf   string
		setup  string
		said   string
	}{
		{"no rdexec", func(b *bed) { b.hook() }, "netns=t1", "ip netns add t1", "/usr/sbin/rdexec is not executable"},
		{"no rdexec, line", func(b *bed) { b.line() }, "netns=t1", "ip netns add t1", "/usr/sbin/rdexec is not executable"},
		{"rdexec that is no program", func(b *bed) { b.hook(); b.file("usr/sbin/rdexec", 0o755, "\x7fELF") }, "netns=t1",
			"ip netns add t1", "rdexec"},
		{"no hook", func(b *bed) { b.hook(); os.Remove(filepath.Join(b.stage, HookPath)) }, "netns=t1",
			"ip netns add t1", "openrc.sh is missing"},
		{"no hook, line", func(b *bed) { b.line(); os.Remove(filepath.Join(b.stage, HookPath)) }, "netns=t1",
			"ip netns add t1", "openrc.sh"},
		{"no namespace", func(b *bed) { b.hook(); b.rdexec() }, "netns=t1", "", "t1"},
		{"no VRF", func(b *bed) { b.hook(); b.rdexec() }, "vrf=nosuchvrf", "", "nosuchvrf"},
		{"invalid name", func(b *bed) { b.hook(); b.rdexec() }, "netns='a b'", "", "a b"},
		{"path", func(b *bed) { b.hook(); b.rdexec() }, "netns=../netns/t1", "ip netns add t1", "netns name"},
		{"words that are options", func(b *bed) { b.hook(); b.rdexec() }, "netns='-n t1 --'", "ip netns add t1", "netns name"},
		{"another domain each time", func(b *bed) { b.hook(); b.rdexec() },
			"[ -z \"$RDGEN_ENTERED\" ] || netns=\n: ${netns=t1}", "ip netns add t1", "another routing domain each time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBed(t)
			row.break_(b)
			b.conf(row.conf+"\n", "decl", "super", "plain")
			got := b.run(row.setup + `
rc decl start; said "` + row.said + `"; rc super start; rc plain start
state decl; state super; state plain; daemons 0
rc none start; state none
`)
			lines := strings.Split(got, "\n")
			for i, line := range lines {
				if name, code, ok := strings.Cut(line, " start = "); ok && code != "0" && name != "none" {
					lines[i] = name + " start fails"
				}
			}
			b.want(strings.Join(lines, "\n"), "decl start fails", "said "+row.said, "super start fails", "plain start fails",
				"decl stopped in none", "super stopped in none", "plain stopped in none", "0 daemons",
				"none start = 0", "none started in default")
		})
	}
}

// TestServicesSlip starts services whose conf.d was meant to name a domain: none runs
// in the default one. What runs already can be stopped.
func TestServicesSlip(t *testing.T) {
	rows := []struct{ conf, said string }{
		{"netns = t1\nx=1", "netns=t1"}, {"netns: t1\nx=1", " /etc/conf.d/decl:1: this does not set netns"}, {"\ufeffnetns=t1\nx=1", "netns=t1"},
		{"x=1\nNETNS=t1", "decl:2: NETNS= is not read"}, {"(netns=t1)", "netns= stands here"}, {"k=vrf; $k mgmt; :", "has the command vrf"},
		{"if true; then vrf $(echo mgmt); fi\nx=1", "decl:1: this does not set vrf"}, {"netns `echo t1`\nx=1", "decl:1: this does not set netns"},
		{"vrf=mgmt\nnetns+=t1", "netns=t1"}, {"netns\uff1dt1", "netns=t1"}, {"ｎｅｔｎｓ=t1", "netns=t1"}, {"nеtns=t1", "netns=t1"},
	}
	for _, way := range []string{"hook", "line", "hook, busybox"} {
		t.Run(way, func(t *testing.T) {
			b := newBed(t)
			b.rdexec()
			// A conf.d of before the edit, of the same second, is what OpenRC knows.
			b.file("usr/sbin/rdomain", 0o755, "#!/bin/sh\n")
			setup, want := "ip netns add t1\n", []string{"none start = 0"}
			switch way {
			case "hook, busybox":
				need.Tools(t, need.Sh, "busybox")
				setup += "ln -sf busybox /bin/sh\n"
				fallthrough
			case "hook":
				b.hook()
			case "line":
				b.line()
			}
			setup += "mkdir -p /etc/conf.d\nrc none start\n"
			for i, row := range rows {
				if way == "line" && (strings.Contains(row.said, "command") || strings.HasSuffix(row.conf, "t1")) {
					continue // conf.d was read before the line is, or ends in a failure for OpenRC itself
				}
				b.file(fmt.Sprintf("slip%d", i), 0o644, row.conf+"\n")
				setup += fmt.Sprintf("cp /slip%d /etc/conf.d/decl; cp /slip%[1]d /etc/conf.d/plain\nrc plain start; rc decl start; said '%s'\n", i, row.said)
				want = append(want, "plain start = 1", "decl start = 1", "said "+row.said)
			}
			setup += "cp /slip0 /etc/conf.d/none; running none; rc none stop\nrc decl describe; state decl; state plain; state none; daemons 0\n"
			b.want(b.run(setup), append(want, "none stop = 0", "decl describe = 0", "decl stopped in none", "plain stopped in none", "none stopped in none", "0 daemons")...)
		})
	}
}

// TestDomainIsWatched starts a domain whose link OpenRC has not looked at, for it is not older than
// what OpenRC knows: rdomain-watch runs all the same, or it is said that it does not.
func TestDomainIsWatched(t *testing.T) {
	b := newBed(t)
	watch, err := os.ReadFile("files/etc/init.d/rdomain-watch")
	if err != nil {
		t.Fatal(err)
	}
	b.file("etc/init.d/rdomain-watch", 0o755, string(watch))
	b.file("usr/sbin/rdomain", 0o755, "#!/bin/sh\n[ \"$1\" != watch ] || { echo $$ >/run/watch.pid; exec sleep 1000; }\n")
	b.want(b.run(`
rc none start; touch -d '1 hour' /run/openrc/deptree
ln -s rdomain /etc/init.d/rdomain.t1; grep -c rdomain.t1 /run/openrc/deptree
rc rdomain.t1 start; running watch; echo "watch in $(where "$(cat /run/watch.pid)")"
rc rdomain.t1 stop; rc rdomain-watch stop; rm /etc/init.d/rdomain-watch
rc rdomain.t1 start; said 'rdomain-watch does not run'
`), "none start = 0", "0", "rdomain.t1 start = 0", "watch in default",
		"rdomain.t1 stop = 0", "rdomain-watch stop = 0", "rdomain.t1 start = 0", "said rdomain-watch does not run")
}

// TestServicesMissPart takes parts of the hook away: what needs one fails, and says so.
func TestServicesMissPart(t *testing.T) {
	b := newBed(t)
	b.hook()
	b.rdexec()
	os.Remove(filepath.Join(b.stage, StopPath))
	os.Remove(filepath.Join(b.stage, SupervisePath))
	b.conf("netns=t1\n", "decl")
	b.conf("netns=t1\nsupervisor=runit\n", "none")
	got := b.run("ip netns add t1\nrc decl start; running decl; state decl; rc decl stop; said " + StopPath + ".is.missing; state decl\n" +
		"rc none start; said " + SupervisePath + ".is.missing\nrm " + SlipsPath + "; rc none start; said " + SlipsPath + ".is.missing\n")
	b.want(got, "decl start = 0", "decl started in t1", "decl stop = 1", "said "+StopPath+".is.missing", "decl started in t1",
		"none start = 1", "said "+SupervisePath+".is.missing", "none start = 1", "said "+SlipsPath+".is.missing")
}

// TestServicesReadOnePart starts and stops a service without a domain, whose conf.d has
// settings of every day. Of the hook it reads openrc.sh alone, which is smaller than what
// every service read when the hook was one file.
func TestServicesReadOnePart(t *testing.T) {
	if n := len(hookFile); n >= 17100 {
		t.Errorf("openrc.sh has %d bytes", n)
	}
	b := newBed(t)
	b.hook()
	for _, part := range []string{EnterPath, SlipsPath, SupervisePath, StopPath} {
		b.file(part, 0o644, "echo read >>/run/parts\n")
	}
	b.conf("# netns = x, and vrf mgmt\nrc_use=\"net dns\"\n"+`command_args="1000" # seconds
name="a service"
EXTRA='-o --nets'
retry=TERM/5/KILL/5
`, "none")
	got := b.run("rc none start; running none; state none; rc none describe; rc none stop; state none; rc none start; running none; rc none restart; running none; state none; cat /run/parts || :\n")
	b.want(got, "none start = 0", "none started in default", "none describe = 0", "none stop = 0", "none stopped in none",
		"none start = 0", "none restart = 0", "none started in default", "cat: /run/parts: No such file or directory")
}

// TestServicesConfNowhere starts services whose conf.d is no file, so that nobody knows what
// it names: a link to nowhere, or a folder, which dash and busybox read as an empty file. What
// is an empty file names nothing, nor does a folder beside what OpenRC reads.
func TestServicesConfNowhere(t *testing.T) {
	for _, sh := range []string{"", "busybox", "bash"} {
		t.Run(cmp.Or(sh, "dash"), func(t *testing.T) {
			b := newBed(t)
			b.hook()
			setup := ""
			if sh != "" {
				need.Tools(t, need.Sh, sh)
				setup = "ln -sf " + sh + " /bin/sh\n"
			}
			got := b.run(setup + "mkdir -p /etc/conf.d/none.d; rc none start; running none; ln -s /nowhere/none /etc/conf.d/none; ln -s /nowhere/decl /etc/conf.d/decl.default; ln -s /dev/null /etc/conf.d/super\n" +
				"rc decl start; said /etc/conf.d/decl.default.is.a.link.to.nowhere; state decl\n" +
				"rm /etc/conf.d/decl.default; mkdir /etc/conf.d/decl.default; rc decl start; said /etc/conf.d/decl.default.is.a.directory; state decl\n" +
				"rc none stop; rc none start; said /etc/conf.d/none.is.a.link.to.nowhere; state none\n" +
				"rm /etc/conf.d/none; rc none start; running none; rc none stop; mkdir /etc/conf.d/none; rc none start; said /etc/conf.d/none.is.a.directory; state none\n" +
				"rc super start; written super; state super; daemons 1\n")
			b.want(got, "none start = 0", "decl start = 1", "said /etc/conf.d/decl.default.is.a.link.to.nowhere", "decl stopped in none",
				"decl start = 1", "said /etc/conf.d/decl.default.is.a.directory", "decl stopped in none",
				"none stop = 0", "none start = 1", "said /etc/conf.d/none.is.a.link.to.nowhere", "none stopped in none",
				"none start = 0", "none stop = 0", "none start = 1", "said /etc/conf.d/none.is.a.directory", "none stopped in none",
				"super start = 0", "super started in default", "1 daemons")
		})
	}
}

// TestServicesMakeDomain names a domain in the conf.d of what makes domains. That does
// not wait for itself, and starts nothing.
func TestServicesMakeDomain(t *testing.T) {
	b := newBed(t)
	b.hook()
	b.rdexec()
	b.file("usr/sbin/rdomain", 0o755, "#!/bin/sh\necho \"$*\" >>/run/rdomain.log\n")
	b.conf("netns=t1\n", "rdomain", "decl")
	got := b.run("ln -s rdomain /etc/init.d/rdomain.t1; ip netns add t1\nrc rdomain.t1 start; said rdomain.t1:.this.makes.a.routing.domain\n" +
		"rc decl start; said rdomain.t1:.this.makes.a.routing.domain; daemons 0\n" +
		"rm /etc/conf.d/rdomain; rc decl start; running decl; state decl; grep up /run/rdomain.log\n")
	b.want(got, "rdomain.t1 start = 1", "said rdomain.t1:.this.makes.a.routing.domain",
		"decl start = 1", "said rdomain.t1:.this.makes.a.routing.domain", "0 daemons",
		"decl start = 0", "decl started in t1", "up t1")
}

// TestServicesMissEnter takes away the part by which a service gets into its domain. One
// without a domain does not read it.
func TestServicesMissEnter(t *testing.T) {
	b := newBed(t)
	b.hook()
	b.rdexec()
	os.Remove(filepath.Join(b.stage, EnterPath))
	b.conf("netns=t1\n", "decl")
	got := b.run("ip netns add t1\nrc decl start; said " + EnterPath + ".is.missing; state decl; daemons 0\nrc none start; running none; state none\n")
	b.want(got, "decl start = 1", "said "+EnterPath+".is.missing", "decl stopped in none", "0 daemons", "none start = 0", "none started in default")
}

// TestServiceNeedsDomain starts a service whose domain has an init script: that
// one is started first, and stopped after.
func TestServiceNeedsDomain(t *testing.T) {
	for _, way := range []string{"hook", "line"} {
		t.Run(way, func(t *testing.T) {
			b := newBed(t)
			b.rdexec()
			if way == "hook" {
				b.hook()
			} else {
				b.line()
			}
			b.conf("netns=t1\n", "decl")
			b.conf("vrf=v1\nnetns=t1\n", "plain")
			b.file("usr/sbin/rdomain", 0o755, `#!/bin/sh
echo "$*" >>/run/rdomain.log
case $1 in up) ip netns add "$2" ;; down) ip netns del "$2" ;; esac
`)
			got := b.run(`
ln -s rdomain /etc/init.d/rdomain.t1
ln -s rdomain /etc/init.d/rdomain.v1@t1
rc rdomain start; said "names no domain"
rc decl ineed; echo $(grep -v insserv /tmp/rc.log)
rc plain ineed; echo $(grep -v insserv /tmp/rc.log)
rc none ineed; echo $(grep -v insserv /tmp/rc.log)
rc decl start; running decl; state decl
rc rdomain.t1 reload
rc rdomain.t1 stop; state decl; daemons 0
cat /run/rdomain.log
`)
			b.want(got, "rdomain start = 1", "said names no domain",
				"decl ineed = 0", "rdomain.t1", "plain ineed = 0", "rdomain.t1 rdomain.v1@t1", "none ineed = 0", "",
				"decl start = 0", "decl started in t1", "rdomain.t1 reload = 0",
				"rdomain.t1 stop = 0", "decl stopped in none", "0 daemons", "up t1", "reload t1", "down t1")
		})
	}
}

// cgroup2 returns where cgroup2 is mounted as OpenRC would have it, or nothing.
func cgroup2() string {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(root + "/cgroup.controllers"); err == nil {
			return root
		}
	}
	return ""
}

// TestHookArguments holds the hook's rdexec line, which is written in shell,
// against domain.ParseArgs. A stub in rdexec's place records it, makes the cgroup
// as rdexec does, and goes on.
func TestHookArguments(t *testing.T) {
	root := cgroup2()
	for i, row := range []struct{ conf, netns, vrf string }{
		{"netns=t1", "t1", ""},
		{"vrf=v1", "", "v1"},
		{"vrf=v1\nnetns=t1", "t1", "v1"},
	} {
		t.Run(row.conf, func(t *testing.T) {
			b := newBed(t)
			b.hook()
			name := fmt.Sprintf("rdgen-test-%d-%d", os.Getpid(), i)
			b.file("etc/init.d/"+name, 0o755, "#!/sbin/openrc-run\nstart() { grep ^0: /proc/self/cgroup >/out/cgroup; }\nstop() { start; }\n")
			b.conf(row.conf+"\n", name)
			b.file("usr/sbin/rdexec", 0o755, fmt.Sprintf(`#!/bin/sh
for arg; do printf '%%s\000' "$arg"; done >/out/args
while [ "$1" != -- ]; do
	[ "$1" != -c ] || mkdir -p "%s$2"
	shift
done
shift
exec "$@"
`, root))
			cgroup := ""
			if row.vrf != "" && root != "" {
				cgroup = "/" + name
				if strings.Contains(b.sh("rc-cgroup.sh"), "/openrc.${RC_SVCNAME}") {
					cgroup = "/openrc." + name
				}
				t.Cleanup(func() { os.Remove(root + cgroup) })
			}
			for _, command := range []string{"start", "stop"} {
				got := b.run("touch /run/openrc/cgroup; rc " + name + " start\n" +
					map[string]string{"start": "", "stop": "rc " + name + " stop\n"}[command])
				if !strings.Contains(got, name+" "+command+" = 0\n") {
					t.Fatalf("%s: %s", command, got)
				}
				args, err := os.ReadFile(filepath.Join(b.out, "args"))
				if err != nil {
					t.Fatal(err)
				}
				c, err := domain.ParseArgs(strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00"))
				want := fmt.Sprint(row.netns, " ", row.vrf, " ", cgroup, " [/lib/rc/sh/openrc-run.sh /etc/init.d/", name, " ", command, "]")
				if got := fmt.Sprint(c.Netns, " ", c.VRF, " ", c.Cgroup, " ", c.Prog); err != nil || got != want {
					t.Errorf("the hook calls rdexec with %q: %s, %v; want %s", args, got, err, want)
				}
				if cgroup != "" {
					in, err := os.ReadFile(filepath.Join(b.out, "cgroup"))
					if err != nil || string(in) != "0::"+cgroup+"\n" {
						t.Errorf("%s() runs in cgroup %q, %v; want %s", command, in, err, cgroup)
					}
				}
			}
		})
	}
}

// TestHookSession starts a service in a VRF whose script calls su, where elogind gives
// each session a cgroup of its own, as this su does, or not. Stubs stand in for su and
// for rdexec.
func TestHookSession(t *testing.T) {
	root := cgroup2()
	if root == "" {
		need.Missing(t, need.OpenRC, "no cgroup2 is mounted")
	}
	b := newBed(t)
	b.hook()
	name := fmt.Sprintf("rdgen-test-%d-su", os.Getpid())
	t.Cleanup(func() {
		for _, dir := range []string{name, "openrc." + name, name + "-session"} {
			os.Remove(filepath.Join(root, dir))
		}
	})
	b.file("etc/init.d/"+name, 0o755, "#!/sbin/openrc-run\nstart() { su - nobody -c 'echo runs >>/run/su.log' >/dev/null 2>&1; }\nstop() { start; }\n")
	b.conf("vrf=v1\n", name)
	b.file("usr/sbin/rdexec", 0o755, `#!/bin/sh
while [ "$1" != -- ] && [ "$1" != /bin/true ]; do
	[ "$1" != -c ] || mkdir -p "`+root+`$2"
	shift
done
[ "$1" != -- ] || shift
exec "$@"
`)
	b.file("usr/bin/su", 0o755, `#!/bin/sh
[ "$1" != - ] || [ ! -e /run/moves ] || echo 0 >`+root+`/`+name+`-session/cgroup.procs
while [ "$1" != -c ]; do shift; done
eval "$2"
`)
	got := b.run("mkdir -p /run/systemd/seats " + root + "/" + name + "-session; touch /run/openrc/cgroup /run/moves; n=" + name + `
rc-service $n start </dev/null 2>&1 | cat >/tmp/rc.log # which su's own output does not go to
said 'su.opens.a.session.of.elogind,.which.is.outside.of.vrf.v1'; rc-service $n status >/dev/null 2>&1 || echo stopped; cat /run/su.log
rm /run/moves; rc $n start; cat /run/su.log; touch /run/moves; rc $n stop; cat /run/su.log
rmdir /run/systemd/seats; rc $n start; cat /run/su.log
`)
	b.want(strings.ReplaceAll(got, name, "it"), "said su.opens.a.session.of.elogind,.which.is.outside.of.vrf.v1", "stopped",
		"cat: /run/su.log: No such file or directory", "it start = 0", "runs", "it stop = 0", "runs", "runs", "it start = 0", "runs", "runs", "runs")
}

// TestHookStopsOwn stops a service without a domain that has no pid file: the same
// program in a VRF, by rdexec or ip vrf exec, is not its own.
func TestHookStopsOwn(t *testing.T) {
	root := cgroup2()
	if root == "" {
		need.Missing(t, need.OpenRC, "no cgroup2 is mounted")
	}
	b := newBed(t)
	b.hook()
	cgroup := fmt.Sprintf("%s/rdgen-test-%d-stop", root, os.Getpid())
	t.Cleanup(func() {
		for _, dir := range []string{cgroup + "/vrf/v1", cgroup + "/vrf", cgroup} {
			os.Remove(dir)
		}
	})
	b.file("etc/init.d/nopid", 0o755, `#!/sbin/openrc-run
start() { start-stop-daemon --start --background --exec /bin/slept -- 1000; }
stop() { start-stop-daemon --stop --exec /bin/slept; }
`)
	b.conf("netns=t1\n", "other")
	got := b.run("cp /bin/sleep /bin/slept; mkdir -p /run/openrc/options/other " + cgroup + "/vrf/v1; echo @t1 >/run/openrc/options/other/rdgen_domain\n" + `
slept() { [ "$(cat /proc/[0-9]*/stat | grep -c '(slept) [^ZX]')" = "$1" ]; } 2>/dev/null
rc nopid start; await slept 1; /bin/slept 999 & other=$!
await slept 2
echo $other >` + cgroup + `/vrf/v1/cgroup.procs
rc nopid stop; gone() { ! slept 2; }; await gone; slept 1 && echo "the other runs"
echo $other >` + root + `/cgroup.procs; kill $other; await slept 0
`)
	b.want(got, "nopid start = 0", "nopid stop = 0", "the other runs")
}
