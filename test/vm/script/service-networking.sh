#!/sbin/openrc-run
# shellcheck shell=sh
depend() { provide net; }
start() { ebegin "Starting networking"; if command -v ifup >/dev/null; then mkdir -p /run/ifstate; ifup -a; else ip link add red type vrf table 30 && ip link set red up && ip link add d1 type dummy && ip link set d1 master red up && ip address add 10.30.0.1/24 dev d1; fi; eend $?; }
