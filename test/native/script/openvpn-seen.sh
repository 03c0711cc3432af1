#!/bin/sh
# shellcheck disable=SC2034,SC2154 # $init is set before, $knocker is for who reads this
# What is seen of the domain of docs/openvpn.md, for the parts of openvpn-page.sh.
tun() { ip -n work -br address show dev tun-work; }
reaches() { rdexec -n work -- ping -c 1 -W 1 203.0.113.9; }
reaches6() { rdexec -n work -- ping -c 1 -W 1 fd00:9::1; }
silent() { ! reaches; }
page() { ip netns exec provider fetch 2 10.9.0.2 | grep -q nginx; }
served() { rdomain identify "$(cat /run/nginx.pid)"; }
served_inside() { [ "$(served)" = work ]; }
gone() { ! kill -0 "$(cat /run/openvpn/work.pid)"; }
# What is in the domain beside the service tries all addresses, time and again.
cat >/usr/local/bin/knock <<'K'
#!/bin/sh
while :; do
	for a in 203.0.113.9 192.0.2.9 2001:db8::1; do
		ping -c 1 -W 1 $a &
		busybox nc -w 1 $a 80 </dev/null &
	done
	wait
	sleep 0.5 # without a route there is nothing to wait for
	echo >>/run/test/knocked
done
K
chmod 755 /usr/local/bin/knock
knock() { : >/run/test/knocked; rdexec -n work -- knock >/dev/null 2>&1 & knocker=$!; }
knocked() { n=$(($(wc -l </run/test/knocked) + 2)); await more; }
more() { [ "$(wc -l </run/test/knocked)" -ge "$n" ]; }
if [ "$init" = systemd ]; then
	client() { systemctl "$1" openvpn@work; }
	domain() { systemctl "$1" rdomain@work; }
	service() { systemctl "$1" nginx; }
	is_up() { systemctl is-active rdomain@work; }
else
	client() { rc-service openvpn "$1" </dev/null; }
	domain() { rc-service rdomain.work "$1" </dev/null; }
	service() { rc-service nginx "$1" </dev/null; }
	is_up() { rc-service rdomain.work status; }
fi
