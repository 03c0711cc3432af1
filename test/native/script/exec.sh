#!/bin/sh
# An ordinary user of Alpine in a domain, by its sudo, with busybox and musl.
adduser -D carol; adduser -D dave
printf '[Domain]\nAllowUsers=carol\n' >/etc/rdomain/work.conf
echo 'ALL ALL=(root) NOPASSWD: /usr/libexec/rdomain-exec' >/etc/sudoers.d/rdgen; chmod 0440 /etc/sudoers.d/rdgen
ok "the domain" rdomain up work
# shellcheck disable=SC2016 # for another shell
is "carol is inside, as herself" "carol work net:[$(stat -Lc %i /run/netns/work)]" \
	su carol -c '/usr/sbin/rdomain exec work -- sh -c "echo \$(id -un) \$RDOMAIN \$(readlink /proc/self/ns/net)"'
fails "dave is not" su dave -c '/usr/sbin/rdomain exec work -- true'
fails "and no rule lets carol in otherwise" su carol -c 'sudo -n /usr/sbin/rdexec -n work -- true'
ok "it goes" rdomain down work
