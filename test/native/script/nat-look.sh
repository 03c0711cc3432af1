#!/bin/sh
# What docs/nat.md has made.
get() { ip netns exec "$1" busybox wget -q -T 10 -O - "http://$2/"; }
is "the first site reaches the second" "this is b" get at-a 10.2.0.9
is "and the second the first" "this is a" get at-b 10.1.0.9
is "the host reaches the first" "this is a" busybox wget -q -T 10 -O - http://10.1.0.9/
is "and the second" "this is b" busybox wget -q -T 10 -O - http://10.2.0.9/
is "a service of one site its own" "this is a" get site-a 10.0.0.9
# asked FILE: who opened a connection to the site's machine.
asked() { tcpdump -nr "/run/test/$1.pcap" 'tcp[tcpflags] == tcp-syn and dst 10.0.0.9' 2>/dev/null | sed 's/.* IP \([0-9.]*\)\.[0-9]* > .*/\1/' | sort -u | tr '\n' ' '; }
by() { [ "$(asked "$1")" = "$2 " ]; }
ok "the second knows the first by its other address" await by b "10.0.0.1 10.1.0.9 10.255.0.5"
ok "the first the second" await by a "10.0.0.1 10.2.0.9 10.255.0.1"
fails "the sites' own network is in no table of the host" sh -c 'ip route | grep "^10\.0\.0\."'
fails "a site has no other way out" get at-a 10.255.0.5
