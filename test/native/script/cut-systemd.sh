#!/bin/sh
# shellcheck disable=SC2034 # of cut.sh
# What cut.sh asks of systemd: nginx, in the namespace private.
ip link set lo up
cd /root || exit 1
packages=rdgen
port=80
printf '[Domain]\nKind=netns\n' | install -D -m 0644 /dev/stdin /etc/rdomain/private.conf
mkdir -p /etc/conf.d
echo netns=private >/etc/conf.d/nginx
refresh() { systemctl daemon-reload; }
restart() { systemctl reset-failed nginx; systemctl restart nginx; }
main() { systemctl show -p MainPID --value nginx; }
end() { systemctl stop nginx; }
