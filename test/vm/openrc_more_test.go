package vm

import (
	"os"
	"strings"
	"testing"

	"rdgen/test/need"
)

// TestOpenRCFailsClosed tries to make services leak. Each stays stopped, with one
// line that says why.
func TestOpenRCFailsClosed(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "decl", "own", "rules")
		// OpenRC does not know yet what conf.d says: it was written within the second
		// in which the dependencies were cached.
		got := tools(t, m, `for k in netns both; do ln -s decl /etc/init.d/decl.stale$k; : >/etc/conf.d/decl.stale$k; done
rc-update -u >/dev/null 2>&1; for d in init conf; do touch -r /run/openrc/deptree /etc/$d.d /etc/$d.d/*; done
printf 'port=8165\nnetns=t1\n' >/etc/conf.d/decl.stalenetns; printf 'port=8166\nnetns=t1\nvrf=inner\n' >/etc/conf.d/decl.staleboth; touch -r /run/openrc/deptree /etc/conf.d/*
/lib/rc/bin/rc-depend -t ineed decl.stalenetns decl.staleboth | grep rdomain || :
pairs 'rc-service $1 start' decl.stalenetns decl.staleboth; await count 2; where
rc-service rdomain.inner@t1 stop >/dev/null 2>&1; await count 1; where; rc-service rdomain.t1 stop >/dev/null 2>&1; await count 0`)
		wantLines(t, "stale dependencies", got, "8165 in t1", "8166 in inner@t1", "8165 in t1")

		got = tools(t, m, `
ln -s rdomain /etc/init.d/rdomain.broken; echo '[Domain' >/etc/rdomain/broken.conf
instance() { ln -s decl /etc/init.d/decl.$1; printf 'port=%s\n%s\n' "$2" "$3" >/etc/conf.d/decl.$1; }
instance missing 8161 netns=missing
instance broken 8162 vrf=broken
instance words 8163 "netns='t1 -v mgmt'"
instance late 8164 'netns="$(echo t1)"'
fails rc-service decl.missing start
fails rc-service decl.broken start | sed 's/, found.*//; s/ such as.*//'
fails rc-service decl.words start
rc-service decl.late start >/dev/null; await count 1; where
`)
		wantLines(t, "bad names", got,
			"rdexec: fatal: unable to enter netns missing (/run/netns/missing): no such file or directory",
			"* ERROR: decl.missing failed to start",
			"rdomain: fatal: /etc/rdomain/broken.conf:1: expected a section",
			"* rdomain up broken failed",
			"* ERROR: rdomain.broken failed to start",
			"* ERROR: cannot start decl.broken as rdomain.broken would not start",
			`rdexec: fatal: netns name "t1 -v mgmt" contains " "; letters, digits, "_", "." and "-" are allowed`,
			"* ERROR: decl.words failed to start",
			"8164 in t1")

		// The helper is not there, the kernel refuses, OpenRC is another one.
		got = tools(t, m, `rc-service decl.late stop >/dev/null; await count 0
rc-service decl.vrf start >/dev/null; rc-service decl.vrf stop >/dev/null # its domain is up
chmod -x /usr/sbin/rdexec; fails rc-service decl.netns start; chmod +x /usr/sbin/rdexec
mv /usr/sbin/rdexec /root/; fails rc-service decl.vrf start; mv /root/rdexec /usr/sbin/
fails setpriv --bounding-set=-bpf,-net_admin,-sys_admin rc-service decl.vrf start
mv /usr/libexec/rdgen/openrc.sh /root/; fails rc-service own.netns start; mv /root/openrc.sh /usr/libexec/rdgen/
for f in /lib/rc/sh/openrc-run.sh; do cp -p $f /root/; sed -i 's/sourcex/load/g' $f; done
rc-service decl.netns start >/dev/null; await count 1; where; rc-service decl.netns stop >/dev/null; await count 0
rc-service decl.none start >/dev/null; await count 1
cp -p /root/openrc-run.sh /lib/rc/sh/; where; ls /run/openrc/started | grep -e decl -e own -e rdomain || :
`)
		wantLines(t, "no way in", strings.ReplaceAll(got, "/usr/lib/rc", "/lib/rc"),
			"* decl.netns: cannot enter routing domain t1: /usr/sbin/rdexec is not executable; install rdgen",
			"* ERROR: decl.netns failed to start",
			"* decl.vrf: cannot enter routing domain mgmt: /usr/sbin/rdexec is not executable; install rdgen",
			"* ERROR: decl.vrf failed to start",
			"rdexec: fatal: unable to load the VRF's BPF program: operation not permitted (it needs CAP_BPF and CAP_NET_ADMIN, and before Linux 5.11 a RLIMIT_MEMLOCK of some MiB)",
			"* ERROR: decl.vrf failed to start",
			"* own.netns: conf.d names a routing domain, but /usr/libexec/rdgen/openrc.sh is missing",
			"* mount /usr first or install rdgen; or remove /etc/rc.conf.d/50-rdgen.conf",
			"* ERROR: own.netns failed to start",
			"8111 in t1", "8110 in", "decl.none", "rdomain.mgmt", "rdomain.t1", "rdomain-watch")

		// The domain is deleted behind the service's back: it can be stopped, with no
		// hand on the default domain, and not be started.
		// Nothing makes it again: there is no watch.
		got = tools(t, m, `rc-service rdomain-watch stop >/dev/null 2>&1; mv /etc/init.d/rdomain-watch /root/; rc-update -u >/dev/null 2>&1
nft add table inet keep
pairs 'rc-service $1 start' decl.vrf own.netns rules.netns; await count 3
ip link del mgmt; ip netns del t1
rc-service decl.vrf status; rc-service own.netns status
rc-service decl.vrf stop 2>&1 | grep -e stopping; rc-service own.netns stop 2>&1 | grep -e stopping; rc-service rules.netns stop 2>&1 | grep -e stopping
nft list tables
fails rc-service decl.vrf start; fails rc-service own.netns start
await count 1; where
`)
		wantLines(t, "deleted", got, "* status: started", "* status: started",
			"* decl.vrf: its routing domain mgmt cannot be entered; stopping it without a network",
			"* own.netns: its routing domain t1 cannot be entered; stopping it without a network",
			"* rules.netns: its routing domain t1 cannot be entered; stopping it without a network",
			"table inet keep",
			"rdexec: fatal: unable to enter vrf mgmt: no such device", "* ERROR: decl.vrf failed to start",
			"rdexec: fatal: unable to enter netns t1 (/run/netns/t1): no such file or directory", "* ERROR: own.netns failed to start",
			"8110 in")

		// Without cgroup v2 where OpenRC has it, rdexec finds a place of its own.
		got = tools(t, m, `rc-service rdomain.mgmt restart >/dev/null
umount -l /sys/fs/cgroup/unified 2>/dev/null || umount -l /sys/fs/cgroup
rc-service decl.vrf start >/dev/null 2>&1 || echo "not started"; await count 2; sockets | grep -o '%[a-z]*:[0-9]*'; fails setpriv --bounding-set=-sys_admin,-bpf,-net_admin rc-service own.vrf start`)
		wantLines(t, "without cgroup v2", got, "%mgmt:8112",
			"rdexec: fatal: unable to mount cgroup2, whose root is mounted nowhere: operation not permitted", "* ERROR: own.vrf failed to start")
	})
}

