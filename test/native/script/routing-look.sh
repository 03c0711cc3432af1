#!/bin/sh
# What docs/routing.md has made.
learned() { ip ${2:+-n "$2"} route show "$1" proto bgp | grep -q "^$1"; }
ok "the machine has learned the domain's network" await learned 10.99.0.0/24
ok "and the domain the machine's" await learned 10.98.0.0/24 private
ok "by the cable" sh -c 'ip route show 10.99.0.0/24 | grep -q "via 10.255.0.2 dev veth-private"'
ok "another host of the machine's network reaches the domain's" ip netns exec here ping -c 1 -W 5 10.99.0.1
of() { rdomain ps "$1" | awk 'NR > 1 {print $NF}' | sort | tr '\n' ' '; }
is "all of the domain's FRR is inside" "bgpd mgmtd staticd watchfrr zebra " of private
is "and the machine's runs as often" 2 pgrep -xc zebra
fails "zebra of the machine sees no link of the domain" sh -c 'vtysh -c "show interface brief" | grep lab0'
fails "and the other none of the machine" sh -c 'vtysh -N private -c "show interface brief" | grep lan0'
# A daemon that dies is started again by watchfrr, inside.
pid=$(rdomain ps private | awk '$NF == "bgpd" {print $2}')
again() { now=$(rdomain ps private | awk '$NF == "bgpd" {print $2}'); [ -n "$now" ] && [ "$now" != "$pid" ]; }
kill -KILL "$pid"
ok "a bgpd that is killed is there again, inside" await again
ok "and has its session" await learned 10.98.0.0/24 private
if [ -d /run/systemd/system ]; then
	ok "the domain goes" systemctl stop rdomain@private
else
	ok "the domain goes" rc-service rdomain.private stop
fi
is "with its FRR" 1 pgrep -xc zebra
unlearned() { ! learned 10.99.0.0/24; }
ok "and the machine forgets its network" await unlearned
