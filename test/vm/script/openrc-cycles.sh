#!/bin/sh
# Starts and stops, with openrc-tools.sh.

# part: once
for k in vrf both; do ln -s tick /etc/init.d/tick.$k; done
echo vrf=mgmt >/etc/conf.d/tick.vrf; printf 'vrf=inner\nnetns=t1\n' >/etc/conf.d/tick.both
pairs 'rc-service $1 start && rc-service $1 stop' tick.vrf tick.both; look >/tmp/before; echo end

# part: five
pairs 'for n in $(seq 5); do rc-service $1 start && rc-service $1 stop || exit 1; done' tick.vrf tick.both
grep -v -e 'Starting tick' -e 'Stopping tick' /tmp/said.* | grep . || :

# part: left
look | diff /tmp/before - || :; pgrep -x sleep || :