// TestOpenRCHome starts services from inside the domains of others, and edits
// conf.d below running ones.
func TestOpenRCHome(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "decl", "own", "super")
		m.Put(t, "/etc/init.d/chain", 0o755, []byte("#!/sbin/openrc-run\nstart() { rc-service $chained start; }\nstop() { rc-service $chained stop; }\n"))
		got := tools(t, m, `
for c in netns vrf; do ln -s chain /etc/init.d/chain.$c; done
echo 'netns=t1 chained=own.none' >/etc/conf.d/chain.netns
echo 'vrf=mgmt chained=super.none' >/etc/conf.d/chain.vrf
pairs 'rc-service $1 start' chain.netns chain.vrf
ip netns exec t1 rc-service decl.none start
ip vrf exec mgmt rc-service decl.none reload
ip vrf exec mgmt rc-service decl.netns start
ip netns exec t1 rc-service decl.vrf start
await count 5; where; sockets | grep -o '%[a-z]*:[0-9]*'; cat /run/where
cmp /etc/resolv.conf /run/resolv.8110 && echo own resolver
`)
		wantLines(t, "started from inside", got[strings.Index(got, "81"):], "8110 in", "8140 in", "8130 in", "8111 in t1", "8112 in mgmt", "%mgmt:8112",
			"decl.none start_pre in", "decl.none start_post in", "decl.none reload in", "own.none start in", "super.none healthcheck in",
			"decl.netns start_pre in t1", "decl.netns start_post in t1", "decl.vrf start_pre in mgmt", "decl.vrf start_post in mgmt", "own resolver")

		// conf.d names another domain, none, or one for the first time.
		got = tools(t, m, `rm /run/where
edit() { sed -i '2,$d;s/ .*//' /etc/conf.d/$1; echo "$2" >>/etc/conf.d/$1; }
edit decl.netns vrf=mgmt; edit decl.vrf ''; edit decl.none netns=t1
rc-service decl.netns reload 2>&1 | grep still
rc-service decl.vrf look 2>&1 | grep still
fails rc-service decl.none reload
pairs 'rc-service $1 restart' decl.netns decl.vrf decl.none
await count 5; where; cat /run/where`)
		wantLines(t, "after edits", got, "8110 in t1", "8111 in mgmt", "8112 in", "8130 in", "8140 in",
			"* decl.netns: still in t1; conf.d names another routing domain since the start", "decl.netns reload in t1",
			"* decl.vrf: still in mgmt; conf.d names another routing domain since the start", "decl.vrf look in mgmt",
			"* decl.none: conf.d names a routing domain since the service was started; restart it first",
			"decl.netns stop_pre in t1", "decl.netns stop_post in t1", "decl.netns start_pre in mgmt", "decl.netns start_post in mgmt",
			"decl.vrf stop_pre in mgmt", "decl.vrf stop_post in mgmt", "decl.vrf start_pre in", "decl.vrf start_post in",
			"decl.none stop_pre in", "decl.none stop_post in", "decl.none start_pre in t1", "decl.none start_post in t1")

		// A domain that goes down takes those along that were started in it, also the
		// one whose conf.d was edited since; and chain.netns, being stopped, stops
		// own.none.
		got = tools(t, m, `edit() { sed -i '2,$d;s/ .*//' /etc/conf.d/$1; echo "$2" >>/etc/conf.d/$1; }
/lib/rc/bin/rc-depend -t ineed decl.none decl.netns | tr ' ' '\n' | grep rdomain; edit decl.none ''
rc-service rdomain.t1 stop >/dev/null 2>&1 || echo failed
await count 3; where; ls /run/netns; rc-status -a | grep -c -e 'decl.none.*started' || :`)
		wantLines(t, "rdomain.t1 stop", got, "rdomain.t1", "rdomain.mgmt", "8111 in mgmt", "8112 in", "8130 in", "0")
	})
}

