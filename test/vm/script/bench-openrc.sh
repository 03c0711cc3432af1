#!/bin/sh
# One service without a domain and in each kind of one, as tick.KIND.
mkdir -p /etc/conf.d
for d in t1 mgmt inner@t1; do ln -s rdomain "/etc/init.d/rdomain.$d"; done
for k in none netns vrf both; do ln -s tick "/etc/init.d/tick.$k"; done
echo netns=t1 >/etc/conf.d/tick.netns
echo vrf=mgmt >/etc/conf.d/tick.vrf
printf 'vrf=inner\nnetns=t1\n' >/etc/conf.d/tick.both
exec </dev/null >/dev/null 2>&1
rc-update -u
for k in none netns vrf both; do rc-service "tick.$k" start; done
