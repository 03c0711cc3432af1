#!/bin/sh
# Service directories without s6-rc bring their domain up themselves.
rm -rf /srv/scan /etc/conf.d/sh-* /etc/conf.d/xl /var/log/httpd /etc/s6-rc; mkdir /srv/scan
rdgen s6 --all --flavor svscan -o /
rdgen check
for s in httpd wrapped; do ln -s /etc/s6/services/$s /srv/scan/$s; done
scan /srv/scan
until_ 'listens 8080'
in_t2() { rdomain identify "$(pid /srv/scan/wrapped)" | grep -qx t2; }
until_ in_t2
rdomain identify "$(pid /srv/scan/httpd)" | grep -qx mgmt
# The domain goes while the service runs: it comes back inside, or not at all.
rdomain down t2
s6-svc -r /srv/scan/wrapped
until_ in_t2
# A domain that cannot be made: the service does not run.
rdomain down t2
printf '[Domain]\nKind=vrf\n' >/etc/rdomain/t2.conf
s6-svc -r /srv/scan/wrapped
until_ 'grep -q "rdomain: fatal: .*t2.conf" /srv/scan.log'
! pidof -x ticker || exit 1
rm /etc/rdomain/t2.conf
until_ in_t2
stop
rdomain down t2 mgmt
rm -rf /srv/scan /etc/conf.d/wrapped
