#!/bin/sh
# After a boot: what named.sh has put there starts in its domain, or not at all.
ok "the boot came to its end" has "systemctl list-units" multi-user.target
for u in long both tpl@one made written comp; do ok "at boot inside: $u" inside $u private; done
if [ -e /run/systemd/generator.late/old.service ]; then
	for s in old old2; do ok "a script, at boot" await test -e /run/$s.ran; done
fi
ok "nothing ran outside" test ! -e /run/leaked