// TestOpenRCNginx runs two instances of Debian's nginx side by side on one port,
// each with its workers in its own domain, through a reload, a restart and a stop.
func TestOpenRCNginx(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putOpenRC(t, m)
		m.Put(t, "/etc/init.d/web", 0o755, []byte(`#!/sbin/openrc-run
extra_started_commands=reload
cfgfile="/etc/nginx/$RC_SVCNAME.conf"
pidfile="/run/$RC_SVCNAME.pid"
command=/usr/sbin/nginx
command_args="-c $cfgfile"
start_pre() { $command -q -t -c $cfgfile; }
reload() { start_pre && kill -HUP $(cat $pidfile); }
`))
		for _, name := range []string{"private", "hostile"} {
			m.Put(t, "/etc/nginx/web."+name+".conf", 0o644, []byte("pid /run/web."+name+".pid;\nworker_processes 2;\nuser www-data;\nevents {}\nhttp { server { listen 80; return 200 "+name+"; } }\n"))
		}
		got := tools(t, m, `for n in private hostile; do ln -s web /etc/init.d/web.$n; done
echo netns=t1 >/etc/conf.d/web.private; echo vrf=mgmt >/etc/conf.d/web.hostile
workers() { rdomain ps | awk '/nginx/ { n[$1]++ } END { for (d in n) print d, n[d] }' | sort; }
pairs 'rc-service $1 start' web.private web.hostile; await sh -c '[ $(pgrep -c nginx) = 6 ]'; workers
rdexec -n t1 -- busybox wget -q -O - http://127.0.0.1/; echo; rdexec -v mgmt -- busybox wget -q -O - http://10.20.30.40/; echo
ss -Htln | grep -v % | grep ':80 ' || echo closed
old=$(pgrep -x nginx -P $(cat /run/web.hostile.pid) | sort)
rc-service web.hostile reload >/dev/null
await sh -c "[ \$(pgrep -c nginx) = 6 ] && ! pgrep -x nginx -P \$(cat /run/web.hostile.pid) | grep -qxF '$old'"; workers
rc-service web.private stop >/dev/null; await sh -c '[ $(pgrep -c nginx) = 3 ]'; workers
rc-service web.hostile restart >/dev/null; await sh -c '[ $(pgrep -c nginx) = 3 ]'; workers`)
		wantLines(t, "nginx", got, "mgmt 3", "t1 3", "private", "hostile", "closed", "mgmt 3", "t1 3", "mgmt 3", "mgmt 3")
	})
}

