#!/bin/sh
# After a reboot: what openrc.sh has added to a runlevel.
ok "the service of the runlevel is inside" await inside_t1 "8110 "
ok "and its domain was started" sh -c "rc-service rdomain.t1 status | grep -q started"
ok "nothing listens outside" outside ""
