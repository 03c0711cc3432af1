#!/bin/sh
# The end of the services of source.sh, and of their domain. A second down is none.
stop
rm -rf /srv/scan
oneshot rdomain-mgmt down
oneshot rdomain-mgmt down
gone
