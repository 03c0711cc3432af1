#!/bin/sh
# Does to openrc-run.sh and start-stop-daemon.sh what Alpine's patches of OpenRC do.
cd /lib/rc/sh || exit
awk '/^# load service supervisor functions/ {
	print "RC_VRF_EXEC=\"\""
	print "if [ -n \"$vrf\" ]; then RC_VRF_EXEC=\"ip vrf exec $vrf\"; fi"
	print "if [ -n \"$netns\" ]; then RC_VRF_EXEC=\"ip netns exec $netns $RC_VRF_EXEC\"; fi"
} { print }' openrc-run.sh >new; cat new >openrc-run.sh; rm new
sed -i 's/eval start-stop-daemon/eval ${RC_VRF_EXEC} start-stop-daemon/' start-stop-daemon.sh
sed -i 's/eval supervise-daemon/eval ${RC_VRF_EXEC} supervise-daemon/' supervise-daemon.sh
grep -l RC_VRF_EXEC ./*.sh | sed "s,^./,,"
