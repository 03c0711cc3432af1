#!/bin/sh
# shellcheck disable=SC2034 # of cut.sh
# What cut.sh asks of OpenRC: a service, in the namespace private.
ip link set lo up
cd /root || exit 1
packages='rdgen-openrc rdgen'
port=8110
: >/etc/insserv.conf
cat >/etc/init.d/web <<'I'
#!/sbin/openrc-run
command=/bin/busybox
command_args="httpd -f -p 8110 -h /srv"
command_background=yes
pidfile="/run/web.pid"
I
chmod +x /etc/init.d/web
mkdir -p /srv /etc/conf.d
ln -s rdomain /etc/init.d/rdomain.private
echo netns=private >/etc/conf.d/web
refresh() { rc-update -u; }
# OpenRC can miss the end of what it runs, if that comes at once, and wait for ever (its issue
# 895, open): it has no child then, each time that one looks. It is ended, and that is no start.
ended()
{
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z*) return 0 ;; esac
	if [ -z "$(cat "/proc/$1/task/$1/children")" ] && grep -q ^poll "/proc/$1/wchan"; then
		hung=$((hung + 1))
	else
		hung=0
	fi
	[ $hung -lt 3 ] || kill "$1"
	return 1
}
restart()
{
	rc-service web restart &
	hung=0
	await ended $!
	wait $!
}
main() { cat /run/web.pid; }
end() { kill "$(cat /run/web.pid)"; await sh -c '! kill -0 $(cat /run/web.pid)'; rc-service web zap; }
