#!/bin/sh
# Packet filters by scripts as the distributions have them: one for IPv4 and IPv6,
# which asks its own name which of them it is, and takes an instance of ip6tables for
# iptables.
ip link set lo up
mkdir -p /etc/rdomain /etc/conf.d
ln -s rdomain /etc/init.d/rdomain.t1
cat >/etc/init.d/iptables <<'X'
#!/sbin/openrc-run
extra_commands=panic
tables=$SVCNAME
case "$tables" in iptables|ip6tables) ;; *) tables=iptables ;; esac
start() { ebegin "Loading $tables"; $tables-restore </etc/$RC_SVCNAME.rules; eend $?; }
stop() { ebegin "Flushing $tables"; $tables -F; eend $?; }
panic() { $tables -A INPUT -i panic -j DROP; }
X
chmod +x /etc/init.d/iptables
# filter NAME SOURCE: what the script of this name loads.
filter() { printf '*filter\n-A INPUT -s %s -j DROP\nCOMMIT\n' "$2" >"/etc/$1.rules"; }
filter iptables 192.0.2.1/32
filter iptables.t1 192.0.2.2/32
filter ip6tables 2001:db8::1/128
filter ip6tables.t1 2001:db8::2/128
for name in iptables.t1 ip6tables ip6tables.t1; do ln -s iptables "/etc/init.d/$name"; done
for name in iptables ip6tables; do echo netns=t1 >"/etc/conf.d/$name.t1"; done
rc-update -u >/dev/null 2>&1
# rules [COMMAND...]: those that a listing by this prefix shows, of both families.
rules() { { "$@" iptables-save; "$@" ip6tables-save; } | sed -n 's/^-A INPUT -[si] \([^ ]*\) .*/\1/p' | tr '\n' ' '; }

for name in iptables ip6tables.t1 ip6tables iptables.t1; do ok "$name starts" rc-service "$name" start; done
is "the host's rules are the host's" "192.0.2.1/32 2001:db8::1/128 " rules env
is "those of t1 are in t1" "192.0.2.2/32 2001:db8::2/128 " rules ip netns exec t1
ok "a command of the script" rc-service ip6tables.t1 panic
is "acts in t1" "192.0.2.2/32 2001:db8::2/128 panic " rules ip netns exec t1
is "and not outside" "192.0.2.1/32 2001:db8::1/128 " rules env
for name in iptables.t1 ip6tables; do ok "$name stops" rc-service "$name" stop; done
is "stop flushes the host's" "192.0.2.1/32 " rules env
is "and those of t1 apart" "2001:db8::2/128 panic " rules ip netns exec t1
