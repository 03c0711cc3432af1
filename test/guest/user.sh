#!/bin/sh
# session COMMAND ARGUMENTS: the user alice, whose session is in the namespace t1, with four
# services in her default runlevel that run COMMAND. PORT in ARGUMENTS is 8160 to 8163.
# The second one names another domain, t2, the third the session's; the fourth means to.
# OpenRC 0.60 and newer has services of users.
session()
{
	ip link set lo up
	mkdir -p /etc/rdomain /etc/conf.d /srv
	ln -s rdomain /etc/init.d/rdomain.t1
	ln -s rdomain /etc/init.d/rdomain.t2
	ln -s user /etc/init.d/user.alice
	echo netns=t1 >/etc/conf.d/user.alice
	# shellcheck disable=SC2016
	echo 'export XDG_RUNTIME_DIR=/run/user/$(id -u)' >/etc/profile.d/runtime.sh
	useradd -m -s /bin/sh alice 2>/dev/null || adduser -D -s /bin/sh alice
	home=/home/alice/.config/rc
	mkdir -p "/run/user/$(id -u alice)" $home/runlevels/default $home/conf.d $home/init.d
	for service in plain:8160 other:8161 same:8162 slip:8163; do
		name=${service%:*} port=${service#*:}
		cat >"$home/init.d/$name" <<X
#!/sbin/openrc-run
command=$1
command_args="${2%%PORT*}$port${2#*PORT}"
command_background=yes
pidfile="\$XDG_RUNTIME_DIR/\$RC_SVCNAME.pid"
X
		chmod +x "$home/init.d/$name"
		ln -s "../../init.d/$name" $home/runlevels/default/
	done
	echo netns=t2 >$home/conf.d/other
	echo netns=t1 >$home/conf.d/same
	printf 'netns = t1\nx=1\n' >$home/conf.d/slip
	chown -R alice /home/alice "/run/user/$(id -u alice)"
}
