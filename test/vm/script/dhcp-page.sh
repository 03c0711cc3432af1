#!/bin/sh
# shellcheck disable=SC2154 # what the test sets
# docs/dhcp.md: the host "lan" is on the management network and has its DHCP server, "world" is
# where the machine's default route leads. What the machine sends there is captured from before
# the domain is there to the end. $init is the machine's init system.

# part: network
host lan world
cable eth1 lan lan0; cable w0 world world0
ip link set eth1 up; give_in lan lan0 10.20.30.1/24
give w0 192.0.2.1/24; give_in world world0 192.0.2.9/24; give_in world lo 203.0.113.9/32
ip route add default via 192.0.2.9
ip route show table main >/run/test/main; cp /etc/resolv.conf /run/test/resolv.conf
serve 10.20.30.50
tcpdump -Uni w0 -Q out -w /run/test/w0.pcap 2>/run/test/w0.said &
tcpdump -Uni eth1 -Q out -w /run/test/eth1.pcap 2>/run/test/eth1.said &
await grep -q listening /run/test/w0.said; await grep -q listening /run/test/eth1.said

# part: prepare
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
# serve ADDRESS: a server that gives that one, for 20 s.
cat >/usr/local/bin/serve <<'S'
#!/bin/sh
[ ! -e /run/udhcpd.pid ] || { kill "$(cat /run/udhcpd.pid)"; await test ! -e /run/udhcpd.pid; }
[ -n "$1" ] || exit 0
rm -f /run/udhcpd.leases; : >/run/udhcpd.leases
printf 'start %s\nend %s\ninterface lan0\nlease_file /run/udhcpd.leases\npidfile /run/udhcpd.pid\noption subnet 255.255.255.0\noption router 10.20.30.1\noption dns 10.20.30.53\noption lease 20\nmin_lease 10\n' \
	"$1" "$1" >/run/udhcpd.conf
ip netns exec lan busybox udhcpd /run/udhcpd.conf
S
# What is in the domain with sshd tries all addresses, time and again.
cat >/usr/local/bin/knock <<'K'
#!/bin/sh
while :; do
	for a in 203.0.113.9 192.0.2.9 10.20.30.1 10.20.30.53; do
		ping -c 1 -W 1 $a &
		busybox nc -w 1 $a 80 </dev/null &
	done
	wait
	echo >>/run/test/knocked
done
K
chmod 755 /usr/local/bin/serve /usr/local/bin/knock
ssh-keygen -A >/dev/null
case $init in
systemd) rm /etc/init.d/sshd; systemctl start ssh ;;
*) rm /etc/init.d/ssh; rc-service sshd start </dev/null >/dev/null 2>&1 ;; # it provides "sshd", too
esac

# part: helpers
export await_pause=0.5
banner() { ip netns exec lan sh -c "busybox nc -w 3 $1 22 </dev/null" | grep -q ^SSH-; }
outside() { ip netns exec world sh -c "busybox nc -w 3 192.0.2.1 22 </dev/null" | grep -q ^SSH-; }
has_address() { ip -4 -o address show dev eth1 | grep -q " $1/24 " && [ "$(ip -4 -o address show dev eth1 | wc -l)" = 1 ]; }
none() { [ -z "$(ip -4 -o address show dev eth1)" ]; }
listed() { rdomain list | grep -Eq "^mgmt +vrf +up +10 +eth1 +eth1 $1/24 until 20[0-9T:+Z-]+\$"; }
apart() { ip route show table main | diff - /run/test/main && diff /etc/resolv.conf /run/test/resolv.conf; }
knock() { : >/run/test/knocked; rdexec -v mgmt -- knock >/dev/null 2>&1 & knocker=$!; }
more() { [ "$(wc -l </run/test/knocked)" -ge "$n" ]; }
knocked() { n=$(($(wc -l </run/test/knocked) + 2)); await more; }

# part: leases
ok "the first address" await has_address 10.20.30.50
ok "list has it, and its end" await listed 10.20.30.50
ok "sshd answers there" await banner 10.20.30.50
fails "and not on the other card" outside
ok "its resolver is the lease's" grep -qx "nameserver 10.20.30.53" /run/rdomain/resolver/mgmt/resolv.conf
ok "the router is in the VRF's table" has "ip route show table 10" "default via 10.20.30.1 dev eth1"
ok "the rest of the machine is as it was" apart
knock
serve 10.20.30.60
ok "another address" await has_address 10.20.30.60
ok "sshd answers there, not started again" await banner 10.20.30.60
ok "list has that" await listed 10.20.30.60
ok "all is tried" knocked
serve ""
ok "the server is away until the lease ends" await none
ok "all is tried without an address" knocked
ok "list says so" sh -c "rdomain list | grep -q 'eth1 has none'"
ok "the rest of the machine is as it was" apart
serve 10.20.30.50
ok "the server is back" await has_address 10.20.30.50
ok "sshd answers" await banner 10.20.30.50
ip -n lan link set lan0 down
serve 10.20.30.70
ok "the cable is pulled, and all is tried" knocked
ip -n lan link set lan0 up
ok "another network is behind it" await has_address 10.20.30.70
ok "sshd answers there" await banner 10.20.30.70
fails "and not on the other card" outside
ok "the rest of the machine is as it was" apart
kill $knocker
case $init in
systemd) ok "it is stopped" systemctl stop rdomain@mgmt ;;
*) ok "it is stopped" rc-service rdomain.mgmt stop ;;
esac
fails "and sshd with it" banner 10.20.30.70

# part: rebooted
ok "the lease is back" await has_address 10.20.30.50
ok "list has it, and its end" await listed 10.20.30.50
ok "sshd answers there" await banner 10.20.30.50
is "it is in the VRF" mgmt rdomain identify "$(pgrep -o -x sshd)"
fails "and not on the other card" outside
ok "its resolver is the lease's" grep -qx "nameserver 10.20.30.53" /run/rdomain/resolver/mgmt/resolv.conf
ok "the router is in the VRF's table" has "ip route show table 10" "default via 10.20.30.1 dev eth1"
ok "the rest of the machine is as it was" apart
is "rdomain check" "" rdomain check mgmt
knock
ok "all is tried" knocked
serve 10.20.30.60
ok "the watch runs: another address" await has_address 10.20.30.60
ok "sshd answers there" await banner 10.20.30.60
kill $knocker

# part: nowhere else
marked() { tcpdump -nr /run/test/w0.pcap 'icmp and ip[2:2] = 361' 2>/dev/null | grep -q request; }
ping -c 1 -s 333 192.0.2.9
ok "captured, on the other card" await marked
# The machine's own: neighbours, groups, and systemd-resolved, which asks each link's neighbours for names.
own='arp or igmp or udp port 5355 or (icmp and ip[2:2] = 361) or ip6[6] = 0 or (ip6[6] = 58 and ip6[40] >= 133 and ip6[40] <= 137)'
is "by the other card, nothing of the domain's" "" sh -c "tcpdump -nr /run/test/w0.pcap 'not ($own or (tcp src port 22 and tcp[13] & 4 != 0))' 2>/dev/null"
is "by the management card, nothing from another address" "" sh -c "tcpdump -nr /run/test/eth1.pcap 'not ($own or src net 10.20.30.0/24 or (src host 0.0.0.0 and udp src port 68))' 2>/dev/null"
ok "where there is some" sh -c "tcpdump -nr /run/test/eth1.pcap 'tcp src port 22' 2>/dev/null | grep -q ."
