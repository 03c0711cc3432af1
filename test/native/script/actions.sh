#!/bin/sh
# A wrong line in conf.d makes a unit fail, and it ends the machine when it fails, or when it
# is started too often: nothing ends.
unit box.service <<'X'
[Unit]
FailureAction=exit-force
StartLimitAction=exit-force
StartLimitBurst=2
StartLimitIntervalSec=1h
[Service]
ExecStart=/bin/sleep infinity
X
unit box.socket <<'X'
[Unit]
FailureAction=exit-force
[Socket]
ListenStream=127.0.0.1:7301
X
echo netns=/wrong >/etc/conf.d/box
systemctl daemon-reload
fails "the unit does not start" systemctl start box
fails "nor once more" systemctl start box
fails "nor beyond its limit" systemctl start box
ok "which it has reached" has "journalctl -u box.service" "repeated too quickly"
fails "nor does its socket" systemctl start box.socket
ok "and the machine runs" has "systemctl is-system-running" 'running\|degraded'
echo netns=private >/etc/conf.d/box
systemctl daemon-reload
systemctl reset-failed box.service box.socket
ok "the line mended, what the unit says holds" has "systemctl show -p FailureAction box" exit-force
ok "rdgen check says that it counts" has "rdgen check 2>&1" 'box.service:2: FailureAction=exit-force'
ok "and it starts" systemctl start box
systemctl stop box
