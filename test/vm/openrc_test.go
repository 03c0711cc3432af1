package vm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
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

// shaped is a service of TestOpenRCShapes.
type shaped struct {
	shape string
	kind  int // of openrcKinds
}

func (s shaped) name() string { return s.shape + "." + openrcKinds[s.kind].name }
func (s shaped) port() int    { return openrcPorts[s.shape] + s.kind }
func (s shaped) id() string   { return openrcKinds[s.kind].id }

// vrf is the VRF that its sockets are bound to, if any.
func (s shaped) vrf() string {
	vrf, _, _ := strings.Cut(s.id(), "@")
	return strings.TrimPrefix(vrf, "t1")
}

// inMachine reports whether it is here in `make test`: where there is a VRF, and of the others
// those that show what must not be, that the default domain is reached (decl) or another's
// process is stopped (auto). TestOpenRC and TestOpenRCTables of test/native have the others.
func (s shaped) inMachine() bool {
	return need.All() || s.vrf() != "" || s.shape == "auto" || s.name() == "decl.none"
}

// only returns those services of which f is true.
func only(services []shaped, f func(shaped) bool) []shaped {
	return slices.DeleteFunc(slices.Clone(services), func(s shaped) bool { return !f(s) })
}

// of returns those services that have one of the shapes.
func of(services []shaped, shapes ...string) []shaped {
	return only(services, func(s shaped) bool { return slices.Contains(shapes, s.shape) })
}

// lines returns what f says of each service.
func lines(services []shaped, f func(shaped) string) (list []string) {
	for _, s := range services {
		list = append(list, f(s))
	}
	return list
}

// TestOpenRCShapes is the matrix: every shape of service in every kind of domain,
// side by side, on every OpenRC, started, restarted and stopped.
func TestOpenRCShapes(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		shapes := []string{"decl", "auto", "super", "own", "rules"}
		putOpenRC(t, m, shapes...)
		var every []shaped
		for _, shape := range shapes {
			for kind := range openrcKinds {
				every = append(every, shaped{shape, kind})
			}
		}
		services := only(every, shaped.inMachine)
		listening, daemons := of(services, "decl", "auto", "super", "own"), of(services, "decl", "super", "own")
		names := lines(services, shaped.name)
		port := func(s shaped) string { return fmt.Sprint(s.port()) }
		where := lines(listening, func(s shaped) string { return trimmed("%d in %s", s.port(), s.id()) })
		all := fmt.Sprintf("await count %d; ", len(where))

		// Every daemon, and that the default one reaches what the others must not.
		rcAll(t, m, "start", names)
		wantLines(t, "after start", tools(t, m, all+"where"), where...)
		got := tools(t, m, `rc-status -a | sed -n "s/^ *\\([a-z]*\\.[a-z0-9@]*\\) *\\[ *\\(started\\|crashed\\).*/\\1/p" | grep -v -e "^rc" -e "\\.sh"; rc-service decl.both status`)
		wantLines(t, "rc-status", got, append([]string{"* status: started", "rdomain.t1", "rdomain.mgmt", "rdomain.inner@t1"}, names...)...)
		outside := only(daemons, func(s shaped) bool { return s.id() == "" })
		wantLines(t, "who reached the default domain", tools(t, m, "sort /run/leaks"),
			lines(outside, func(s shaped) string { return "the daemon on port " + port(s) })...)
		wantLines(t, "children", tools(t, m, "sed 's/ *$//' /run/children"),
			lines(daemons, func(s shaped) string { return trimmed("%d child in %s", s.port(), s.id()) })...)
		within := only(daemons, func(s shaped) bool { return strings.HasSuffix(s.id(), "t1") })
		wantLines(t, "resolvers of t1", tools(t, m, "grep -lx 'nameserver 192.0.2.53' /run/resolv.*"),
			lines(within, func(s shaped) string { return "/run/resolv." + port(s) })...)
		// The rules are where they belong, for nft and for ipset.
		wantLines(t, "rules", tools(t, m, `for n in '' t1; do
			{ ${n:+ip netns exec $n} nft list tables; ${n:+ip netns exec $n} ipset list -n; } | sed "s/^/$n: /"; done`),
			rules(of(services, "rules"))...)
		// The sockets in a VRF are bound to it.
		bound := only(listening, func(s shaped) bool { return s.vrf() != "" })
		wantLines(t, "sockets", tools(t, m, `sockets | grep -o '%[a-z]*:[0-9]*'`),
			lines(bound, func(s shaped) string { return "%" + s.vrf() + ":" + port(s) })...)

		// Every function: the healthchecks of supervise-daemon, those of the start,
		// and those that are asked for now.
		tools(t, m, setting("supers", strings.Join(lines(of(services, "super"), shaped.name), " "))+
			setting("decls", strings.Join(lines(of(services, "decl"), shaped.name), " "))+
			"for s in $supers; do await test -e /run/$s.checked; done; for s in $decls; do rc-service $s reload; rc-service $s look; done")
		var hooks []string
		for _, s := range services {
			for _, f := range map[string][]string{"decl": {"start_pre", "start_post", "reload", "look"}, "own": {"start"}, "super": {"healthcheck"}}[s.shape] {
				hooks = append(hooks, trimmed("%s %s in %s", s.name(), f, s.id()))
			}
		}
		wantLines(t, "functions", tools(t, m, "sed 's/ *$//' /run/where; rm /run/where"), hooks...)

		// A crash: supervise-daemon respawns the daemon in its domain.
		got = tools(t, m, setting("supers", strings.Join(lines(of(services, "super"), port), " "))+
			setting("all", fmt.Sprint(len(where)))+part(t, "openrc-left", "crashed"))
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
		tools(t, m, "pairs 'rc-service $1 start' auto.netns auto.none; "+all+"rc-service auto.vrf stop")
		stopped("without auto.vrf", 2)

		tools(t, m, "pairs 'rc-service $1 start' auto.vrf; pairs 'rc-service $1 restart' decl.vrf super.both")
		tools(t, m, "pairs 'rc-service $1 restart' decl.both super.vrf own.both")
		wantLines(t, "after restart", tools(t, m, all+"where"), where...)

		// Stopped, nothing is left: no process, no cgroup, no mount, no word of rmdir.
		// (OpenRC 0.64 leaves openrc/NAME of every service there is.)
		m.Sh(t, "mount | sort >/tmp/mounts")
		rcAll(t, m, "stop", names)
		got = tools(t, m, part(t, "openrc-left", "stopped"))
		wantLines(t, "after stop", got, "end")
		wantLines(t, "functions of stop", tools(t, m, "grep -v -e none -e ' in t1$' -e ' in mgmt$' -e ' in inner@t1$' /run/where || grep -c stop_post /run/where"), fmt.Sprint(len(of(services, "decl"))+2))
	})
}

func trimmed(format string, args ...any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}

// rules are what nft and ipset say of the tables of services, with the namespace in front.
func rules(services []shaped) (list []string) {
	for _, s := range services {
		netns, table := ":", "x"+openrcKinds[s.kind].name
		if strings.HasSuffix(s.id(), "t1") {
			netns = "t1:"
		}
		list = append(list, netns+" table inet "+table, netns+" "+table)
	}
	return list
}
