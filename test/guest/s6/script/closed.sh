#!/bin/sh
# shellcheck disable=SC2154
# The service cannot enter its domain, for the reason $why: it does not run, and its log,
# which is printed, says so at each try.
rm -rf /srv/scan /var/log/httpd; mkdir /srv/scan
svscan=s6-svscan
case $why in
"no rdexec") rdomain up mgmt; mv /usr/sbin/rdexec /root/ ;;
"no BPF") svscan="setpriv --bounding-set -all s6-svscan" ;;
esac
place
rm -rf /srv/scan/sh-* /srv/scan/xl
# shellcheck disable=SC2086
setsid $svscan /srv/scan >/srv/scan.log 2>&1 &
until_ '[ $(grep -c . /var/log/httpd/current) -ge 4 ]'
! ss -Htln | grep :8080 || exit 1
! pidof busybox || exit 1
stop
case $why in
"no rdexec") mv /root/rdexec /usr/sbin/ ;;
"no BPF") rdomain down mgmt ;;
esac
cat /var/log/httpd/current
