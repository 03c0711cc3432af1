package vm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// openrcKinds are the domains, in the order of the ports' last digits.
var openrcKinds = []struct{ name, id, conf string }{
	{"none", "", ""},
	{"netns", "t1", "netns=t1\n"},
	{"vrf", "mgmt", "vrf=mgmt\n"},
	{"both", "inner@t1", "vrf=inner\nnetns=t1\n"},
}

var openrcPorts = map[string]int{"decl": 8110, "auto": 8120, "super": 8130, "own": 8140}

// putOpenRC puts the domains, the tools and the services into the guest: a script for each
// way to write one (script/service-SHAPE.sh), of which the instances SHAPE.KIND are links.
// Each has a port of its own in its conf.d.
func putOpenRC(t *testing.T, m *Machine, shapes ...string) {
	m.Put(t, "/usr/local/lib/tools.sh", 0o644, []byte(guest.Await+script(t, "openrc-tools")))
	m.Put(t, "/usr/local/bin/daemon", 0o755, []byte(script(t, "openrc-daemon")))
	text := guest.Network + script(t, "openrc-domains") + "cp /bin/busybox /usr/local/bin/httpd\n"
	for _, shape := range shapes {
		m.Put(t, "/etc/init.d/"+shape, 0o755, []byte(script(t, "service-"+shape)))
		for i, k := range openrcKinds {
			text += fmt.Sprintf("ln -s %[1]s /etc/init.d/%[1]s.%[2]s; printf 'port=%[3]d table=x%[2]s\\n%[4]s' >/etc/conf.d/%[1]s.%[2]s\n",
				shape, k.name, openrcPorts[shape]+i, strings.ReplaceAll(k.conf, "\n", `\n`))
		}
	}
	// Two first commands at once would both read the old dependencies: OpenRC makes
	// the cache without a lock.
	m.Sh(t, text+"rc-update -u >/dev/null 2>&1")
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
		got = tools(t, m, part(t, "openrc-left", "crashed"))
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
		got = tools(t, m, part(t, "openrc-left", "stopped"))
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
