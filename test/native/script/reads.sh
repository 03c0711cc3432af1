#!/bin/sh
# shellcheck disable=SC2016,SC2086 # for other shells; names of units are words
# Which file systemd reads for a unit, and which drop-in: rdgen has to think the same, or a
# service starts outside.
lib=/usr/lib/systemd/system etc=/etc/systemd/system
told='ExecStartPre=/bin/sh -c '\''[ $$(readlink /proc/self/ns/net) != $$(readlink /proc/1/ns/net) ] || echo %n >>/run/leaked'\'
plain() { mkdir -p "${1%/*}"; printf '[Service]\n%s\nExecStart=/bin/sleep infinity\n' "$told" >"$1"; }
for u in bar.service bar@.service plain.service type.service tpl@.service of@.service own.service gone.service; do plain $lib/$u; done
printf '[Socket]\nListenStream=127.0.0.1:7301\n' >$lib/bar.socket
plain /opt/bar.service
plain /usr/local/lib/systemd/system/own.service
ln -s $lib/bar@.service $etc/plain.service
ln -s ../../../usr/lib/systemd/system/bar.socket $etc/type.service
ln -s $lib/bar.service $etc/tpl@.service
ln -s $lib/bar@two.service $etc/of@one.service
ln -s $lib/bar@.service $etc/of@three.service
ln -s $lib/bar@.service $etc/bar@own.service
ln -s /opt/bar.service $etc/away.service
ln -s $lib/own.service $etc/own.service
ln -s $lib/nosuch.service $etc/gone.service
for u in plain type tpl@x of@one of@three bar@own away own gone; do echo netns=private >/etc/conf.d/$u; done
systemctl daemon-reload
# reads UNIT FILE: systemd 252 calls /usr/lib /lib.
reads() { [ "$(systemctl show -p FragmentPath --value "$1" | sed 's|^/lib/|/usr&|')" = "$2" ]; }
while read -r u file; do
	ok "$u is read from $file" reads $u $file
	ok "and starts" systemctl start $u
	ok "inside" inside $u private
done <<E
plain $lib/plain.service
type $lib/type.service
tpl@x $lib/tpl@.service
of@one $lib/of@.service
of@three $lib/bar@.service
bar@own $lib/bar@.service
away $etc/away.service
own /usr/local/lib/systemd/system/own.service
E
fails "what leads to no unit does not start" systemctl start gone

# Of drop-ins of one name the folder of units counts, and then the name of the unit. Those
# with "wins" are read in place of rdgen's, and the unit may not start.
plain $lib/foo-bar@.service
echo netns=private >/etc/conf.d/foo-bar@x
read_is() { systemctl show -p DropInPaths foo-bar@x | grep -qF -- "$1/zz-rdomain.conf"; }
while read -r place wins; do
	mkdir -p "$place"
	printf '[Service]\nEnvironment=X=Y\n' >"$place/zz-rdomain.conf"
	systemctl daemon-reload
	if [ "$wins" = wins ]; then
		ok "$place is read" read_is "$place"
		fails "$place: so it does not start" systemctl start foo-bar@x
		ok "which rdgen check says" sh -c 'rdgen check 2>&1 | grep "zz-rdomain.conf: systemd reads this for foo-bar@x.service"'
	else
		fails "$place is not read" read_is "$place"
		ok "$place: so it starts" systemctl start foo-bar@x
		ok "inside" inside foo-bar@x private
		systemctl stop foo-bar@x
	fi
	rm -r "$place"
	systemctl reset-failed
done <<E
$etc/foo-bar@.service.d wins
$etc/foo-.service.d wins
/etc/systemd/system.control/foo-bar@x.service.d wins
/run/systemd/system/foo-bar@x.service.d wins
/run/systemd/transient/foo-bar@.service.d wins
/etc/systemd/system.attached/foo-bar@x.service.d wins
/run/systemd/system.attached/foo-bar@.service.d wins
$etc/foo-bar@y.service.d loses
$lib/foo-bar@x.service.d loses
/usr/local/lib/systemd/system/foo-bar@x.service.d loses
$etc/service.d loses
E
# Where a line ends, and which mount systemd takes: each of these was read otherwise.
mkdir -p /run/nscd
touch /run/nscd/socket
cat >$lib/line.service <<E
[Service]
$told
ExecStartPre=/bin/sh -c 'ls -A /run/nscd >>/run/leaked' \\$(printf '\t')
ExecStart=/bin/sleep infinity
E
echo netns=private >/etc/conf.d/line
# late UNIT TEXT: a unit with a drop-in that systemd reads after rdgen's.
late() {
	plain $lib/$1.service
	mkdir -p $etc/$1.service.d
	echo netns=private >/etc/conf.d/$1
	printf '[Service]\n%b\n' "$2" >$etc/$1.service.d/zzz.conf
}
late return '# text\rExecStartPre=\rNetworkNamespacePath='
late nul '# text\000ExecStartPre=\000NetworkNamespacePath='
late bind BindPaths=/run/nscd
late write ReadWritePaths=/run/nscd
late older ReadWriteDirectories=/run/nscd
late within BindReadOnlyPaths=/run/nscd/socket
late reset TemporaryFileSystem=
late hex SuccessExitStatus=0xff
late file BindReadOnlyPaths=/etc/resolv.conf
late mark '\0357\0273\0277ExecStartPre='
# At a line that is not UTF-8, and at a head without its end, systemd stops: this undoes nothing.
mkdir -p $etc/line.service.d
printf '[Service]\nUser=\377\nExecStartPre=\nNetworkNamespacePath=\n' >$etc/line.service.d/zzz.conf
printf '[Service]\n[Install\nExecStartPre=\nNetworkNamespacePath=\n' >$etc/line.service.d/zzzz.conf
# An instance has the drop-ins of what its template is called besides.
plain $lib/real@.service
ln -s $lib/real@.service $etc/name@.service
mkdir -p $etc/name@.service.d $etc/name@two.service.d
printf '[Service]\nExecStartPre=\nNetworkNamespacePath=\n' >$etc/name@two.service.d/zzz.conf
echo netns=private >/etc/conf.d/real@
# What is bound to a service by a setting's older name.
plain $lib/helper.service
printf '[Unit]\nBindTo=own.service\nAfter=own.service\n' >>$lib/helper.service
systemctl daemon-reload
ok "a backslash before a blank" systemctl start line
ok "inside" inside line private
ok "is a word" sh -c 'systemctl show -p ExecStartPre line | grep -F "argv[]=/bin/sh -c ls -A /run/nscd >>/run/leaked \\ ;"'
ok "and takes nothing along: the host's resolvers are hidden" test ! -s /run/leaked
rm -f /run/leaked
ok "BindTo= is BindsTo=" systemctl start helper
ok "inside" inside helper private
rdgen check >/run/checked 2>&1
fails "real@two does not start" systemctl start real@two
fails "nor by its other name" systemctl start name@two
ok "and rdgen check says why" grep -a "/name@two.service.d/zzz.conf:2: " /run/checked
for u in return nul bind write older within reset hex file mark; do
	fails "$u does not start" systemctl start $u
	ok "and rdgen check says why" grep -a "/$u.service.d/zzz.conf:[23]: " /run/checked
done
systemctl reset-failed
# No unit of a name of more than 253 bytes has drop-ins; the others have theirs.
long=$(printf '%0246d' 0)
plain $etc/$long.service
echo netns=private >"/etc/conf.d/$long"
systemctl daemon-reload
fails "a name of 254 bytes does not start" systemctl start $long
ok "the others do" systemctl restart own
ok "inside" inside own private
ok "nothing ran outside" test ! -e /run/leaked
