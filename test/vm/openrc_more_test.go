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
		got := tools(t, m, part(t, "openrc-closed", "stale"))
		wantLines(t, "stale dependencies", got, "8165 in t1", "8166 in inner@t1", "8165 in t1")

		got = tools(t, m, part(t, "openrc-closed", "names"))
		wantLines(t, "bad names", got,
			"rdexec: fatal: unable to enter netns missing (/run/netns/missing): no such file or directory",
			"* ERROR: decl.missing failed to start",
			"rdomain: fatal: /etc/rdomain/broken.conf:1: expected a section",
			"* rdomain up broken failed",
			"* ERROR: rdomain.broken failed to start",
			"* ERROR: cannot start decl.broken as rdomain.broken would not start",
			`rdexec: fatal: netns name "t1 -v mgmt" contains " "; letters, digits, "_", "." and "-" are allowed`,
			"rdexec: hint: rdexec --help shows what is possible",
			"* ERROR: decl.words failed to start",
			"8164 in t1")

		// The helper is not there, the kernel refuses, OpenRC is another one.
		got = tools(t, m, part(t, "openrc-closed", "broken ways"))
		wantLines(t, "no way in", strings.ReplaceAll(got, "/usr/lib/rc", "/lib/rc"),
			"* decl.netns: cannot enter routing domain t1: /usr/sbin/rdexec is not executable; install rdgen",
			"* ERROR: decl.netns failed to start",
			"* decl.vrf: cannot enter routing domain mgmt: /usr/sbin/rdexec is not executable; install rdgen",
			"* ERROR: decl.vrf failed to start",
			"rdexec: fatal: unable to load the VRF's BPF program: operation not permitted (it needs CAP_BPF and CAP_NET_ADMIN, and before Linux 5.11 a RLIMIT_MEMLOCK of some MiB)",
			"* ERROR: decl.vrf failed to start",
			"* own.netns: conf.d names a routing domain, but /usr/libexec/rdgen/openrc.sh is missing or not whole",
			"* mount /usr first or install rdgen; or remove /etc/rc.conf.d/50-rdgen.conf",
			"* ERROR: own.netns failed to start",
			"8111 in t1", "8110 in", "decl.none", "rdomain.mgmt", "rdomain.t1", "rdomain-watch")

		// The domain is deleted behind the service's back: it can be stopped, with no
		// hand on the default domain, and not be started.
		// Nothing makes it again: there is no watch.
		got = tools(t, m, part(t, "openrc-closed", "gone"))
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
rc-service decl.vrf start >/dev/null 2>&1 || echo "not started"; await count 2; sockets | grep -o '%[a-z]*:[0-9]*'; refused setpriv --bounding-set=-sys_admin,-bpf,-net_admin rc-service own.vrf start`)
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
		got := tools(t, m, part(t, "openrc-edits", "elsewhere"))
		wantLines(t, "started from inside", got[strings.Index(got, "81"):], "8110 in", "8140 in", "8130 in", "8111 in t1", "8112 in mgmt", "%mgmt:8112",
			"decl.none start_pre in", "decl.none start_post in", "decl.none reload in", "own.none start in", "super.none healthcheck in",
			"decl.netns start_pre in t1", "decl.netns start_post in t1", "decl.vrf start_pre in mgmt", "decl.vrf start_post in mgmt", "own resolver")

		// conf.d names another domain, none, or one for the first time.
		got = tools(t, m, part(t, "openrc-edits", "edited"))
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
		got = tools(t, m, part(t, "openrc-edits", "down"))
		wantLines(t, "rdomain.t1 stop", got, "rdomain.t1", "rdomain.mgmt", "8111 in mgmt", "8112 in", "8130 in", "0")

		got = tools(t, m, "rc-service rdomain.t1 start >/dev/null 2>&1\n"+part(t, "openrc-edits", "left"))
		wantLines(t, "processes that outlive a service in a VRF", got, "8112 in mgmt", "8112 in", "left in mgmt", "8112 in mgmt", "8112 in t1", "left in mgmt")
	})
}

// TestOpenRCNginx does what docs/nginx.md says, with Debian's nginx, by OpenRC and by s6.
func TestOpenRCNginx(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) { nginxPage(t, m) })
}

// TestOpenRCBoot brings domains and services up at boot, one of them made by
// ifupdown-ng, and one of the services one that makes network itself.
func TestOpenRCBoot(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "decl", "own")
		m.Put(t, "/etc/init.d/networking", 0o755, []byte(script(t, "service-networking")))
		m.Put(t, "/etc/network/interfaces", 0o644, []byte(`auto red
iface red
	vrf-table 30

auto d1
iface d1
	link-type dummy
	address 10.30.0.1/24
	vrf-member red
