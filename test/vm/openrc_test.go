package vm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The domains of OpenRC's tests: a namespace with a resolver of its own, a VRF
// with an address, a VRF inside the namespace. The address of the link
// "outside" is one of the default domain, which nothing in them may reach.
const openrcDomains = `
mkdir -p /etc/rdomain /etc/conf.d /etc/netns/t1 /srv
ip link set lo up
ip link add outside type dummy
ip address add 192.0.2.1/24 dev outside
ip link set outside up
ping -c 1 -W 2 192.0.2.1 >/dev/null
echo nameserver 192.0.2.53 >/etc/netns/t1/resolv.conf
cat >/etc/rdomain/mgmt.conf <<X
[Domain]
Kind=vrf
Table=10

[Link d0]
Kind=dummy
Address=10.20.30.40/24
X
printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@t1.conf
for d in t1 mgmt inner@t1; do ln -s rdomain /etc/init.d/rdomain.$d; done
`

// openrcTools are shell functions of the tests in the guest. A service's
// functions say "here NAME" to write down the domain that they run in.
const openrcTools = `
here() { echo "$RC_SVCNAME $1 in $(rdomain identify $$ 2>&1)" >>/run/where; }
sockets() { ss -Htlnp; [ ! -e /run/netns/t1 ] || ip netns exec t1 ss -Htlnp; }
# where: the port and the domain of each daemon that listens
where()
{
	rdomain ps >/tmp/ps
	sockets | sed -n 's/.*:\(8[0-9]*\) .*pid=\([0-9]*\).*/\1 \2/p' | sort -u | while read -r port pid; do
		echo "$port in $(awk -v p="$pid" '$2 == p { print $1 }' /tmp/ps)"
	done
}
# pid PORT: who listens there
pid() { sockets | sed -n "s/.*:$1 .*pid=\([0-9]*\).*/\1/p" | head -n 1; }
# await COMMAND: until it succeeds
await() { for tries in $(seq 200); do ! "$@" || return 0; sleep 0.2; done; echo "never: $*" >&2; return 1; }
listens() { [ -n "$(pid "$1")" ]; }
silent() { [ -z "$(pid "$1")" ]; }
count() { [ "$(sockets | grep -c ':8[0-9][0-9][0-9] ')" = "$1" ]; }
# pairs COMMAND SERVICE...: two at a time; prints what a failing one said
pairs()
{
	command=$1
	shift
	printf '%s\n' "$@" | xargs -P 2 -n 1 sh -c "($command)"' >/tmp/said.$1 2>&1 || { echo "$1: $?"; cat /tmp/said.$1; }' sh
}
# fails COMMAND...: prints what it says if it fails, as it must
fails() { if "$@" >/tmp/fails 2>&1; then echo "$* works"; else sed 's/.*\.\.\.rdomain/rdomain/' /tmp/fails | grep -e '^rd' -e '^ \* [^AC]' | grep -v -e usage: -e 'Bringing up' -e 'Starting rdomain-watch' -e 'rdomain: note' || :; fi; }
`

// openrcDaemon is what the services run: it tries to reach the default domain,
// has a child say where it is, and becomes a web server.
const openrcDaemon = `#!/bin/busybox sh
. /usr/local/lib/tools.sh
! ping -c 1 -W 1 192.0.2.1 >/dev/null 2>&1 || echo "the daemon on port $1" >>/run/leaks
cat /etc/resolv.conf >/run/resolv.$1
sh -c 'echo "$1 child in $(rdomain identify $$)" >>/run/children' sh "$1" &
exec busybox httpd -f -p "$1" -h /srv
`

