#!/bin/sh
# A VRF that Alpine's networking makes: its ifupdown-ng passes over vrf-table and vrf-member
# without iproute2, so by ip lines; and a link that comes, goes and comes again, which mdev
# gives its name.
pid() { probe listeners | sed -n "s/^[0-9.]*%*${2-}:$1 //p"; }
domain() { rdomain identify "$(pid "$1" "${2-}")"; }
cat >>/etc/network/interfaces <<'X'

auto red
iface red
	vrf-table 30

auto blue
iface blue
	pre-up ip link add blue type vrf table 40
	post-down ip link delete blue

auto e1
iface e1
	link-type dummy
	address 10.9.0.1/24
	up ip link set e1 master blue
X
rc-service networking restart >/tmp/networking 2>&1
fails "vrf-table makes no VRF here" ip link show red
ok "ip lines make one" sh -c 'ip link show e1 | grep -q "master blue"'
printf '[Domain]\nKind=vrf\nTable=40\nManaged=no\n' >/etc/rdomain/blue.conf
ln -s rdomain /etc/init.d/rdomain.blue
cat >/etc/init.d/bluely <<'X'
#!/sbin/openrc-run
command=/usr/local/bin/probe
command_args="serve 0.0.0.0:8170"
command_background=yes
pidfile=/run/bluely.pid
X
chmod +x /etc/init.d/bluely
echo vrf=blue >/etc/conf.d/bluely
bluely() { [ "$(domain 8170 blue)" = blue ]; }
ok "a service starts in it" rc-service bluely start
ok "and is there" await bluely
ok "rdomain.blue stops" rc-service rdomain.blue stop
ok "and leaves the VRF alone" ip link show blue
ok "rdgen check" rdgen check bluely

# shellcheck disable=SC2016 # mdev's own variable
echo '$INTERFACE=usb0 root:root 660 @ip link set usb0 name late0' >/etc/mdev.conf
ok "mdev runs" mdev -d
printf '[Domain]\nKind=vrf\nTable=50\n\n[Link late0]\nAddress=10.9.2.1/24\n' >/etc/rdomain/green.conf
ln -s rdomain /etc/init.d/rdomain.green
late() { ip link show late0 2>/dev/null | grep -q 'master green' && ip addr show late0 | grep -q 10.9.2.1/24; }
ip link add usb0 type dummy
ok "a VRF with a link that mdev names starts" rc-service rdomain.green start
ok "and has it, with its address" late
ip link del late0
ip link add usb0 type dummy
ok "one that comes again is taken in" await late