// TestOpenRCBoot brings domains and services up at boot, one of them made by
// ifupdown-ng, and one of the services one that makes network itself.
func TestOpenRCBoot(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "decl", "own")
		m.Put(t, "/etc/init.d/networking", 0o755, []byte(`#!/sbin/openrc-run
depend() { provide net; }
start() { ebegin "Starting networking"; if command -v ifup >/dev/null; then mkdir -p /run/ifstate; ifup -a; else ip link add red type vrf table 30 && ip link set red up && ip link add d1 type dummy && ip link set d1 master red up && ip address add 10.30.0.1/24 dev d1; fi; eend $?; }
`))
		m.Put(t, "/etc/network/interfaces", 0o644, []byte(`auto red
iface red
	vrf-table 30

auto d1
iface d1
	link-type dummy
	address 10.30.0.1/24
	vrf-member red
`))
		m.Sh(t, `printf '[Domain]\nKind=vrf\nTable=30\nManaged=no\n' >/etc/rdomain/red.conf; ln -s rdomain /etc/init.d/rdomain.red
printf 'port=8144\nvrf=red\n' >/etc/conf.d/own.red; ln -s own /etc/init.d/own.red
modprobe -n dummy; printf 'vrf\ndummy\n' >>/etc/modules
cat >/etc/init.d/outside <<'X'
#!/sbin/openrc-run
depend() { before net; }
start() { ip link set lo up; ip link add outside type dummy; ip address add 192.0.2.1/24 dev outside; ip link set outside up; }
X
chmod +x /etc/init.d/outside; mkdir -p /etc/runlevels/boot /etc/runlevels/default
rc-update add networking boot; rc-update add outside boot; rc-update add rdomain.t1 boot; rc-update add decl.both default; rc-update add decl.netns default; rc-update add own.red default`)
		m.Reboot(t)
		got := tools(t, m, `await count 3; where; sockets | grep -o '%[a-z]*:[0-9]*'
rc-status boot | sed -n 's/^ *\(rdomain[^ ]*\).*started.*/\1/p'
rc-service rdomain.red stop >/dev/null; rc-status -a | grep -c 'own.red .*stopped'; ip -o link show red | grep -o red:`)
		wantLines(t, "after boot", got, "8111 in t1", "8113 in inner@t1", "8144 in red", "%inner:8113", "%red:8144", "rdomain.t1", "1", "red:")
	})
}