// openrcShapes are the services: one script for each way to write one, and the
// instances SHAPE.KIND are links. Each has a port of its own in its conf.d.
var openrcShapes = map[string]string{
	"decl": `
command=/bin/busybox
command_args="sh /usr/local/bin/daemon $port"
command_background=yes
pidfile="/run/$RC_SVCNAME.pid"
extra_commands=look
extra_started_commands=reload
start_pre() { here start_pre; }
start_post() { here start_post; }
stop_pre() { here stop_pre; }
stop_post() { here stop_post; }
reload() { here reload; }
look() { here look; }
`,
	// It goes to the background by itself and has no pid file (which rc-status of
	// OpenRC 0.56 takes for a crash, in a domain or not). Debian's
	// start-stop-daemon starts no second process of one executable unless a pid
	// file, which does not exist, says that it does not run; stop has none.
	"auto": `
command=/usr/local/bin/httpd
command_args="-p $port -h /srv"
start_stop_daemon_args="--pidfile /run/$RC_SVCNAME.never"
`,
	"super": `
supervisor=supervise-daemon
command=/bin/busybox
command_args="sh /usr/local/bin/daemon $port"
pidfile="/run/$RC_SVCNAME.pid"
respawn_delay=1
healthcheck_timer=1
extra_commands="healthcheck unhealthy"
healthcheck() { [ -e "/run/$RC_SVCNAME.checked" ] || here healthcheck; : >"/run/$RC_SVCNAME.checked"; }
unhealthy() { :; }
`,
	"own": `
start() {
	here start
	ebegin "Starting $RC_SVCNAME"
	start-stop-daemon --start --background --make-pidfile --pidfile "/run/$RC_SVCNAME.pid" --exec /bin/busybox -- sh /usr/local/bin/daemon "$port"
	eend $?
}
stop() {
	here stop
	ebegin "Stopping $RC_SVCNAME"
	start-stop-daemon --stop --pidfile "/run/$RC_SVCNAME.pid" --retry 5
	eend $?
}
`,
	"rules": `
start() {
	ebegin "Loading rules"
	nft add table inet "$table" && ipset create "$table" hash:ip
	eend $?
}
stop() {
	ebegin "Flushing rules"
	nft flush ruleset && ipset destroy
	eend $?
}
`,
}

// openrcKinds are the domains, in the order of the ports' last digits.
var openrcKinds = []struct{ name, id, conf string }{
	{"none", "", ""},
	{"netns", "t1", "netns=t1\n"},
	{"vrf", "mgmt", "vrf=mgmt\n"},
	{"both", "inner@t1", "vrf=inner\nnetns=t1\n"},
}

var openrcPorts = map[string]int{"decl": 8110, "auto": 8120, "super": 8130, "own": 8140}

// putOpenRC puts the domains, the tools and the services into the guest.
func putOpenRC(t *testing.T, m *Machine, shapes ...string) {
	m.Put(t, "/usr/local/lib/tools.sh", 0o644, []byte(openrcTools))
	m.Put(t, "/usr/local/bin/daemon", 0o755, []byte(openrcDaemon))
	script := openrcDomains + "cp /bin/busybox /usr/local/bin/httpd\n"
	for _, shape := range shapes {
		m.Put(t, "/etc/init.d/"+shape, 0o755, []byte("#!/sbin/openrc-run\n. /usr/local/lib/tools.sh"+openrcShapes[shape]))
		for i, k := range openrcKinds {
			script += fmt.Sprintf("ln -s %[1]s /etc/init.d/%[1]s.%[2]s; printf 'port=%[3]d table=x%[2]s\\n%[4]s' >/etc/conf.d/%[1]s.%[2]s\n",
				shape, k.name, openrcPorts[shape]+i, strings.ReplaceAll(k.conf, "\n", `\n`))
		}
	}
	// Two first commands at once would both read the old dependencies: OpenRC makes
	// the cache without a lock.
	m.Sh(t, script+"rc-update -u >/dev/null 2>&1")
}

// tools runs a script with the tools in the guest.
func tools(t *testing.T, m *Machine, script string) string {
	t.Helper()
	return m.Sh(t, "exec </dev/null; . /usr/local/lib/tools.sh\n"+script)
}

