#!/bin/sh
# What docs/split.md has made.
learned() { ip ${2:+-n "$2"} route show "$1" proto bgp | grep -q "^$1"; }
ok "the reflector's network is in the machine's table" await learned 172.20.0.0/16
ok "by a link of the machine" sh -c 'ip route show 172.20.0.0/16 | grep -q "via 10.98.0.9 dev lan0"'
fails "and not in the domain's" learned 172.20.0.0/16 edge
ok "what is there is reached" ping -c 1 -W 5 172.20.0.1
pid=$(cat /run/frr/edge/bgpd.pid)
is "bgpd is in the domain" edge rdomain identify "$pid"
fails "the machine has no session" sh -c 'ss -Htn | grep :179'
ok "the domain has" sh -c 'ip netns exec edge ss -Htn state established | grep 203.0.113.9'
ok "its packets are on the reflector's network" sh -c 'tcpdump -nr /run/test/reflector.pcap 2>/dev/null | grep "192.0.2.1\..*203.0.113.9\."'
fails "and none on the machine's" sh -c 'tcpdump -nr /run/test/machine.pcap 2>/dev/null | grep .'
unlearned() { ! learned 172.20.0.0/16; }
if [ -d /run/systemd/system ]; then
	ok "the domain goes" systemctl stop rdomain@edge
else
	ok "the domain goes" rc-service rdomain.edge stop
fi
fails "with its bgpd" test -e "/proc/$pid"
ok "and its routes" await unlearned
ok "zebra stays" pgrep -x zebra
