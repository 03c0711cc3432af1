#!/bin/sh
# shellcheck disable=SC2010,SC2086
# Attempts to make services of OpenRC leak, with openrc-tools.sh.

# part: stale
for k in netns both; do ln -s decl /etc/init.d/decl.stale$k; : >/etc/conf.d/decl.stale$k; done
rc-update -u >/dev/null 2>&1; for d in init conf; do touch -r /run/openrc/deptree /etc/$d.d /etc/$d.d/*; done
printf 'port=8165\nnetns=t1\n' >/etc/conf.d/decl.stalenetns; printf 'port=8166\nnetns=t1\nvrf=inner\n' >/etc/conf.d/decl.staleboth; touch -r /run/openrc/deptree /etc/conf.d/*
/lib/rc/bin/rc-depend -t ineed decl.stalenetns decl.staleboth | grep rdomain || :
pairs 'rc-service $1 start' decl.stalenetns decl.staleboth; await count 2; where
rc-service rdomain.inner@t1 stop >/dev/null 2>&1; await count 1; where; rc-service rdomain.t1 stop >/dev/null 2>&1; await count 0
rm -r /run/openrc/rdgen-stopped # they would come back with t1

# part: names
ln -s rdomain /etc/init.d/rdomain.broken; echo '[Domain' >/etc/rdomain/broken.conf
instance() { ln -s decl /etc/init.d/decl.$1; printf 'port=%s\n%s\n' "$2" "$3" >/etc/conf.d/decl.$1; }
instance missing 8161 netns=missing
instance broken 8162 vrf=broken
instance words 8163 "netns='t1 -v mgmt'"
instance late 8164 'netns="$(echo t1)"'
refused rc-service decl.missing start
refused rc-service decl.broken start | sed 's/, found.*//; s/ such as.*//'
refused rc-service decl.words start
rc-service decl.late start >/dev/null; await count 1; where

# part: broken ways
rc-service decl.late stop >/dev/null; await count 0
rc-service decl.vrf start >/dev/null; rc-service decl.vrf stop >/dev/null # its domain is up
chmod -x /usr/sbin/rdexec; refused rc-service decl.netns start; chmod +x /usr/sbin/rdexec
mv /usr/sbin/rdexec /root/; refused rc-service decl.vrf start; mv /root/rdexec /usr/sbin/
refused setpriv --bounding-set=-bpf,-net_admin,-sys_admin rc-service decl.vrf start
mv /usr/libexec/rdgen/openrc.sh /root/; refused rc-service own.netns start; mv /root/openrc.sh /usr/libexec/rdgen/
cp -p /lib/rc/sh/openrc-run.sh /root/; sed -i 's/sourcex/load/g' /lib/rc/sh/openrc-run.sh
rc-service decl.netns start >/dev/null; await count 1; where; rc-service decl.netns stop >/dev/null; await count 0
rc-service decl.none start >/dev/null; await count 1
cp -p /root/openrc-run.sh /lib/rc/sh/; where; ls /run/openrc/started | grep -e decl -e own -e rdomain || :

# part: gone
rc-service rdomain-watch stop >/dev/null 2>&1; mv /etc/init.d/rdomain-watch /root/; rc-update -u >/dev/null 2>&1
nft add table inet keep
pairs 'rc-service $1 start' decl.vrf own.netns rules.netns; await count 3
ip link del mgmt; ip netns del t1
rc-service decl.vrf status; rc-service own.netns status
rc-service decl.vrf stop 2>&1 | grep -e stopping; rc-service own.netns stop 2>&1 | grep -e stopping; rc-service rules.netns stop 2>&1 | grep -e stopping
nft list tables
refused rc-service decl.vrf start; refused rc-service own.netns start
await count 1; where
