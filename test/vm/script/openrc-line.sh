#!/bin/sh
# shellcheck disable=SC2086,SC2154
# A host of a package with rdgen's line in its scripts, with openrc-tools.sh. $services
# are its services.

# part: packaged
mv /etc/rc.conf.d/50-rdgen.conf /root/; cp -r /etc/init.d /root/before
rdgen openrc $services rules.netns --root / -o /
rdgen openrc $services rules.netns --root / -o / --check
for s in decl auto super own rules; do
	diff /root/before/$s /etc/init.d/$s | grep -c '^[<>]'; head -n 1 /etc/init.d/$s
done | sort | uniq -c

# part: without the helper
await count 0; mv /usr/libexec/rdgen/openrc.sh /root/
rc-service own.vrf start 2>&1 | grep -c 'openrc.sh'; refused rc-service own.vrf start | grep 'failed to start'; rc-service decl.none start >/dev/null; await count 1; where; rc-service decl.none stop >/dev/null; await count 0
mv /root/openrc.sh /usr/libexec/rdgen/
