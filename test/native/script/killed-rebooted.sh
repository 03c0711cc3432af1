#!/bin/sh
# After a boot at which rdgen's generator failed.
ok "the boot came to its end" has "systemctl list-units" multi-user.target
ok "nothing ran outside" test ! -e /run/leaked
fails "what is wanted at boot does not run" systemctl -q is-active atboot
fails "and does not start" systemctl start atboot
rm -f /etc/systemd/system-generators/rdgen-removed
mv /root/generator /usr/lib/systemd/system-generators/rdgen
systemctl daemon-reload
ok "after a reload it starts" systemctl start atboot
ok "inside" inside atboot private
