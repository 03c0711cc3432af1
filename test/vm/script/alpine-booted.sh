#!/bin/sh
# The machine has booted with crond and ntpd in its default runlevel.
domain() { rdomain identify "$(cat /run/"$1".pid)"; }
there() { [ "$(domain crond) $(domain ntpd)" = "mgmt private" ]; }
# elsewhere: the processes of theirs that are in no domain
elsewhere()
{
	for pid in $(pgrep -x 'crond|ntpd'); do
		[ -n "$(rdomain identify "$pid")" ] || [ ! -e "/proc/$pid" ] || tr '\0' ' ' <"/proc/$pid/cmdline"
	done
}

ok "crond is in the VRF, ntpd in the namespace" await there
is "no process of theirs is elsewhere" "" elsewhere
ok "the VRF has its link" sh -c 'ip link show eth1 | grep -q "master mgmt"'
ok "rdomain check" rdomain check mgmt
is "nothing crashed" "" sh -c 'rc-status -a | grep crashed'
