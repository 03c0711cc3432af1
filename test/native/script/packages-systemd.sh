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
	ok "and is not held" test -e /run/systemd/generator/rdgen.done
done
ok "it restarts" systemctl restart nginx
ok "inside once more" inside nginx private
pid=$(systemctl show -p MainPID --value nginx)
held()
{
	fails "nginx does not start outside" systemctl restart nginx
	is "nothing answers outside" "" sh -c 'ss -Htln sport = 80'
	# A daemon-reload after it would forget the result.
	ok "the assertion says why" await sh -c 'systemctl status nginx | grep -i assert || { systemctl start nginx; false; }'
	fails "nor does what starts with it" systemctl start with-nginx
}
again()
{
	ok "installed again" dpkg -i rdgen_0.2.0-1_amd64.deb
	fails "nothing holds it" test -e /etc/systemd/system-generators/rdgen-removed
	ok "it starts" systemctl restart nginx
	ok "inside as before" inside nginx private
}
nothing() { is "nothing of it is left" "" sh -c 'find /etc /usr -name "*rdgen*" ! -name "rdgen-agent*" ! -path "/usr/lib/rdgen*"'; }
unit with-nginx.service <<'X'
[Unit]
PartOf=nginx.service
[Service]
ExecStart=/bin/sleep infinity
X
systemctl daemon-reload
ok "what starts with it starts" systemctl start with-nginx
ok "inside too" inside with-nginx private
systemctl stop with-nginx
ok "it is removed, and says what does not start" sh -c 'dpkg -r rdgen | grep -F nginx'
ok "nginx goes on" same
held
again
ok "it is purged, and says what stays" sh -c 'dpkg -P rdgen | grep -F system-generators/rdgen-removed'
held
again
echo '# netns=private' >/etc/conf.d/nginx
ok "removed" dpkg -r rdgen
ok "without the line it starts outside" systemctl restart nginx
ok "there it answers" await sh -c 'ss -Htln sport = 80 | grep -q LISTEN'
ok "and what starts with it" systemctl start with-nginx
ok "it is purged" dpkg -P rdgen
nothing
ok "what others wrote stays" test -e /etc/conf.d/nginx -a -e /etc/rdomain/private.conf
