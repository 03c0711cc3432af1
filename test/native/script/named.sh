#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# Files of conf.d that are called as a unit, and units that another generator makes.
told='ExecStartPre=/bin/sh -c '\''[ $$(readlink /proc/self/ns/net) != $$(readlink /proc/1/ns/net) ] || echo %n >>/run/leaked'\'
plain() { printf '[Service]\n%s\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' "$told"; }
for u in long both; do plain | unit $u.service; done
plain | unit tpl@.service
for f in long.service both.service both tpl@one.service nosuch.service old old2.service made written; do echo netns=private >/etc/conf.d/$f; done
systemctl enable long both tpl@one 2>/dev/null
# Scripts that only systemd-sysv-generator knows.
for s in old old2; do
	cat >/etc/init.d/$s <<E
#!/bin/sh
### BEGIN INIT INFO
# Provides: $s
# Required-Start: \$remote_fs
# Required-Stop: \$remote_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: $s
### END INIT INFO
[ "\$1" = start ] || exit 0
[ "\$(readlink /proc/self/ns/net)" != "\$(readlink /proc/1/ns/net)" ] || echo $s >>/run/leaked
: >/run/$s.ran
sleep infinity >/dev/null 2>&1 &
E
	chmod 755 /etc/init.d/$s
	for level in 2 3 4 5; do
		mkdir -p /etc/rc$level.d
		ln -sf ../init.d/$s /etc/rc$level.d/S01$s
	done
done
# Units of somebody else's generators, which write them late and in pieces: two that conf.d
# names, a companion of one that it names, and a first command for it. Of the generators one
# is started before rdgen's, one after it.
mkdir -p /etc/systemd/system-generators
plain | sed '/Install/,$d' >/usr/local/lib/foreign
cat >/etc/systemd/system-generators/foreign <<'E'
#!/bin/sh
mkdir -p "$1/multi-user.target.wants" "$1/long.service.d"
for u in made written; do
	head -c 9 /usr/local/lib/foreign >"$1/$u.service"
	ln -s ../$u.service "$1/multi-user.target.wants/"
done
sleep 1
for u in made written; do cp /usr/local/lib/foreign "$1/$u.service"; done
printf '[Service]\nExecStartPre=/bin/touch /run/long.more\n' >"$1/long.service.d/more.conf"
E
cat >/etc/systemd/system-generators/zz-foreign <<'E'
#!/bin/sh
sleep 1
mkdir -p "$1/multi-user.target.wants"
{ printf '[Unit]\nPartOf=long.service\n'; cat /usr/local/lib/foreign; } >"$1/comp.service"
ln -s ../comp.service "$1/multi-user.target.wants/"
E
chmod 755 /etc/systemd/system-generators/foreign /etc/systemd/system-generators/zz-foreign
systemctl daemon-reload
ok "NAME.service means NAME" systemctl start long
ok "inside" inside long private
ok "with the command that another generator adds" test -e /run/long.more
fails "and no other unit is made" systemctl cat long.service.service
ok "two files of one name" systemctl start both
ok "inside" inside both private
ok "an instance by its full name" systemctl start tpl@one
ok "inside" inside tpl@one private
fails "a name that has no unit has none afterwards" systemctl cat nosuch.service.service
fails "and none that starts" systemctl start nosuch
fails "rdgen check says so" rdgen check nosuch.service
if [ -e /run/systemd/generator.late/old.service ]; then
	ok "a script of systemd-sysv-generator's" systemctl start old
	ok "has run" test -e /run/old.ran
	ok "and one by its unit's name" systemctl start old2
	ok "has run" test -e /run/old2.ran
else
	fails "without systemd-sysv-generator no script starts" systemctl start old
fi
for u in made written comp; do
	ok "a unit of another generator's starts: $u" systemctl start $u
	ok "inside" inside $u private
done
fails "and rdgen check says nothing of them" sh -c 'rdgen check 2>&1 | grep -e made -e written -e comp'
ok "nothing ran outside" test ! -e /run/leaked