// rcAll has OpenRC start or stop services, a few at a time: a command in the guest
// may take minutes, not more.
func rcAll(t *testing.T, m *Machine, command string, services []string) {
	t.Helper()
	for some := range slices.Chunk(services, 4) {
		if got := tools(t, m, "pairs 'rc-service $1 "+command+"' "+strings.Join(some, " ")); got != "" {
			t.Errorf("%s: %s", command, got)
		}
	}
}

// wantLines compares lines in any order.
func wantLines(t *testing.T, what, got string, want ...string) {
	t.Helper()
	g := strings.Split(strings.TrimSpace(got), "\n")
	for i := range g {
		g[i] = strings.TrimSpace(g[i])
	}
	slices.Sort(g)
	slices.Sort(want)
	if !slices.Equal(g, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(g, "\n"), strings.Join(want, "\n"))
	}
}

// TestOpenRCShapes is the matrix: every shape of service in every kind of domain,
// side by side, on every OpenRC, started, restarted and stopped.
func TestOpenRCShapes(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		shapes := []string{"decl", "auto", "super", "own"}
		putOpenRC(t, m, append(shapes, "rules")...)
		var services, where []string
		for _, shape := range append(shapes, "rules") {
			for i, k := range openrcKinds {
				services = append(services, shape+"."+k.name)
				if shape != "rules" {
					where = append(where, trimmed("%d in %s", openrcPorts[shape]+i, k.id))
				}
			}
		}
		// Every daemon, and that the default one reaches what the others must not.
		rcAll(t, m, "start", services)
		got := tools(t, m, "await count 16; where")
		wantLines(t, "after start", got, where...)
		got = tools(t, m, `rc-status -a | sed -n "s/^ *\\([a-z]*\\.[a-z0-9@]*\\) *\\[ *\\(started\\|crashed\\).*/\\1/p" | grep -v -e "^rc" -e "\\.sh"; rc-service decl.both status`)
		wantLines(t, "rc-status", got, append([]string{"* status: started", "rdomain.t1", "rdomain.mgmt", "rdomain.inner@t1"}, services...)...)
		wantLines(t, "who reached the default domain", tools(t, m, "sort /run/leaks"),
			"the daemon on port 8110", "the daemon on port 8130", "the daemon on port 8140")
		wantLines(t, "children", tools(t, m, "sed 's/ *$//' /run/children"), openrcChildren()...)
		wantLines(t, "resolvers of t1", tools(t, m, "grep -lx 'nameserver 192.0.2.53' /run/resolv.*"), openrcResolvers()...)
		// The rules are where they belong, for nft and for ipset.
		wantLines(t, "rules", tools(t, m, `for n in '' t1; do ${n:+ip netns exec $n} nft list tables; ${n:+ip netns exec $n} ipset list -n; echo /; done`),
			"table inet xnone", "table inet xvrf", "xnone", "xvrf", "/", "table inet xnetns", "table inet xboth", "xnetns", "xboth", "/")
		// The sockets in a VRF are bound to it.
		wantLines(t, "sockets", tools(t, m, `sockets | grep -o '%[a-z]*:[0-9]*'`), openrcSockets()...)

		// Every function: the healthchecks of supervise-daemon, those of the start,
		// and those that are asked for now.
		tools(t, m, "for k in none netns vrf both; do await test -e /run/super.$k.checked; rc-service decl.$k reload; rc-service decl.$k look; done")
		var hooks []string
		for _, k := range openrcKinds {
			for _, f := range []string{"start_pre", "start_post", "reload", "look"} {
				hooks = append(hooks, trimmed("decl.%s %s in %s", k.name, f, k.id))
			}
			hooks = append(hooks, trimmed("own.%s start in %s", k.name, k.id), trimmed("super.%s healthcheck in %s", k.name, k.id))
		}
		wantLines(t, "functions", tools(t, m, "sed 's/ *$//' /run/where; rm /run/where"), hooks...)

		// A crash: supervise-daemon respawns the daemon in its domain.
		got = tools(t, m, `for n in 0 1 2 3; do pid 813$n; done >/tmp/old; kill -9 $(cat /tmp/old)
respawned() { count 16 && ! { for n in 0 1 2 3; do pid 813$n; done; } | grep -qxF -f /tmp/old; }
await respawned; where`)
		wantLines(t, "after a crash", got, where...)

		// One that has no pid file: its stop finds its own.
		stopped := func(what string, kinds ...int) {
			t.Helper()
			gone := ""
			for _, k := range kinds {
				gone += fmt.Sprintf("await silent %d; ", 8120+k)
			}
			left := slices.DeleteFunc(slices.Clone(where), func(l string) bool {
				return slices.ContainsFunc(kinds, func(k int) bool { return strings.HasPrefix(l, fmt.Sprint(8120+k)) })
			})
			wantLines(t, what, tools(t, m, gone+"where"), left...)
		}
		tools(t, m, "rc-service auto.netns stop")
		stopped("without auto.netns", 1)
		tools(t, m, "rc-service auto.none stop")
		stopped("without auto.none too", 0, 1)
		tools(t, m, "pairs 'rc-service $1 start' auto.netns auto.none; await count 16; rc-service auto.vrf stop")
		stopped("without auto.vrf", 2)

		tools(t, m, "pairs 'rc-service $1 start' auto.vrf; pairs 'rc-service $1 restart' decl.vrf super.both")
		tools(t, m, "pairs 'rc-service $1 restart' decl.both super.vrf own.netns")
		wantLines(t, "after restart", tools(t, m, "await count 16; where"), where...)

		// Stopped, nothing is left: no process, no cgroup, no mount, no word of rmdir.
		// (OpenRC 0.64 leaves openrc/NAME of every service there is.)
		m.Sh(t, "mount | sort >/tmp/mounts")
		rcAll(t, m, "stop", services)
		got = tools(t, m, `
grep -e rmdir -e rror /tmp/said.* || :
await count 0
rc-status -a | grep -e '\.none ' -e '\.netns ' -e '\.vrf ' -e '\.both ' || :
find /sys/fs/cgroup -name '*.*[nhf]' -path '*.[nvb]*' | grep -v /openrc/ | grep -e none -e netns -e vrf -e both || :
mount | sort | diff /tmp/mounts - || :
nft list ruleset; ip netns exec t1 nft list ruleset; ipset list -n; ip netns exec t1 ipset list -n
ls /run/openrc/options | grep -e '\.' || :
echo end
`)
		wantLines(t, "after stop", got, "end")
		wantLines(t, "functions of stop", tools(t, m, "grep -v -e none -e ' in t1$' -e ' in mgmt$' -e ' in inner@t1$' /run/where || grep -c stop_post /run/where"), "6")
	})
}

func trimmed(format string, args ...any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}

func openrcChildren() (lines []string) {
	for _, shape := range []string{"decl", "super", "own"} {
		for i, k := range openrcKinds {
			lines = append(lines, trimmed("%d child in %s", openrcPorts[shape]+i, k.id))
		}
	}
	return lines
}

func openrcResolvers() (files []string) {
	for _, shape := range []string{"decl", "super", "own"} {
		for i, k := range openrcKinds {
			if strings.Contains(k.id, "t1") {
				files = append(files, fmt.Sprintf("/run/resolv.%d", openrcPorts[shape]+i))
			}
		}
	}
	return files
}

func openrcSockets() (addresses []string) {
	for _, port := range openrcPorts {
		addresses = append(addresses, fmt.Sprintf("%%mgmt:%d", port+2), fmt.Sprintf("%%inner:%d", port+3))
	}
	return addresses
}
