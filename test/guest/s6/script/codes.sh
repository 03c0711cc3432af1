#!/bin/sh
# 100 ends the restarts, anything else does not.
rm -rf /srv/scan /etc/s6-rc/source; mkdir /srv/scan
rdomain up t9
rdgen s6 f100 f111 f1 --netns t9 -o /
place
scan /srv/scan
until_ '[ $(wc -l </run/fails.111) -ge 3 ] && [ $(wc -l </run/fails.1) -ge 3 ]'
until_ 's6-svstat -o up,exitcode /srv/scan/f100 | grep -qx "false 100"'
[ "$(wc -l </run/fails.100)" = 1 ]
stop
rdomain down t9
