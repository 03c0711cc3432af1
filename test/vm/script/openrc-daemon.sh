#!/bin/busybox sh
# shellcheck shell=dash disable=SC1091,SC2086
# What the services run: it tries to reach the default domain, has a child say where it is,
# and becomes a web server.
. /usr/local/lib/tools.sh
! ping -c 1 -W 1 192.0.2.1 >/dev/null 2>&1 || echo "the daemon on port $1" >>/run/leaks
cat /etc/resolv.conf >/run/resolv.$1
sh -c 'echo "$1 child in $(rdomain identify $$)" >>/run/children' sh "$1" &
exec busybox httpd -f -p "$1" -h /srv
