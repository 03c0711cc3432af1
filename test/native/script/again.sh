#!/bin/sh
# A link that is made again outside is taken in again, under systemd and under OpenRC,
# without udev and without mdev; also when rdomain watch was killed.
ip link set lo up
mkdir -p /etc/rdomain
printf '[Domain]\nTimeoutSec=1\n[Link u0]\nAddress=10.8.0.2/24\n' >/etc/rdomain/vpn.conf
if [ -d /run/systemd/system ]; then
	verb() { systemctl "$1" rdomain@vpn; }
	watches() { systemctl is-active rdomain-watch; }
	is_up() { systemctl is-active rdomain@vpn; }
	pid() { systemctl show -p MainPID --value rdomain-watch; }
else
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	ln -s rdomain /etc/init.d/rdomain.vpn
	rc-update -u >/dev/null 2>&1
	verb() { rc-service rdomain.vpn "$1"; }
	watches() { rc-service rdomain-watch status; }
	is_up() { rc-service rdomain.vpn status; }
	pid() { pgrep -f '^/usr/sbin/rdomain watch'; }
fi
plug() { ip link add u0 type veth peer name u1; }
in_again() { await sh -c 'ip -n vpn -br address show dev u0 | grep -q 10.8.0.2'; }
plug
ok "a domain with a link of others" verb start
ok "has it" in_again
ok "and is watched" await watches
if [ -d /run/systemd/system ]; then
	clock() { [ $((0x$(sed -n 's/^CapBnd:.//p' "/proc/$(pid)/status") >> 25 & 1)) = 1 ]; }
	fails "by what cannot set the clock, nor all else that root may" clock
	ok "nor open each kind of socket" grep -q '^Seccomp:.2' "/proc/$(pid)/status"
fi
ip -n vpn link delete u0; plug
ok "made again outside, it is taken in again" in_again
ip -n vpn link delete u0
ok "while it is gone the domain is up" is_up
killed=$(pid)
kill -KILL "$killed"
plug
ok "taken in by the watch that comes after one that was killed" in_again
ok "which is another" sh -c "[ '$killed' != '$(pid)' ]"
ok "the domain is right" await rdomain check vpn
ok "stopping it" verb stop
ok "gives the link back" ip link show u0
ip link set u0 down; ip link set u0 up
ok "for good" sh -c '! ip netns list | grep vpn'
# A service that is restarted while its namespace is gone: OpenRC would have that one and the
# domain wait for each other, for a minute.
if [ ! -d /run/systemd/system ]; then
	ln -s rdomain /etc/init.d/rdomain.t1
	echo netns=t1 >/etc/conf.d/slow
	cat >/etc/init.d/slow <<'X'
#!/sbin/openrc-run
start() { [ ! -e /run/notes ]; }
noted() { [ "$(wc -l </var/log/rdomain.log)" -gt "$(cat /run/notes)" ]; }
begun() { noted && { service_stopping rdomain.t1 || pgrep -f 'rdomain.t1 renew'; }; }
stop()
{
	[ -e /run/notes ] || return 0
	for _ in $(seq 400); do
		! begun || return 0
		sleep 0.1
	done
	return 1
}
X
	chmod +x /etc/init.d/slow
	ok "a service in a namespace" rc-service slow start
	# Between its stop and its start a service that is restarted is locked, and no more.
	mkfifo /run/go
	flock /run/openrc/exclusive/slow sh -c ': >/run/held; read -r _ </run/go; rm /run/openrc/exclusive/slow' &
	locked=$!
	await test -e /run/held
	ip netns delete t1
	ok "a domain is not restarted while a service of it is" await sh -c 'pgrep -x sleep -P "$(pgrep -d, -f "rdomain.* renew")"'
	echo >/run/go
	wait "$locked"
	ok "and then it is" await test -e /run/netns/t1
	ok "with its service" await rc-service slow status
	wc -l </var/log/rdomain.log >/run/notes
	ip netns delete t1
	is "restarted then, it is told at once" "rdexec: fatal: unable to enter netns t1 (/run/netns/t1): no such file or directory
 * ERROR: slow failed to start" sh -c 'rc-service slow restart 2>&1 | tail -n 2'
	rm /run/notes
	ok "the namespace is made again" await test -e /run/netns/t1
	ok "and its service is up" await rc-service rdomain.t1 status
	ok "the service starts" rc-service slow start
	ok "and stops" rc-service slow stop
	ok "as the namespace does" rc-service rdomain.t1 stop
fi
# A namespace that somebody deletes: what cannot be kept is restarted, and a domain that
# cannot be made has failed.
ok "up again" verb start
ok "with its link" in_again
mv /etc/rdomain/vpn.conf /root; printf '[Domain]\nTimeoutSec=1\n[Link u0]\nAddress=10.8.0.2/24\n[Link none]\n' >/etc/rdomain/vpn.conf
ip netns delete vpn; ip link add u3 type veth peer name u0
ok "it does not stay up" await sh -c '! { systemctl is-active rdomain@vpn || rc-service rdomain.vpn status; } 2>/dev/null'
