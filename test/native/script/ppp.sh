#!/bin/sh
# A kernel in a process, with a pppd whose link is the domain work's. What the machine sends by its
# link w0 is captured. The line is a pair of pseudo-terminals to "provider", which has a host
# behind it that the machine's default route leads to, too.

# part: outside
# What it writes to its console is the verdict.
TMPDIR=/dev/shm linux.uml mem=256M rootfstype=hostfs rw init=/usr/local/bin/inside con0=fd:0,fd:1 con=null ssl=null quiet </dev/null >/run/said 2>&1
tr -d '\r' </run/said
ok "it came to its end" grep -q '^all is done' /run/said

# part: boot
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
for dir in /run /tmp /var/tmp; do mount -t tmpfs tmp $dir; done
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /run/netns /usr/lib/modules
mount -t devpts pts /dev/pts
mount -t cgroup2 cgroup /sys/fs/cgroup
ln -sfn /usr/lib/uml/modules/* /usr/lib/modules/
exec </dev/null
modprobe -a ipv6 ppp_async veth vrf
[ -e /dev/ppp ] || mknod -m 600 /dev/ppp c 108 0

# part: inside
host provider; cable w0 provider p0
give w0 192.0.2.1/24; give_in provider p0 192.0.2.9/24; give_in provider lo 203.0.113.9/32
ip route add default via 192.0.2.9
tcpdump -Uni w0 -Q out -w /run/test/w0.pcap 2>/run/test/w0.said &
await grep -q listening /run/test/w0.said
cat >/usr/local/bin/line <<'L'
#!/bin/sh
[ ! -e /run/test/cut ] || exit 1
echo $$ >/run/test/line.pid
sleep 1 # a modem takes its time, and the link is there without an address
exec ip netns exec provider pppd notty nodetach noauth local nodefaultroute 10.8.0.1:10.8.0.2
L
chmod 755 /usr/local/bin/line
mkdir -p /etc/ppp/peers
printf '%s\n' 'pty /usr/local/bin/line' noauth 'holdoff 1' defaultroute 'ifname ppp-work' nodefaultroute persist 'maxfail 0' nodetach >/etc/ppp/peers/work
printf '%s\n' '[Link ppp-work]' RequiredForOnline=no '[Route]' Destination=default Device=ppp-work >/etc/rdomain/work.conf
reaches() { rdexec -n work -- ping -c 1 -W 1 203.0.113.9; }
bare() { [ -z "$(ip -n work route)" ]; }
dial() { pppd call work >/dev/null 2>&1 & pid=$!; }
export await_pause=0.3
ok "the domain is up without a line" rdomain up work
rdomain watch >/run/test/watch.log 2>&1 &
# What is in the domain tries the host all the while.
rdexec -n work -- sh -c 'while :; do ping -c 1 -W 1 203.0.113.9; sleep 0.3; done' >/dev/null 2>&1 &
pinger=$!
dial
ok "a line comes: the domain has it" await reaches
is "with its address" "inet 10.8.0.2 peer 10.8.0.1/32" sh -c "ip -n work -4 -o address show dev ppp-work | grep -o 'inet .*/32'"
is "which the default domain has not" "" sh -c 'ip route | grep -v "dev w0"'
ok "and that is right" await rdomain check work
kill -KILL "$pid"
ok "pppd is killed" await bare
ok "which is no fault" rdomain check work
dial
ok "it is started: the domain has its link" await reaches
: >/run/test/cut
kill "$(cat /run/test/line.pid)"
ok "the line is cut" await bare
rm /run/test/cut
ok "it is back, and the domain has it" await reaches
ok "pppd ran on" kill -0 "$pid"
ok "the domain is taken down" rdomain down work
is "and the link given back with its address" "inet 10.8.0.2 peer 10.8.0.1/32" sh -c "ip -4 -o address show dev ppp-work | grep -o 'inet .*/32'"
ok "it is brought up" rdomain up work
ok "and has the line" await reaches
kill "$pinger"
ok "it is taken down for a VRF" rdomain down work
sed -i '1i [Domain]\nKind=vrf\nTable=10' /etc/rdomain/work.conf
# rdexec -v needs more of BPF than this kernel has.
in_vrf() { ping -I work -c 1 -W 1 203.0.113.9; }
cut_off() { ! ip route show vrf work | grep ppp-work; }
ok "which is brought up" rdomain up work
ok "and has the line" await in_vrf
kill -KILL "$pid"
ok "pppd is killed" await cut_off
dial
ok "it is started: the VRF has its link" await in_vrf
is "with its address" "inet 10.8.0.2 peer 10.8.0.1/32" sh -c "ip -4 -o address show dev ppp-work | grep -o 'inet .*/32'"
ok "and that is right" await rdomain check work
# A last packet of the machine's own shows that all before it was captured.
ping -c 1 -s 333 192.0.2.9 >/dev/null
marked() { tcpdump -nr /run/test/w0.pcap 'icmp and ip[2:2] = 361' 2>/dev/null | grep -q request; }
ok "captured" await marked
is "by the link of the machine, nothing" "" sh -c "tcpdump -nr /run/test/w0.pcap 'not (arp or igmp or ip6 or (icmp and ip[2:2] = 361))' 2>/dev/null"
echo "all is done"
busybox poweroff -f