// TestOpenRCCycles starts and stops services again and again: a hundred times in
// `make test-all`, twenty times in `make test`.
func TestOpenRCCycles(t *testing.T) {
	each(t, []System{openrcs[1]}, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "rules")
		m.Put(t, "/etc/init.d/tick", 0o755, []byte("#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=1000\ncommand_background=yes\npidfile=/run/$RC_SVCNAME.pid\n"))
		got := tools(t, m, `for k in vrf both; do ln -s tick /etc/init.d/tick.$k; done
echo vrf=mgmt >/etc/conf.d/tick.vrf; printf 'vrf=inner\nnetns=t1\n' >/etc/conf.d/tick.both
look() { find /sys/fs/cgroup -type d | sort; mount | sort; find /run/rdomain /run/openrc/options /sys/fs/bpf | sort; }
pairs 'rc-service $1 start && rc-service $1 stop' tick.vrf tick.both; look >/tmp/before; echo end`)
		wantLines(t, "once", got, "end")
		tens := 1
		if need.All() {
			tens = 5
		}
		for range tens { // in parts, each well below the time that a command may take
			got := tools(t, m, `pairs 'for n in $(seq 10); do rc-service $1 start && rc-service $1 stop || exit 1; done' tick.vrf tick.both
grep -v -e 'Starting tick' -e 'Stopping tick' /tmp/said.* | grep . || :`)
			if got != "" {
				t.Fatalf("ten times: %s", got)
			}
		}
		if got := tools(t, m, `look() { find /sys/fs/cgroup -type d | sort; mount | sort; find /run/rdomain /run/openrc/options /sys/fs/bpf | sort; }
look | diff /tmp/before - || :; pgrep -x sleep || :`); got != "" {
			t.Errorf("left after the cycles:\n%s", got)
		}
	})
}

