#!/bin/sh
# Has systemd read what is generated for every service of the machine, and prints
# what it says that it did not say before, or scores worse.
set -eu
mkdir -p /etc/conf.d
cd /usr/lib/systemd/system
# Except those that end the machine, and so conflict with whatever they would need.
for u in *.service; do
	case $u in
	*@* | emergency.* | rescue.* | systemd-exit.* | systemd-halt.* | systemd-kexec.* | systemd-poweroff.* | systemd-*reboot.*) ;;
	*) [ -L "$u" ] || [ -L "/etc/systemd/system/$u" ] || echo "${u%.service}" ;;
	esac
done >/run/services
look() {
	sed 's/$/.service/' /run/services | xargs systemd-analyze verify --recursive-errors=yes >"/run/verify.$1" 2>&1 || :
	sed 's/$/.service/' /run/services | xargs systemd-analyze security --no-pager | grep 'Overall exposure' >"/run/security.$1"
}
look before
while read -r s; do printf 'vrf=inner\nnetns=private\n' >"/etc/conf.d/$s"; done </run/services
printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@private.conf 2>/dev/null || { mkdir /etc/rdomain; printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@private.conf; }
# Those that run before any domain can be there are refused, each with its line; and what
# does nothing but start others.
rdgen systemd --all -o / >/run/rdgen 2>&1 || sed -n 's/^rdgen: error: [^ ]* \([^ ]*\)\.\(service\|socket\) runs \(before\|nothing but\) .*/\1/p' /run/rdgen | while read -r s; do rm "/etc/conf.d/$s"; sed -i "/^$s$/d" /run/services; done
rdgen systemd --all -o / >/run/rdgen 2>&1 || cat /run/rdgen
set -- /etc/systemd/system/*.service.d/zz-rdomain.conf
echo $#
wc -l </run/services
systemctl daemon-reload; look after; wc -l </run/security.after
grep -vxFf /run/verify.before /run/verify.after || :
score() { sed 's/.*for //; s/\.service: / /' "$1" | sort | cut -d' ' -f1,2; }
score /run/security.before >/run/a; score /run/security.after >/run/b
join /run/a /run/b | awk '$3 > $2 { print "worse:", $0 }'
