#!/bin/sh
# The VRF mgmt once more, as the page has it. AppArmor confines a service in it and one in the
# namespace private, whether its unit names the profile or the program does.
printf '[Domain]\nKind=vrf\nTable=10\n\n[Link eth1]\n' >/etc/rdomain/mgmt.conf
cat >/etc/apparmor.d/web <<'E'
abi <abi/4.0>,
include <tunables/global>
profile web /usr/local/bin/probe {
  include <abstractions/base>
  network inet stream,
  network inet6 stream,
  /usr/local/bin/probe mr,
}
E
ok "a profile" apparmor_parser -r /etc/apparmor.d/web
for at in 1 2; do
	unit web$at.service <<-E
		[Service]
		ExecStart=/usr/local/bin/probe serve 0.0.0.0:811$at
	E
	unit named$at.service <<-E
		[Service]
		AppArmorProfile=web
		ExecStart=/usr/local/bin/probe serve 0.0.0.0:812$at
	E
done
confined() { [ "$(cat "/proc/$(systemctl show -p MainPID --value "$1")/attr/current")" = "web (enforce)" ]; }
# Those of the part "names".
for name in ask asks; do
	unit $name@.service <<-'E'
		[Service]
		Type=oneshot
		# Nobody answers: one question is enough.
		Environment="RES_OPTIONS=timeout:1 attempts:1"
		ExecStart=-/usr/bin/getent ahostsv4 %i.example
	E
	echo vrf=mgmt >/etc/conf.d/$name@
done
mkdir -p /etc/systemd/system/asks@.service.d
printf '[Service]\nBindReadOnlyPaths=/run/systemd/resolve/resolv.conf:/etc/resolv.conf\n' >/etc/systemd/system/asks@.service.d/names.conf
for service in web1 named1; do echo vrf=mgmt >/etc/conf.d/$service; done
for service in web2 named2; do echo netns=private >/etc/conf.d/$service; done
systemctl daemon-reload
for service in web1=mgmt named1=mgmt web2=private named2=private; do
	unit=${service%=*}
	ok "$unit starts" systemctl start "$unit"
	ok "confined" await confined "$unit"
	is "inside" "${service#*=}" sh -c "rdomain identify \$(systemctl show -p MainPID --value $unit)"
done
ok "rdexec from the command line" rdexec -v mgmt -- true
is "nothing of rdgen was denied anything" "" sh -c 'journalctl -k | grep apparmor=.DENIED. | grep -E "=.[^ ]*(rdgen|rdomain|rdexec)"'

# part: names
# glibc asks resolved's stub at 127.0.0.53, as on Ubuntu. A VRF has no such address; there the
# servers that resolved knows are asked, where the unit sees their file.
mkdir -p /etc/systemd/resolved.conf.d
printf '[Resolve]\nDNS=10.20.30.1\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n' >/etc/systemd/resolved.conf.d/x.conf
sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
systemctl restart systemd-resolved
tcpdump -i eth1 -n -l -Z root udp port 53 >/run/eth1 2>/run/eth1.err &
await grep -q "listening on eth1" /run/eth1.err
ok "a lookup by the stub" systemctl start ask@first
ok "and by the servers" systemctl start asks@second
ok "leaves by the VRF" has "cat /run/eth1" "10.20.30.40.* A? second.example"
fails "the other does not" grep first.example /run/eth1
