#!/bin/sh
# shellcheck disable=SC2046,SC2086
# What is tried in real VRFs, between the hosts of two.sh.

# part: identify
rdexec -v mgmt -- sleep 1000 & echo $! >/run/test/joined
ip vrf exec mgmt sleep 1001 & echo $! >/run/test/theirs
rdexec -n t1 -v inner -- sleep 1002 & echo $! >/run/test/inner
rdexec -v mgmt -c /elsewhere -- sleep 1003 & echo $! >/run/test/elsewhere
sleep 1004 & echo $! >/run/test/outside
for n in 0 1 2 3 4; do await pgrep -x -f "sleep 100$n"; done
cat /run/test/elsewhere >$(cg)/elsewhere/cgroup.procs

# part: ps
cd /run/test || exit; ip vrf pids mgmt | grep -w $(cat joined); ip vrf pids mgmt | grep -w $(cat theirs)
rdomain ps mgmt >list; for p in joined theirs elsewhere; do grep -w $(cat $p) list; done; ! grep -w $(cat outside) list || exit 1
rdomain ps inner@t1 | grep -w $(cat inner)
kill $(cat joined theirs inner elsewhere outside)
await rmdir $(cg)/elsewhere
rdexec -v mgmt -- probe listen 0.0.0.0:7007 >/dev/null 2>&1 & pid=$!
await sh -c "ss -Htln | grep 7007"; ss -Htln | grep -F 0.0.0.0%mgmt:7007; kill $pid

# part: old daemons
for a in 0.0.0.0:7001 "[::]:7002"; do
	rdexec -v mgmt -- probe listen $a >/dev/null 2>&1 & echo $! >>/run/test/old
done
rdexec -v mgmt -c /kept -- true
await ip netns exec lan probe ask 10.20.30.40:7001
await ip netns exec lan probe ask "[2001:db8:1::40]:7002"
ip link del mgmt
ip address replace 10.20.30.40/24 dev eth1; ip address replace 2001:db8:1::40/64 dev eth1

# part: new daemons
kill $(cat /run/test/old)
for a in 0.0.0.0:7001 "[::]:7002"; do
	rdexec -v mgmt -- probe listen $a >/dev/null 2>&1 & echo $! >>/run/test/new
done
await ip netns exec lan probe ask 10.20.30.40:7001
await ip netns exec lan probe ask "[2001:db8:1::40]:7002"
rdexec -v mgmt -c /kept -- true
echo 0 >$(cg)/kept/cgroup.procs; rdomain check --self -v mgmt; echo 0 >$(cg)/cgroup.procs; rmdir $(cg)/kept
kill $(cat /run/test/new)

# part: nested
rdexec -n t1 -v inner -- ip vrf identify | grep -qx inner
rdexec -v mgmt -- ip vrf exec mgmt probe sockets | grep -x 'tcp4 mgmt'
rdexec -v mgmt -- ip vrf exec mgmt rdomain check --self -v mgmt
rdexec -v mgmt -- ip vrf exec default probe sockets | grep -x 'tcp4 -'
rdexec -v mgmt -- ip vrf exec default rdexec -v mgmt -- rdomain check --self -v mgmt
rdexec -v mgmt -- sh -c 'ip vrf exec mgmt true; rdomain check --self -v mgmt'
rm -f /run/test/go; rdexec -v mgmt -- sh -c 'await test -e /run/test/go; rdomain check --self -v mgmt' & pid=$!
await sh -c 'ip vrf pids mgmt | grep -w '$pid; ip vrf exec mgmt true; touch /run/test/go; wait $pid
ip vrf exec mgmt rdexec -v mgmt -- rdomain check --self -v mgmt
rdexec -v mgmt -- rdexec -v mgmt -- rdomain check --self -v mgmt
rdexec -v mgmt -- rdexec -n t1 -v inner -- rdomain check --self -n t1 -v inner
rdexec -v mgmt -- ip netns exec t1 ip vrf exec inner probe sockets | grep -x 'tcp6 inner'
ip netns exec t1 rdexec -v inner -- rdomain check --self -n t1 -v inner
