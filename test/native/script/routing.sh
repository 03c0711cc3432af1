#!/bin/sh
# docs/routing.md: a machine with a network of its own, 10.98.0.0/24, and FRR as installed.
[ -d /run/systemd/system ] || : >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
sysctl -qw net.ipv4.ip_forward=1
host here
cable lan0 here h0
give lan0 10.98.0.1/24
give_in here h0 10.98.0.9/24
ip -n here route add default via 10.98.0.1
