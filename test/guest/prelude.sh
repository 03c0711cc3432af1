#!/bin/sh
# What the scripts of tests share, read before each part of them. ok and fails
# run a command and print one line of the verdict. await stands before it.
exec 2>&1
ok()
{
	name=$1
	shift
	if "$@" >/tmp/ok.said 2>&1; then echo "ok: $name"; else
		echo "not ok: $name ($*)"
		sed 's/^/    /' /tmp/ok.said
	fi
}
fails()
{
	name=$1
	shift
	if "$@" >/tmp/ok.said 2>&1; then
		echo "not ok: $name ($* succeeds)"
		sed 's/^/    /' /tmp/ok.said
	else echo "ok: $name"; fi
}
# is NAME WANT COMMAND...: that the command prints WANT.
is()
{
	name=$1 want=$2
	shift 2
	got=$("$@" 2>&1)
	if [ "$got" = "$want" ]; then echo "ok: $name"; else echo "not ok: $name ($* prints \"$got\"; want \"$want\")"; fi
}
# awaited: await, as scripts of today call it too.
awaited() { await "$@"; }
# has COMMAND PATTERN: that COMMAND prints it, sooner or later.
has() { await sh -c "$1 | grep -q -- '$2'" || { sh -c "$1"; return 1; }; }

# unit NAME: writes a unit of the administrator's.
unit() { cat >"/etc/systemd/system/$1"; }
failed() { ! systemctl start "$1" && [ "$(systemctl is-active "$1")" != active ] && [ ! -e /run/leaked ]; }
netns_of() { readlink "/proc/$(systemctl show -p MainPID --value "$1")/ns/net"; }
is_inside() { [ "$(netns_of "$1")" = "net:[$(stat -Lc %i "/run/netns/$2")]" ]; }
inside() { await is_inside "$1" "$2"; }
# sees INSTANCE LINK NAME: that the instance's new sockets are all bound to LINK.
sees()
{
	await test -p "/run/look/$1"
	echo "$3" >"/run/look/$1"
	await test -e "/run/look/$3.$1"
	cat "/run/look/$3.$1"
	grep -q "^tcp4 $2\$" "/run/look/$3.$1" && ! grep -Ev " $2\$|address family|rotocol|permitted|denied" "/run/look/$3.$1"
}
