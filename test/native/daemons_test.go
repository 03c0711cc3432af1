package native

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// daemonPackages are those of which the unit of the package's name is not the daemon, or not
// all of it. With make test-all come larger ones of the same kind, and those whose units
// test/fixtures has.
const (
	daemonPackages = "tor postfix openvpn tinc openvswitch-switch frr"
	// One root is made for them and for what people use, in people_test.go.
	morePackages = daemonPackages + " " + peoplePackages
	moreDaemons  = "postgresql nfs-kernel-server cockpit sssd apache2 at avahi-daemon bind9 bird2 bitlbee clamav-daemon collectd-core coturn cron cups-daemon dnsmasq dropbear fail2ban fcgiwrap " +
		"freeradius haproxy hostapd icecast2 kea-dhcp4-server keepalived knot lighttpd lldpd memcached minidlna miniupnpd mosquitto " +
		"mumble-server ngircd nsd ntpsec opendkim php-fpm pmacct privoxy prosody radvd redis-server rpcbind rsyslog samba ser2net " +
		"smartmontools snmpd snmptrapd softflowd spamd squid strongswan-starter stunnel4 tftpd-hpa tinyproxy transmission-daemon ulogd2 " +
		"unbound uwsgi-core varnish vnstat vsftpd winbind xl2tpd zabbix-agent"
)

// others have lines of their own: daemons that another package's service only wants.
var others = []string{"nfs-utils.service", "fsidd.service"}

// process is one of a machine.
type process struct {
	pid, program, net string
	// unit is the service, socket or scope whose cgroup it is in.
	unit string
}

// processes reads what processes of daemons.sh prints.
func processes(text string) map[string]process {
	list := map[string]process{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		p := process{pid: f[0], net: f[len(f)-2], program: strings.Join(f[1:len(f)-2], " ")}
		for name := range strings.SplitSeq(f[len(f)-1], "/") {
			if ext := path.Ext(name); p.unit == "" && (ext == ".service" || ext == ".scope" || ext == ".socket") {
				p.unit = name
			}
		}
		list[p.pid] = p
	}
	return list
}

// TestDebianDomains starts each service that Debian starts at boot where its package is
// installed, without a domain and in one: each process that runs then, of whatever unit, is in
// the domain, and nothing of a service runs only without. It prints the table.
func TestDebianDomains(t *testing.T) {
	list := slices.Clone(systemds)
	for i := range list {
		list[i].Packages = morePackages
		if need.All() {
			list[i].Packages += " " + moreDaemons
		}
	}
	each(t, list, func(t *testing.T, m *Machine) {
		m.Put(t, "/usr/local/lib/daemons.sh", 0o644, []byte(guest.Await+script(t, "daemons")))
		do := func(command string) string { return m.Sh(t, ". /usr/local/lib/daemons.sh\n"+command) }
		var before map[string]process
		start := func(unit, how string) (more []process) {
			for pid, p := range processes(do(how + "started " + unit)) {
				if _, old := before[pid]; !old && !strings.HasPrefix(p.unit, "user@") { // who logs in gets one
					more = append(more, p)
				}
			}
			do("stopped")
			return more
		}
		enabled := strings.Fields(m.Sh(t, "cat /etc/enabled"))
		before = processes(do("configured; settled; units >/run/units.before"))
		alone := map[string][]string{}
		for _, unit := range enabled {
			alone[unit] = programs(start(unit, ""))
		}
		for _, unit := range append(enabled, others...) {
			m.Put(t, "/etc/conf.d/"+strings.TrimSuffix(strings.TrimSuffix(unit, ".service"), ".socket"), 0o644, []byte("netns=same\n"))
		}
		before = processes(do("systemctl daemon-reload; systemctl start rdomain@same; settled; units >/run/units.before"))
		net := "net:[" + strings.TrimSpace(do("stat -Lc %i /run/netns/same")) + "]"
		var table strings.Builder
		ran := 0
		var missing []string
		for _, unit := range enabled {
			all := start(unit, "within='ip netns exec same'\n")
			inside := programs(slices.DeleteFunc(slices.Clone(all), func(p process) bool { return p.net != net }))
			outside := programs(slices.DeleteFunc(slices.Clone(all), func(p process) bool { return p.net == net }))
			if len(outside) > 0 {
				t.Errorf("%s: outside: %v", unit, outside)
			}
			if len(inside) > 0 {
				ran++
			}
			for _, p := range alone[unit] {
				// What another service's start has brought may have been there already.
				if !slices.Contains(inside, p) && strings.HasPrefix(p, unit+" ") {
					missing = append(missing, p)
				}
			}
			fmt.Fprintf(&table, "%s: %s\n", unit, strings.Join(inside, ", "))
		}
		if len(missing) > 0 {
			t.Errorf("only without a domain run %q", missing)
		}
		t.Logf("%s: %d services, %d of them with processes; not in this release: %q\n%s",
			m.Name, len(enabled), ran, strings.Fields(m.Sh(t, "cat /etc/missing")), table.String())
		if ran < len(enabled)/2 {
			t.Errorf("%d of %d services have processes", ran, len(enabled))
		}
	})
}

// programs are what runs, each once: "tor@default.service tor".
func programs(list []process) (names []string) {
	for _, p := range list {
		names = append(names, p.unit+" "+path.Base(p.program))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
