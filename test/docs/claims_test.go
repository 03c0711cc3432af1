package docs

// claims is the table of what holds the blocks of the pages.
var claims = []claim{
	{"README.md", `echo vrf=mgmt`, as("docs/openrc.md", "docs/systemd.md")},
	{"README.md", `make demo`, targets},
	{"README.md", `The three programs: # cat`, console},
	{"README.md", `The three programs: # rdgen systemd ntpd`, console},
	{"docs/upgrade.md", `Remove rdgen`, targets},
	{"ARCHITECTURE.md", `Rooms: cmd/rdgen -> `, by("test/shape/prose_test.go", "TestMap")},
	{"docs/openrc.md", `From nothing to sshd`, by("test/vm/openrc_more_test.go", "TestOpenRCPage")},
	{"docs/openrc.md", `Packages`, console},
	{"docs/systemd.md", `.`, by("test/native/systemd_test.go", "TestSystemdGuide")},
	{"docs/domains.md", `/etc/rdomain/\S+\.conf`, written(by("runtime/conf/man_test.go", "TestGuide"))},
	{"docs/domains.md", `A firewall: # \S+\.nft`, by("cmd/rdomain/firewall_test.go", "TestFirewallPage")},
	{"docs/domains.md", `Changing it`, finds},
	{"docs/domains.md", `come back: (\[Link ipsec0\]|local_ts)`, by("test/vm/charon_test.go", "TestCharon")},
	{"docs/domains.md", `Other network managers`, by("test/vm/domains_test.go", "TestDomainsOfOthers")},
	{"docs/import.md", `: auto eth0`, printed},
	{"docs/import.md", `: # (cat|rdgen|ip) `, finds},
	{"docs/import.md", `: (# /etc/rdomain/|\[Domain\])`, printed},
	{"docs/import.md", `: # (\(umask|rdomain)`, console},
	{"docs/dhcp.md", `.`, by("test/vm/pages_test.go", "TestDHCPPage")},
	{"docs/vpn.md", `.`, by("test/vm/pages_test.go", "TestVPNPage")},
	{"docs/openvpn.md", `.`, by("test/native/openvpn_test.go", "TestOpenVPNPage")},
	{"docs/filters.md", `.`, by("test/native/pages_test.go", "TestFiltersPage")},
	{"docs/nat.md", `.`, by("test/native/pages_test.go", "TestNATPage")},
	{"docs/containers.md", `.`, by("test/native/containers_test.go", "TestContainersPage")},
	{"docs/routing.md", `.`, by("test/native/pages_test.go", "TestRoutingPage")},
	{"docs/split.md", `.`, by("test/native/pages_test.go", "TestRoutingPage")},
	{"docs/nginx.md", `.`, by("test/vm/pages_test.go", "nginxPage")},
	{"docs/jobs.md", `.`, by("test/native/people_test.go", "TestJobsPage")},
	{"docs/logins.md", `.`, by("test/vm/systemd_test.go", "TestSystemdVRF")},
	{"docs/users.md", `.`, by("test/native/people_test.go", "TestUsersPage")},
	{"docs/tunnels.md", `.`, by("test/vm/pages_test.go", "tunnelsPage")},
	{"docs/overlap.md", `.`, by("cmd/rdomain/overlap_test.go", "TestOverlapPage")},
	{"docs/overlap-home.md", `.`, by("test/native/people_test.go", "TestOverlapHomePage")},
	{"docs/s6.md", `Artix: # echo`, finds},
	{"docs/s6.md", `Artix: # /etc`, printed},
	{"docs/s6.md", `s6-overlay`, from(overlay, docker)},
	{"docs/s6.md", `Without s6-rc: # rdgen s6 web `, from(svscan, console)},
	{"docs/s6.md", `Without s6-rc: # rdgen s6 web@`, from("rm /etc/conf.d/web", console)},
	{"docs/status.md", `From nothing`, by("test/native/status_test.go", "TestStatus")},
	{"docs/status.md", `# rdgen status$`, by("status/page_test.go", "TestPage")},
	{"docs/monitoring.md", `Monitoring`, by("status/page_test.go", "TestMonitoringPage")},
	{"docs/performance.md", `Entering|Restarting an OpenRC service`, measured("test/vm/bench_test.go")},
	{"man/rdomain.conf.5", `EXAMPLES`, by("runtime/conf/man_test.go", "TestManualPage")},
	{"man/rdgen.conf.d.5", `EXAMPLES: (netns=private|site=)`, followed},
	{"man/rdgen.conf.d.5", `EXAMPLES: netns=\$\(`, refused},
	{"man/rdomain.8", `EXAMPLES`, lines},
	{"man/rdexec.8", `EXAMPLES: rdexec -n t1 -v mgmt`, grammar},
	{"man/rdexec.8", `EXAMPLES: #!`, script},
	{"man/rdexec.8", `EXAMPLES: (rdexec -n blue|mkdir)`, lines},
	{"man/rdexec.8", `The resolvers of the host: rdexec`, by("runtime/enter/limits_test.go", "TestBusCanBeHidden")},
	{"man/rdexec.8", `VRF: ip rule`, lines},
}

