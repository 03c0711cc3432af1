#!/bin/sh
# What docs/filters.md has made.
if [ -d /run/systemd/system ]; then stop() { systemctl stop "$@"; }; start() { systemctl start "$@"; }; web=nginx
else stop() { rc-service "$1" stop; }; start() { rc-service "$1" start; }; web=web; fi
answers() { nc -z -w 2 10.255.0.2 80; }
ok "a friend reaches the service" await answers
is "the set is in the domain" 10.255.0.1 sh -c 'ip netns exec private ipset -o save list friends | sed -n "s/^add friends //p"'
is "and not outside" "" ipset -name list
fails "nor is a rule" sh -c 'iptables-save | grep friends'
fails "nor the table" sh -c 'nft list tables | grep counted'
is "the table counts" 1 sh -c 'ip netns exec private nft list table inet counted | grep -c "counter packets [1-9]"'
ok "who is no friend" ip netns exec private ipset del friends 10.255.0.1
fails "does not" answers
# Without its filter the service does not run.
ok "the filter stops" stop filter
fails "and the service with it" sh -c 'rdomain ps private | grep -E "nginx|busybox"'
is "the set is gone" "" ip netns exec private ipset -name list
echo nonsense >>/etc/filter/rules
fails "a rule that is wrong" start $web
fails "and nothing serves" sh -c 'ip netns exec private ss -Htln | grep :80'