// TestOpenRCS6 runs services under s6-svscan, which OpenRC itself prepares since
// 0.63; before, the run file must enter.
func TestOpenRCS6(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "decl")
		m.Put(t, "/etc/init.d/tree", 0o755, []byte("#!/sbin/openrc-run\nsupervisor=s6\ncommand=/bin/busybox\ncommand_args=\"httpd -f -p 8150 -h /srv\"\ncommand_user=nobody\n"))
		m.Put(t, "/etc/init.d/legacy", 0o755, []byte("#!/sbin/openrc-run\nsupervisor=s6\n"))
		m.Put(t, "/etc/init.d/s6-svscan", 0o755, []byte(`#!/sbin/openrc-run
command=/bin/sh
command_args="-c 'mkdir -p $RC_SVCDIR/s6-scan; exec s6-svscan $RC_SVCDIR/s6-scan'"
command_background=yes
pidfile=/run/s6-svscan.pid
start_post() { for i in $(seq 100); do s6-svscanctl $RC_SVCDIR/s6-scan 2>/dev/null && return; sleep 0.1; done; return 1; }
`))
		// Debian has the programs of execline elsewhere, and /run is noexec.
		tools(t, m, `for f in /usr/lib/execline/bin/*; do [ -e /usr/bin/${f##*/} ] || ln -s $f /usr/bin/; done
mount -o remount,exec /run; mkdir -p /var/svc.d/legacy
printf '#!/bin/sh\nexec /bin/busybox httpd -f -p 8151 -h /srv\n' >/var/svc.d/legacy/run; chmod +x /var/svc.d/legacy/run
echo vrf=mgmt >/etc/conf.d/tree; echo netns=t1 >/etc/conf.d/legacy
rc-service s6-svscan start >/dev/null 2>&1`)
		// The run file does not enter, so it does not run; then it does.
		got := tools(t, m, `fails rc-service legacy start
where; sed -i 's/exec /exec rdexec -n t1 -- /' /var/svc.d/legacy/run
rc-service legacy start >/dev/null 2>&1; await listens 8151; where; rc-service legacy stop >/dev/null 2>&1; await silent 8151`)
		wantLines(t, "a directory of the administrator's", got,
			`* legacy: supervisor=s6 runs /var/svc.d/legacy/run outside of routing domain t1; put "rdexec -n t1 --" before its program`,
			"* ERROR: legacy failed to start", "8151 in t1")
		if m.System.Release != "forky" {
			// There are no others in this OpenRC.
			got := tools(t, m, `fails rc-service tree start; where`)
			wantLines(t, "no directory", got,
				`* tree: supervisor=s6 runs /var/svc.d/tree/run outside of routing domain mgmt; put "rdexec -v mgmt --" before its program`,
				"* ERROR: tree failed to start")
			return
		}
		got = tools(t, m, `rc-service tree start >/dev/null; await listens 8150; where; sockets | grep -o '%[a-z]*:[0-9]*'; ps -o user= -p $(pid 8150)
kill -9 $(pid 8150); await silent 8150; await listens 8150; where
rc-service tree status | grep -o '^up'
echo netns=t1 >/etc/conf.d/tree; rc-service tree restart >/dev/null; await listens 8150; where
: >/etc/conf.d/tree; rc-service tree restart >/dev/null; await listens 8150; where
rc-service tree stop >/dev/null; await silent 8150; ls -d /sys/fs/cgroup/openrc.tree 2>/dev/null || :`)
		wantLines(t, "a directory of OpenRC's", got, "8150 in mgmt", "%mgmt:8150", "nobody", "8150 in mgmt", "up", "8150 in t1", "8150 in")
	})
}

// alpinePatch does to openrc-run.sh and start-stop-daemon.sh what Alpine's
// patches of OpenRC do.
const alpinePatch = `cd /lib/rc/sh
awk '/^# load service supervisor functions/ {
	print "RC_VRF_EXEC=\"\""
	print "if [ -n \"$vrf\" ]; then RC_VRF_EXEC=\"ip vrf exec $vrf\"; fi"
	print "if [ -n \"$netns\" ]; then RC_VRF_EXEC=\"ip netns exec $netns $RC_VRF_EXEC\"; fi"
} { print }' openrc-run.sh >new; cat new >openrc-run.sh; rm new
sed -i 's/eval start-stop-daemon/eval ${RC_VRF_EXEC} start-stop-daemon/' start-stop-daemon.sh
sed -i 's/eval supervise-daemon/eval ${RC_VRF_EXEC} supervise-daemon/' supervise-daemon.sh
grep -l RC_VRF_EXEC *.sh
`

