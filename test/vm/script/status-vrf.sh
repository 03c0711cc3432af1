#!/bin/sh
# What rdgen status says of a service in a VRF: that it is held there, and each way in which
# it is not.
ip link set lo up
: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
mkdir -p /srv
printf '[Domain]\nKind=vrf\nTable=10\n' >/etc/rdomain/mgmt.conf
printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 8081 -h /srv"\ncommand_background=yes\npidfile=/run/web.pid\n' >/etc/init.d/web
chmod +x /etc/init.d/web
echo vrf=mgmt >/etc/conf.d/web
ln -sf rdomain /etc/init.d/rdomain.mgmt
rc-update -u >/dev/null 2>&1
server() { pgrep -o -f '^/bin/busybox httpd -f -p 8081'; }
fine() { await rdgen status >/dev/null; }
drifts() { await sh -c "rdgen status | grep -q '!! web: process [0-9]* (.*$1'" || { rdgen status; return 1; }; }
kind_is() { rdgen status --json | grep -q "\"kind\": \"$1\""; }

ok "start" rc-service web start
ok "held in the VRF, nothing is wrong" fine
ok "with the table" sh -c "rdgen status | grep -q '^mgmt: up, vrf, table 10'"
ok "with the process" sh -c "rdgen status | grep -q 'service *web *$(server) *in mgmt'"

# Packets that are to leave the VRF by a link of the default domain.
ip link add cable type veth peer name cable-end
ip address add 10.9.9.1/24 dev cable
ip link set cable up
ip link set cable-end up
refused() { rdgen status --prometheus /run/rdgen.prom >/dev/null; sed -n 's/^rdgen_vrf_refused_packets_total{domain="mgmt"} //p' /run/rdgen.prom; }
ok "nothing was refused" [ "$(refused)" = 0 ]
ok "it is refused" sh -c '! rdexec -v mgmt -- ping -c 1 -W 1 -I cable 10.9.9.2'
ok "and counted" [ "$(refused)" -gt 0 ]
was=$(refused)
ok "another start does not begin again" rdexec -v mgmt -- true
ok "and counts nothing" [ "$(refused)" = "$was" ]
ok "status says it" sh -c "rdgen status | grep -q '^ *refused *$was *packets'"
ip link delete cable

# Another way in, which holds nothing.
pid=$(server)
ip vrf exec mgmt sleep infinity >/dev/null 2>&1 &
echo $! >/run/web.pid
ok "bound without the guard" drifts 'is in vrf mgmt, but nothing keeps its sockets there'
ok "its kind" kind_is unguarded
kill $!
echo "$pid" >/run/web.pid
ok "and no more" fine

# Somebody deletes the device.
ip link del mgmt
# One look has both: the watch makes it again meanwhile.
gone() { rdgen status --json >/tmp/gone; grep -q 'is bound to a vrf that is gone' /tmp/gone && grep -q '"kind": "gone"' /tmp/gone; }
ok "bound to what is gone, its kind" await gone
ok "the watch has it made again, and the service restarted" fine
ok "restart" await rc-service web restart
ok "nothing is wrong" fine

# And makes it again before the watch has looked twice.
pid=$(server)
ip link del mgmt
ip link add mgmt type vrf table 10
ip link set mgmt up
ok "made again by hand, the service is restarted" await sh -c "test \"\$(pgrep -o -f '^/bin/busybox httpd -f -p 8081')\" != '$pid' && rdgen status >/dev/null"
