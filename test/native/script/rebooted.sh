#!/bin/sh
# After a reboot: what domains.sh has enabled.
await sh -c 'systemctl is-active early || systemctl is-failed early'
ok "the domain is there after a reboot, before what is After=network.target" systemctl is-active rdomain@private early
ok "with all of its addresses" has "journalctl -b -u early" 192.0.2.3
ok "and the administrator's links" has "journalctl -b -u early" 10.9.0.2
ok "by which it is reached" ping -c 1 -W 10 10.9.0.2
ok "no cycle was broken" sh -c '! journalctl -b | grep -i "ordering cycle"'
ok "what the machine stopped when it went down is not noted" test -d /var/noted -a ! -e /var/noted/private
