#!/bin/sh
# shellcheck disable=SC2086,SC2154 # $init and $base are of the test, and words
# docs/nginx.md, on a machine whose eth1 leads to the host admin. Under s6 the services are those
# of the page's script.

# part: prepare
host admin
cable eth1 admin a0
give eth1 10.20.30.40/24
give_in admin a0 10.20.30.1/24

# part: look
at() { "$@" fetch 5 "$address" | grep -q .; }
world() { address=127.0.0.1 at env; }
cabled() { address=$(sed -n "s,^Address=\(.*\)/.*,\1,p" /etc/rdomain/private.conf) at env; }
managed() { address=10.20.30.40 at ip netns exec admin; }
case $init in
systemd) stop() { systemctl stop "$1"; }; start() { systemctl start "$1"; }; reload() { systemctl reload "$1"; } ;;
openrc) stop() { rc-service "$1" stop; }; start() { rc-service "$1" start; }; reload() { rc-service "$1" reload; } ;;
s6) stop() { s6-svc -wD -d "/run/service/$1"; }; start() { s6-svc -u "/run/service/$1"; }; reload() { s6-svc -h "/run/service/$1"; } ;;
esac
for where in world cabled managed; do ok "$where: it answers" await $where; done
inside() { rdomain ps "$1" | grep -c nginx; }
in_three() { all=$(pgrep -xc nginx) && [ "$(($(inside private) * 3))" = "$all" ] && [ "$(($(inside mgmt) * 3))" = "$all" ]; }
ok "a third of all processes is in each" await in_three
workers() { rdomain ps "$1" | awk '/nginx/ {print $2}' | tail -n +2; }
for id in private mgmt; do
	old=$(workers $id)
	renewed() { ! workers $id | grep -qxF "$old"; }
	ok "$base.$id takes its configuration again" reload "$base.$id"
	ok "with other workers" await renewed
done
ok "which are inside" await in_three
ok "the sockets of the machine are two" [ "$(ss -4Htln sport = 80 | grep -c .)" = 2 ]
ok "one of them the VRF's" sh -c 'ss -4Htln sport = 80 | grep -q "0.0.0.0%mgmt:80"'
for one in world: cabled:.private managed:.mgmt; do
	where=${one%:*}
	ok "$base${one#*:} is stopped" stop "$base${one#*:}"
	for other in world cabled managed; do
		if [ $other = "$where" ]; then fails "$other: it is closed" $other; else ok "$other: it goes on" $other; fi
	done
	ok "and started" start "$base${one#*:}"
	ok "$where: it answers" await "$where"
done

# part: s6
for service in web web.private web.mgmt rdomain.private rdomain.mgmt; do rc-service $service stop >/dev/null; done
mkdir -p /run/service
s6-svscan /run/service >/run/svscan.log 2>&1 &
await test -p /run/service/.s6-svscan/control
