#!/bin/sh
# A tunnel of strongSwan below the domain "work". The host "office" has the other end, with a
# charon of its own, and "server" is behind it, which has a way back to the domain's address
# alone. The machine's default route leads to office: what would leave in clear text is captured.

# part: prepare
tar -x -C / --keep-directory-symlink -f /root/charon.tar
host office server
cable w0 office o0
sysctl -qw net.ipv6.conf.w0.disable_ipv6=1
ip netns exec office sysctl -qw net.ipv6.conf.o0.disable_ipv6=1
ip -n office link add o1 type veth peer name s0 netns server
give w0 192.0.2.1/24; give_in office o0 192.0.2.9/24
give_in office o1 10.9.0.1/24; give_in server s0 10.9.0.2/24
give_in server lo 203.0.113.9/32 203.0.113.10/32
ip route add default via 192.0.2.9
ip -n office route add 203.0.113.0/24 via 10.9.0.2
ip -n server route add 10.64.0.2 via 10.9.0.1
ip -n office route add 10.64.0.2 via 192.0.2.1
ip netns exec office sysctl -qw net.ipv4.ip_forward=1
# conf HERE THERE ID PEER CHILD: a connection by a pre-shared key.
conf()
{
	cat <<C
connections {
  work {
    version = 2
    local_addrs = $1
    remote_addrs = $2
    proposals = aes128-sha256-modp2048
    local {
      auth = psk
      id = $3
    }
    remote {
      auth = psk
      id = $4
    }
    children {
      work {
        esp_proposals = aes128-sha256
$5
      }
    }
  }
}
secrets {
  ike-work {
    secret = only-a-test
  }
}
C
}
mkdir -p /etc/office /etc/swanctl/conf.d
conf 192.0.2.9 192.0.2.1 office client 'local_ts = 203.0.113.0/24
remote_ts = 10.64.0.2/32' >/etc/office/swanctl.conf
conf 192.0.2.1 192.0.2.9 client office "$(cat /root/child)" >/etc/swanctl/swanctl.conf
cat >/usr/local/bin/office <<'O'
#!/bin/sh
mount -t tmpfs none /run && mount --bind /etc/office /etc/swanctl || exit
charon-systemd &
await swanctl --load-all && echo loaded
wait
O
chmod 755 /usr/local/bin/office
cat >/etc/systemd/system/strongswan.service <<'U'
[Service]
Type=notify
ExecStart=/usr/sbin/charon-systemd
ExecStartPost=/usr/sbin/swanctl --load-all --noprompt
Restart=on-abnormal
U
systemctl daemon-reload
tcpdump -Uni w0 -w /run/test/w0.pcap 2>/run/test/w0.said &
await grep -q listening /run/test/w0.said
ip netns exec office unshare -m --propagation private office >/root/office.log 2>&1 &
await grep -q loaded /root/office.log

# part: helpers
reaches() { rdexec -n work -- ping -c 1 -W 1 203.0.113.9; }
gone() { [ -z "$(swanctl --list-sas)" ]; }
new_pid() { new=$(systemctl show -P MainPID strongswan); [ "$new" != 0 ] && [ "$new" != "$pid" ] && systemctl is-active strongswan; }

# part: tunnel
ok "the domain is up before charon is" rdomain up work
fails "it reaches nothing" reaches
ok "charon starts" systemctl start strongswan
ok "the domain reaches what is behind office" await reaches
ok "and more of it" await rdexec -n work -- ping -c 1 -W 1 203.0.113.10
fails "the default domain does not" ping -c 1 -W 1 203.0.113.10
for a in 192.0.2.1 192.0.2.9 10.9.0.1; do fails "the domain does not reach $a" rdexec -n work -- ping -c 1 -W 1 "$a"; done
ok "the domain is as its file says" rdomain check work
is "charon makes no routes for it" "" sh -c "ip route show table 220 2>/dev/null"

# part: killed
pid=$(systemctl show -P MainPID strongswan)
kill -9 "$pid"
ok "charon is started again" await new_pid
ok "the domain reaches office again" await reaches
ok "and is as its file says" rdomain check work

# part: away
ok "the SA ends" swanctl --terminate --ike work
ok "there is none" await gone
fails "the domain reaches nothing" reaches
ok "it begins again" swanctl --initiate --child work
ok "the domain reaches office" await reaches
ok "the kernel loses its states, not its policies" ip xfrm state flush
fails "and the domain reaches nothing" reaches
ok "charon stops" systemctl stop strongswan
fails "the domain reaches nothing then" reaches
ok "charon starts again" systemctl start strongswan
ok "the domain reaches office then" await reaches

# part: domain
ok "the domain goes" rdomain down work
ok "and comes" rdomain up work
ok "the domain reaches office by the tunnel that charon has" await reaches

# part: nowhere else
tcpdump -nr /run/test/w0.pcap >/run/test/all 2>/dev/null
ok "ESP was seen" grep -q 'ESP(' /run/test/all
# Where charon was not there, the kernel says to the other one that the port is closed.
clear() { tcpdump -nr /run/test/w0.pcap 'not arp and not esp and not (udp and (port 500 or port 4500)) and not (icmp[0] = 3 and icmp[1] = 3) and not host 203.0.113.10' 2>/dev/null; }
is "nothing else left, nor came" "" clear
own() { tcpdump -nr /run/test/w0.pcap 'host 203.0.113.10' 2>/dev/null | sed 's/.* IP \([0-9.]*\) > .*/\1/' | sort -u; }
is "what the default domain sent is its own" 192.0.2.1 own
