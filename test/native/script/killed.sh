#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# systemd goes on without the files of a generator that did not come to its end.
unit held.service <<'E'
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
E
unit held.socket <<'E'
[Socket]
ListenStream=127.0.0.1:7201
E
unit tpl@.service <<'E'
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
E
unit free.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
E
unit free@.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
E
unit atboot.service <<'E'
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
E
# An instance with a backslash, a unit with assertions of its own that hold, and one that
# conf.d does not name, whose own do not.
unit odd@.service <<'E'
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
E
unit also.service <<'E'
[Unit]
AssertPathExists=|/usr
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
E
unit never.service <<'E'
[Unit]
AssertPathExists=|/nonexistent
[Service]
ExecStart=/bin/sleep infinity
E
for s in held tpl@ free@one atboot 'odd@a\x2db' also; do echo netns=private >"/etc/conf.d/$s"; done
systemctl enable atboot 2>/dev/null
systemctl daemon-reload
ok "rdgen came to its end" test -e /run/systemd/generator/rdgen.done
ok "a service starts" systemctl start held
ok "inside" inside held private
ok "an instance too" systemctl start tpl@one
ok "one with a backslash" systemctl start 'odd@a\x2db'
ok "one with an assertion that holds" systemctl start also
fails "one whose assertion does not hold does not start" systemctl start never
rm -f /run/leaked
# Drop-ins of the administrator that take away all assertions that come before them.
for s in held also; do
	mkdir -p /etc/systemd/system/$s.service.d
	printf '[Unit]\nAssertPathExists=\n' >/etc/systemd/system/$s.service.d/override.conf
	printf '[Unit]\nAssertPathExists=\n' >/etc/systemd/system/$s.service.d/zz-last.conf
done
# And two that take the hold away: rdgen check finds them, because these start outside.
for s in lifted hidden; do
	printf '[Service]\nExecStart=/bin/sleep infinity\n' | unit $s.service
	mkdir -p /etc/systemd/system/$s.service.d
	echo netns=private >/etc/conf.d/$s
done
ok "nothing takes the hold away" rdgen check lifted hidden
printf '[Unit]\nAssertPathExists=\n' >/etc/systemd/system/lifted.service.d/zzzzz.conf
: >/etc/systemd/system/hidden.service.d/zzzz-rdgen.conf
fails "an assertion that is reset is found" rdgen check lifted
ok "by file and line" has "rdgen check lifted 2>&1" 'error: /etc/systemd/system/lifted.service.d/zzzzz.conf:2: AssertPathExists= resets'
fails "and a file in place of the hold" rdgen check hidden
ok "by its file" has "rdgen check hidden 2>&1" 'error: /etc/systemd/system/hidden.service.d/zzzz-rdgen.conf: systemd reads this'
# One that fails at once, and one that made a part of its files. (One that dies by a signal
# takes the others along: docs/systemd.md.)
generator=/usr/lib/systemd/system-generators/rdgen
mv $generator /root/generator
# The first time zzzz-rdgen.conf is alone.
mkdir -p /etc/systemd/system-generators
ln -s /dev/null /etc/systemd/system-generators/rdgen-removed
for how in 'exit 1' 'mkdir -p "$1/held.service.d"; echo "[Unit]" >"$1/held.service.d/zz-rdomain.conf"; exit 2'; do
	printf '#!/bin/sh\n%s\n' "$how" >$generator
	chmod 755 $generator
	systemctl daemon-reload
	ok "$how: what runs goes on" systemctl is-active held
	systemctl stop held tpl@one 'odd@a\x2db' also
	fails "$how: the service does not start" systemctl start held
	ok "$how: the assertion says why" has "systemctl status held" '[Aa]ssert'
	fails "$how: nor an instance" systemctl start tpl@one
	fails "$how: nor one with a backslash" systemctl start 'odd@a\x2db'
	fails "$how: nor one with an assertion that holds" systemctl start also
	fails "$how: nor one whose assertion does not hold" systemctl start never
	fails "$how: nor its socket" systemctl start held.socket
	ok "$how: nothing ran" test ! -e /run/leaked
	ok "$how: others start" systemctl start free free@two
	ok "$how: and what check has named" systemctl start lifted
	ok "$how: outside" test "$(netns_of lifted)" = "$(readlink /proc/1/ns/net)"
	if [ -e /etc/systemd/system-generators/rdgen-removed ]; then # which would hold this one
		ok "$how: and the other" systemctl start hidden
		ok "$how: outside" test "$(netns_of hidden)" = "$(readlink /proc/1/ns/net)"
	fi
	systemctl stop free free@two lifted hidden
	mv /root/generator $generator
	systemctl daemon-reload
	ok "$how: after the next reload it starts" systemctl start held
	ok "$how: inside" inside held private
	systemctl start tpl@one 'odd@a\x2db' also
	rm -f /run/leaked /etc/systemd/system-generators/rdgen-removed
	mv $generator /root/generator
done
# One of the administrator's own that is called so, and does nothing.
mv /root/generator $generator
printf '#!/bin/sh\n' >/etc/systemd/system-generators/rdgen
chmod 755 /etc/systemd/system-generators/rdgen
systemctl daemon-reload
systemctl stop held
fails "another generator of the name: the service does not start" systemctl start held
rm /etc/systemd/system-generators/rdgen
mv $generator /root/generator
# Turned off, it holds nobody: the files are somebody's own.
mv /root/generator $generator
ln -s /dev/null /etc/systemd/system-generators/rdgen
systemctl stop held
rdgen systemd held -o /etc
systemctl daemon-reload
ok "with the generator turned off, the files in /etc are enough" systemctl start held
ok "inside" inside held private
rm /etc/systemd/system-generators/rdgen /etc/systemd/system/held.service.d/zz-rdomain.conf
# The next boot.
mv $generator /root/generator
printf '#!/bin/sh\nexit 1\n' >$generator
chmod 755 $generator
