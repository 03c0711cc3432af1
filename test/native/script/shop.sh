#!/bin/sh
# A service that runs in the default domain, for who reads docs/status.md.
if [ -d /run/systemd/system ]; then
	printf '[Service]\nExecStart=/bin/busybox httpd -f -p 8082 -h /srv\n' >/etc/systemd/system/shop.service
	systemctl daemon-reload
	systemctl start shop
else
	printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 8082 -h /srv"\ncommand_background=yes\npidfile=/run/shop.pid\n' >/etc/init.d/shop
	chmod +x /etc/init.d/shop
	rc-update -u >/dev/null 2>&1
	rc-service shop start
fi