// TestOpenRCPackaged is the host of a package with rdgen's line in its scripts,
// without the file in rc.conf.d; then with it too, and with Alpine's patch.
func TestOpenRCPackaged(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		shapes := []string{"decl", "auto", "super", "own"}
		putOpenRC(t, m, append(shapes, "rules")...)
		var where []string
		var services []string
		for _, shape := range shapes {
			for i, k := range openrcKinds {
				if k.name == "netns" || k.name == "none" && shape != "decl" {
					continue
				}
				where = append(where, trimmed("%d in %s", openrcPorts[shape]+i, k.id))
				services = append(services, shape+"."+k.name)
			}
		}
		// What a packager does, and what was there is the same but for a line.
		got := tools(t, m, `mv /etc/rc.conf.d/50-rdgen.conf /root/; cp -r /etc/init.d /root/before
rdgen openrc `+strings.Join(services, " ")+` rules.netns --root / -o /
rdgen openrc `+strings.Join(services, " ")+` rules.netns --root / -o / --check
for s in decl auto super own rules; do
	diff /root/before/$s /etc/init.d/$s | grep -c '^[<>]'; head -n 1 /etc/init.d/$s
done | sort | uniq -c`)
		wantLines(t, "one line", got, "5 1", "5 #!/sbin/openrc-run")
		rcAll(t, m, "start", append(services, "rules.netns"))
		got = tools(t, m, "await count 9; where; ip netns exec t1 nft list tables; nft list tables")
		wantLines(t, "the line", got, append(where, "table inet xnetns")...)
		got = tools(t, m, "rc-service auto.vrf stop >/dev/null; await silent 8122; await count 8; rc-service auto.vrf start >/dev/null; pairs 'rc-service $1 restart' decl.both super.vrf; await count 9; where; /lib/rc/bin/rc-depend -t ineed decl.both | tr ' ' '\\n' | grep rdomain")
		wantLines(t, "the line, restarted", got, append(where, "rdomain.t1", "rdomain.inner@t1")...)

		// The helper goes away: a service without a domain starts, another not.
		rcAll(t, m, "stop", append(services, "rules.netns"))
		got = tools(t, m, `await count 0; mv /usr/libexec/rdgen/openrc.sh /root/
rc-service own.vrf start 2>&1 | grep -c 'openrc.sh'; fails rc-service own.vrf start | grep 'failed to start'; rc-service decl.none start >/dev/null; await count 1; where; rc-service decl.none stop >/dev/null; await count 0
mv /root/openrc.sh /usr/libexec/rdgen/`)
		wantLines(t, "without the helper", got, "1", "* ERROR: own.vrf failed to start", "8110 in")

		// Both ways, on an OpenRC with Alpine's patch.
		got = tools(t, m, alpinePatch+"mv /root/50-rdgen.conf /etc/rc.conf.d/")
		rcAll(t, m, "start", services)
		got += tools(t, m, "await count 9; where; sockets | grep -c '%'; rdgen check decl.vrf; rdgen check 2>&1 | grep -c -e Alpine")
		wantLines(t, "both, and Alpine's patch", got, append(where, "openrc-run.sh", "start-stop-daemon.sh", "supervise-daemon.sh", "8", "1")...)
	})
}

// TestOpenRCPage does what docs/openrc.md tells a new user, on a host with a
// management LAN and an sshd.
func TestOpenRCPage(t *testing.T) {
	each(t, openrcs[1:2], func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/init.d/sshd", 0o755, []byte(sshdScript))
		m.Sh(t, `ip link set lo up; ip link add eth1 type dummy; ip address add 10.20.30.40/24 dev eth1; ip link set eth1 up
mkdir -p /etc/conf.d; ssh-keygen -A >/dev/null; exec </dev/null; rc-service sshd start >/dev/null 2>&1`)
		typePage(t, m, strings.NewReplacer())
		if got := m.Sh(t, "ss -Htln"); !strings.Contains(got, "%mgmt:22 ") {
			t.Errorf("sshd listens on\n%s", got)
		}
	})
}

// typePage types the commands of the first section of docs/openrc.md, after r, into
// the machine, and looks for what the page says that they print.
func typePage(t *testing.T, m *Machine, r *strings.Replacer) {
	t.Helper()
	page, err := os.ReadFile("../../docs/openrc.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "## From nothing")
	text, _, _ = strings.Cut(text, "## What is inside")
	var out string
	commands := 0
	for line := range strings.Lines(text) {
		line, code := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		command, typed := strings.CutPrefix(r.Replace(line), "# ")
		switch {
		case !code || strings.HasPrefix(command, "make "):
		case typed:
			// OpenRC sees by whole seconds that a file of conf.d was changed.
			out = m.Sh(t, "exec </dev/null; now=$(date +%s); while [ $(date +%s) = $now ]; do :; done; "+command)
			commands++
		case !strings.Contains(out, line):
			t.Errorf("the page says %q; it prints\n%s", line, out)
		}
	}
	if commands < 8 {
		t.Errorf("the page has %d commands", commands)
	}
}
