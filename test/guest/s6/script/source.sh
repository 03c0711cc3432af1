#!/bin/sh
# Services of an OpenRC script and of source directories come up in mgmt.
mkdir -p /srv/scan
ln -s rdomain /etc/init.d/rdomain.mgmt
rdgen s6 --all -o /
rdgen s6 --all --check
rdgen check
oneshot rdomain-mgmt up
rdomain check mgmt
scan /srv/scan
place
s6-svscanctl -a /srv/scan
until_ 'listens 8080'
until_ 's6-svstat -o ready /srv/scan/xl | grep -q true'
grep -q "started /usr/local/sbin/ticker *as nobody" /var/log/xl/current
ps -o user= -p "$(pid /srv/scan/httpd)" | grep -q nobody
