#!/bin/sh
# shellcheck disable=SC2154 # what the test sets
# At the next boot the networks of a page are made before any domain is, by the program lab, and
# $service is started, by which its domain comes up. $init is the machine's init system.
case $init in
systemd)
	cat >/etc/systemd/system/lab.service <<'E'
[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/bin/lab
E
	systemctl daemon-reload
	systemctl add-wants multi-user.target lab.service "$service.service"
	;;
*)
	cat >/etc/init.d/lab <<'E'
#!/sbin/openrc-run
depend() { before net; }
start() { /usr/local/bin/lab </dev/null >/run/lab.said 2>&1; }
E
	chmod 755 /etc/init.d/lab
	rc-update add lab boot
	rc-update add "$service" default
	;;
esac