`))
		m.Sh(t, part(t, "openrc-boot", "prepare"))
		if need.All() {
			m.Reboot(t)
		} else {
			m.Cut(t) // TestOpenRC of test/native and TestAlpinePage shut down
		}
		got := tools(t, m, part(t, "openrc-boot", "booted"))
		wantLines(t, "after boot", got, "8111 in t1", "8113 in inner@t1", "8144 in red", "%inner:8113", "%red:8144", "rdomain.t1", "1", "red:")
	})
}

// TestOpenRCCycles starts and stops services again and again: a hundred times in
// `make test-all`, ten times in `make test`.
func TestOpenRCCycles(t *testing.T) {
	each(t, []System{openrcs[1]}, func(t *testing.T, m *Machine) {
		putOpenRC(t, m, "rules")
		m.Put(t, "/etc/init.d/tick", 0o755, []byte("#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=1000\ncommand_background=yes\npidfile=/run/$RC_SVCNAME.pid\n"))
		got := tools(t, m, part(t, "openrc-cycles", "once"))
		wantLines(t, "once", got, "end")
		times := 1
		if need.All() {
			times = 10
		}
		for range times { // in parts, each well below the time that a command may take
			got := tools(t, m, part(t, "openrc-cycles", "five"))
			if got != "" {
				t.Fatalf("five times: %s", got)
			}
		}
		if got := tools(t, m, part(t, "openrc-cycles", "left")); got != "" {
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
		m.Put(t, "/etc/init.d/s6-svscan", 0o755, []byte(script(t, "service-s6-svscan")))
		// Debian has the programs of execline elsewhere, and /run is noexec.
		tools(t, m, part(t, "openrc-s6", "prepare"))
		// The run file does not enter, so it does not run; then it does.
		got := tools(t, m, part(t, "openrc-s6", "legacy"))
		wantLines(t, "a directory of the administrator's", got,
			`* legacy: supervisor=s6 runs /var/svc.d/legacy/run outside of routing domain t1; put "rdexec -n t1 --" before its program`,
			"* ERROR: legacy failed to start", "8151 in t1")
		if m.System.Release != "forky" {
			// There are no others in this OpenRC.
			got := tools(t, m, `refused rc-service tree start; where`)
			wantLines(t, "no directory", got,
				`* tree: supervisor=s6 runs /var/svc.d/tree/run outside of routing domain mgmt; put "rdexec -v mgmt --" before its program`,
				"* ERROR: tree failed to start")
			return
		}
		got = tools(t, m, part(t, "openrc-s6", "tree"))
		wantLines(t, "a directory of OpenRC's", got, "8150 in mgmt", "%mgmt:8150", "nobody", "8150 in mgmt", "up", "8150 in t1", "8150 in")
	})
}

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
		// What a packager does, and what was there is the same except a line.
		got := tools(t, m, setting("services", strings.Join(services, " "))+part(t, "openrc-line", "packaged"))
		wantLines(t, "one line", got, "5 1", "5 #!/sbin/openrc-run")
		rcAll(t, m, "start", append(services, "rules.netns"))
		got = tools(t, m, "await count 9; where; ip netns exec t1 nft list tables; nft list tables")
		wantLines(t, "the line", got, append(where, "table inet xnetns")...)
		got = tools(t, m, "rc-service auto.vrf stop >/dev/null; await silent 8122; await count 8; rc-service auto.vrf start >/dev/null; pairs 'rc-service $1 restart' decl.both super.vrf; await count 9; where; /lib/rc/bin/rc-depend -t ineed decl.both | tr ' ' '\\n' | grep rdomain")
		wantLines(t, "the line, restarted", got, append(where, "rdomain.t1", "rdomain.inner@t1")...)

		// The helper goes away: a service without a domain starts, another not.
		rcAll(t, m, "stop", append(services, "rules.netns"))
		got = tools(t, m, part(t, "openrc-line", "without the helper"))
		wantLines(t, "without the helper", got, "1", "* ERROR: own.vrf failed to start", "8110 in")

		// Both ways, on an OpenRC with Alpine's patch.
		got = tools(t, m, script(t, "alpine-patch")+"mv /root/50-rdgen.conf /etc/rc.conf.d/")
		rcAll(t, m, "start", services)
		got += tools(t, m, "await count 9; where; sockets | grep -c '%'; rdgen check decl.vrf; rdgen check 2>&1 | grep -c -e Alpine")
		wantLines(t, "both, and Alpine's patch", got, append(where, "openrc-run.sh", "start-stop-daemon.sh", "supervise-daemon.sh", "8", "1")...)
	})
}

// TestOpenRCPage does what docs/openrc.md tells a new user, on a host with a
// management LAN and an sshd.
func TestOpenRCPage(t *testing.T) {
	each(t, openrcs[1:2], func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/init.d/sshd", 0o755, []byte(script(t, "service-sshd")))
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
			out = m.Sh(t, "exec </dev/null; now=$(date +%s); while [ $(date +%s) = $now ]; do sleep 0.2; done; "+command)
			commands++
		case !strings.Contains(out, line):
			t.Errorf("the page says %q; it prints\n%s", line, out)
		}
	}
	if commands < 8 {
		t.Errorf("the page has %d commands", commands)
	}
}
