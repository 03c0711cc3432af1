#!/bin/sh
# A unit of Type=notify tells s6 that it is ready.
rm -rf /srv/scan; mkdir /srv/scan
rm -rf /etc/s6-rc/source/f*
rdomain up t9
place
scan /srv/scan
until_ 's6-svstat -o ready /srv/scan/notifies | grep -q true'
rdomain identify "$(pid /srv/scan/notifies)" | grep -qx t9
stop
rdomain down t9
