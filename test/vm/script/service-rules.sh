#!/sbin/openrc-run
# shellcheck shell=sh disable=SC1091,SC2154
. /usr/local/lib/tools.sh
start() {
	ebegin "Loading rules"
	nft add table inet "$table" && ipset create "$table" hash:ip
	eend $?
}
stop() {
	ebegin "Flushing rules"
	nft flush ruleset && ipset destroy
	eend $?
}
