#!/bin/sh
# Debian's packages of rdgen, below nginx in a namespace.
ip link set lo up
cd /root || exit 1
ok "it is installed" dpkg -i rdgen_0.1.0-1_amd64.deb
ok "/etc/rdomain is there" test -d /etc/rdomain -a -d /etc/conf.d
printf '[Domain]\nKind=netns\n' >/etc/rdomain/private.conf
echo netns=private >/etc/conf.d/nginx
systemctl daemon-reload
ok "nginx starts" systemctl restart nginx
ok "inside" inside nginx private
pid=$(systemctl show -p MainPID --value nginx)
same() { [ "$(systemctl show -p MainPID --value nginx)" = "$pid" ] && is_inside nginx private; }
for version in 0.2.0 0.1.0; do
	ok "to $version" dpkg -i "rdgen_$version-1_amd64.deb"
	is "it is that" "rdgen version $version" rdgen --version
	ok "nginx goes on where it is" same
	ok "and is not held" sh -c '! systemctl cat nginx | grep rdgen-removed'
done
ok "it restarts" systemctl restart nginx
ok "inside once more" inside nginx private
pid=$(systemctl show -p MainPID --value nginx)
ok "it is removed, and says what does not start" sh -c 'dpkg -r rdgen | grep -F nginx'
ok "nginx goes on" same
fails "nginx does not start outside" systemctl restart nginx
is "nothing answers outside" "" sh -c 'ss -Htln sport = 80'
ok "the assertion says why" sh -c 'systemctl status nginx | grep -i assert'
ok "installed again" dpkg -i rdgen_0.2.0-1_amd64.deb
ok "it starts" systemctl restart nginx
ok "inside as before" inside nginx private
ok "it is purged" dpkg -P rdgen
is "nothing of it is left" "" sh -c 'find /etc /usr -name "*rdgen*" ! -name "rdgen-agent*" ! -path "/usr/lib/rdgen*"'
ok "what others wrote stays" test -e /etc/conf.d/nginx -a -e /etc/rdomain/private.conf
