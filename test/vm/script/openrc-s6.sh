#!/bin/sh
# shellcheck disable=SC2046,SC2086
# Services under s6-svscan, with openrc-tools.sh.

# part: prepare
for f in /usr/lib/execline/bin/*; do [ -e /usr/bin/${f##*/} ] || ln -s $f /usr/bin/; done
mount -o remount,exec /run; mkdir -p /var/svc.d/legacy
printf '#!/bin/sh\nexec /bin/busybox httpd -f -p 8151 -h /srv\n' >/var/svc.d/legacy/run; chmod +x /var/svc.d/legacy/run
echo vrf=mgmt >/etc/conf.d/tree; echo netns=t1 >/etc/conf.d/legacy
rc-service s6-svscan start >/dev/null 2>&1

# part: legacy
refused rc-service legacy start
where; sed -i 's/exec /exec rdexec -n t1 -- /' /var/svc.d/legacy/run
rc-service legacy start >/dev/null 2>&1; await listens 8151; where; rc-service legacy stop >/dev/null 2>&1; await silent 8151

# part: tree
rc-service tree start >/dev/null; await listens 8150; where; sockets | grep -o '%[a-z]*:[0-9]*'; ps -o user= -p $(pid 8150)
kill -9 $(pid 8150); await silent 8150; await listens 8150; where
rc-service tree status | grep -o '^up'
echo netns=t1 >/etc/conf.d/tree; rc-service tree restart >/dev/null; await listens 8150; where
: >/etc/conf.d/tree; rc-service tree restart >/dev/null; await listens 8150; where
rc-service tree stop >/dev/null; await silent 8150; ls -d /sys/fs/cgroup/openrc.tree 2>/dev/null || :
