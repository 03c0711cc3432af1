#!/bin/sh
# After that boot.
ok "the boot came to its end" has "systemctl list-units" multi-user.target
ok "the generators were killed" test -e /run/once
ok "and ran once more" test -e /run/systemd/generator/rdgen.done
ok "nothing ran outside" test ! -e /run/leaked
ok "nothing listens outside" test -z "$(ss -Htln sport = 7301)"
ok "all start" systemctl start real comp main ear.socket
for u in real comp main; do ok "inside: $u" inside $u private; done