// before makes the sandbox the machine that a page is read on: "" for each.
var before = map[string]string{
	"": `mkdir -p /etc/conf.d /etc/init.d /etc/systemd/system /etc/rdomain /etc/netns`,
	"README.md": `
		printf '#\n#\nvrf="${site}-mgmt"\n' >/etc/conf.d/ntpd
		printf '[Service]\nExecStart=/usr/sbin/httpd\n' >/etc/systemd/system/ntpd.service`,
	"docs/openrc.md": `
		mkdir -p /run/pkg/etc/init.d /run/pkg/etc/conf.d
		printf '#!/sbin/openrc-run\ncommand=/usr/sbin/sshd\n' >/run/pkg/etc/init.d/sshd
		echo vrf=mgmt >/run/pkg/etc/conf.d/sshd; mkdir /run/pkg/etc/rdomain
		printf "[Domain]\nKind=vrf\nTable=10\n" >/run/pkg/etc/rdomain/mgmt.conf`,
	"docs/domains.md": `
		ip link add eth2 type veth peer name lan2; ip link set lan2 up; ip address add 10.20.0.2/24 dev eth2; ip link set eth2 up`,
	"docs/import.md": `
		mkdir -p /etc/network /etc/wireguard
		printf 'auto eth0\niface eth0\n\taddress 192.0.2.2/24\n\tgateway 192.0.2.1\n\nauto mgmt\niface mgmt\n\tvrf-table 10\n' >/etc/network/interfaces
		printf '\tpost-up rc-service sshd start\n\nauto eth1\niface eth1\n\taddress 10.20.30.40/24\n\tgateway 10.20.30.1\n' >>/etc/network/interfaces
		printf '\tvrf mgmt\n\tethtool-offload-tso off\n' >>/etc/network/interfaces
		printf '[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.64.0.2/32\n' >/etc/wireguard/wg0.conf
		printf '\n[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n' >>/etc/wireguard/wg0.conf
		printf 'AllowedIPs = 0.0.0.0/0\nEndpoint = 192.0.2.1:51820\n' >>/etc/wireguard/wg0.conf`,
	"docs/s6.md": `
		mkdir -p /etc/s6/config /etc/s6/adminsv /etc/s6/sv/sshd-srv; : >/etc/s6/config/sshd.conf
		echo longrun >/etc/s6/sv/sshd-srv/type
		printf '#!/bin/execlineb -P\nenvfile /etc/s6/config/sshd.conf\nfdmove -c 2 1\nsshd -D\n' >/etc/s6/sv/sshd-srv/run
		for c in s6-db-reload s6-rc s6-svscanctl s6-instance-create; do printf '#!/bin/sh\n' >/run/stubs/$c; chmod +x /run/stubs/$c; done`,
	"man/rdexec.8": `
		ip netns add blue; ip -n blue link set lo up; ip -n blue address add 10.20.30.1/32 dev lo
		printf '#!/bin/sh\n[ "$(id -u)" = 123 ]\n' >/run/stubs/ntpd; chmod +x /run/stubs/ntpd`,
	"man/rdgen.conf.d.5": `
		printf '[Service]\nExecStart=/usr/sbin/httpd\n' >/etc/systemd/system/web.service
		printf '[Domain]\nKind=vrf\nTable=10\n' >/etc/rdomain/mgmt@t1.conf`,
	"man/rdomain.8": `
		printf '[Domain]\nKind=netns\n' >/etc/rdomain/mgmt.conf`,
	"rdgen-openrc.8":  machine,
	"rdgen-systemd.8": machine,
	"rdgen-s6.8":      machine,
}

// overlay is the inside of an image of s6-overlay.
const overlay = `
	rm -r /etc/s6; mkdir -p /etc/s6-overlay/s6-rc.d/web /etc/s6-overlay/s6-rc.d/user/contents.d
	echo longrun >/etc/s6-overlay/s6-rc.d/web/type; echo bundle >/etc/s6-overlay/s6-rc.d/user/type
	printf '#!/command/with-contenv sh\nexec web\n' >/etc/s6-overlay/s6-rc.d/web/run`

// svscan is a machine with s6 and without s6-rc.
const svscan = `
	rm -r /etc/s6-overlay; mkdir -p /run/service
	printf '[Service]\nExecStart=/usr/sbin/httpd\n' >/etc/systemd/system/web.service`

// machine has the service that the examples of rdgen are about.
const machine = `
	printf 'netns=private\ncommand_args_foreground=-D\n' >/etc/conf.d/sshd
	printf '#!/sbin/openrc-run\ncommand=/usr/sbin/sshd\n' >/etc/init.d/sshd
	printf '[Service]\nExecStart=/usr/sbin/sshd -D\n' >/etc/systemd/system/sshd.service`

// after leaves the sandbox as it was.
const after = `
	rdomain down --all
	for n in $(ip netns list | cut -d' ' -f1); do ip netns del $n; done
	! ip link show eth2 >/dev/null 2>&1 || ip link del eth2
	ip rule del pref 2001 2>/dev/null || :
	rm -rf /etc/conf.d /etc/init.d /etc/systemd /etc/rdomain /etc/netns /etc/network /etc/wireguard /etc/s6* /run/pkg /run/service`
