#!/bin/sh
# Starts the services of Debian's packages, and prints their processes. After await.sh.
# processes: PID, program, network namespace and cgroup of each but those of the test.
processes()
{
	find /proc/[0-9]*/exe /proc/[0-9]*/ns/net -maxdepth 0 -printf '%p %l\n' 2>/dev/null >/run/links
	grep -H ^0:: /proc/[0-9]*/cgroup 2>/dev/null | awk -F '[/ ]' '
		NR == FNR {at[$3, $4] = substr($0, index($0, " ") + 1); next}
		/\/rdgen-agent.service$/ || at[$3, "exe"] == "" || at[$3, "ns"] == "" {next}
		{print $3, at[$3, "exe"], at[$3, "ns"], substr($0, index($0, "0::") + 3)}' /run/links -
}
# is_settled: systemd has nothing to do, none of its children is still on its way to the
# program that it is to be, before which it is not where it will be, no process comes or
# goes, and all wait for something: a compiler that a daemon has begun is none of its lasting
# processes, and stays the same for as long as it computes.
is_settled()
{
	[ -z "$(systemctl list-jobs --no-legend)" ] || return
	[ ! -e /run/processes ] || mv /run/processes /run/processes.last
	processes >/run/processes
	[ -z "$(awk '$1 != 1 && $2 ~ /\/systemd\/systemd(-executor)?$/ && $4 !~ /user@/' /run/processes)" ] &&
		[ -z "$(awk '(getline stat <("/proc/" $1 "/stat")) > 0 && stat ~ /^.*\) [RD] /' /run/processes)" ] &&
		cmp -s /run/processes /run/processes.last
}
# settled: what runs then.
settled()
{
	rm -f /run/processes /run/processes.last
	await is_settled
	cat /run/processes
}
# started UNIT: what runs once it has started, as far as it does. $within is put before what
# asks it for something.
started()
{
	case $1 in
	cockpit.socket) # a login, of which it has more programs
		systemctl start "$1"
		printf 'GET /cockpit/login HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n' "$(printf lab:lab | base64)" |
			${within-} timeout 20 openssl s_client -quiet -connect 127.0.0.1:9090 >/run/answer 2>&1 || : ;;
	*.socket) systemctl start --no-block "$1" "${1%.socket}.service" 2>/dev/null || : ;;
	*) systemctl start --no-block "$1" || : ;; # what fails is missed
	esac
	settled
}
# configured: those that do nothing without a configuration get one.
configured()
{
	ip link set lo up
	ip link add eth0 type veth peer name peer0
	ip address add 192.0.2.1/24 dev eth0
	ip link set eth0 up
	ip link set peer0 up
	printf '[Domain]\nKind=netns\n\n[Link eth0]\nKind=veth\nPeer=peer1\nAddress=192.0.2.1/24\n' >/etc/rdomain/same.conf
	# A daemon that fails is not started again, and one that waits for what there is not, not for ever.
	mkdir -p /run/systemd/system/service.d
	printf '[Service]\nRestart=no\nTimeoutStartSec=15s\nTimeoutStopSec=5s\n' >/run/systemd/system/service.d/zz-test.conf
	useradd -m lab
	echo lab:lab | chpasswd 2>/dev/null
	(
		cd /etc/openvpn || exit
		openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=lab -days 30 2>/dev/null
		printf 'dev null\nport 1194\nproto udp\ntls-server\nca cert\ncert cert\nkey key\ndh none\n' >lab.conf
	)
	mkdir -p /etc/tinc/lab/hosts /etc/sssd /etc/collectd /etc/keepalived /etc/ngircd # some are not there
	printf 'Name = lab\nDeviceType = dummy\n' >/etc/tinc/lab/tinc.conf
	: >/etc/tinc/lab/hosts/lab
	tincd -n lab -K2048 </dev/null >/dev/null 2>&1
	systemctl --quiet enable tinc@lab
	printf '[sssd]\ndomains = lab\nservices = nss, pam\n[domain/lab]\nid_provider = proxy\nproxy_lib_name = files\nproxy_pam_target = other\n' >/etc/sssd/sssd.conf
	chmod 600 /etc/sssd/sssd.conf
	printf 'vrrp_instance lab {\n\tinterface eth0\n\tvirtual_router_id 1\n\tvirtual_ipaddress {\n\t\t192.0.2.9/24\n\t}\n}\n' >/etc/keepalived/keepalived.conf
	printf 'interface eth0 {\n\tAdvSendAdvert on;\n};\n' >/etc/radvd.conf
	printf '[Global]\nName = irc.example.net\n' >/etc/ngircd/ngircd.conf
	printf 'LoadPlugin cpu\n' >/etc/collectd/collectd.conf
	: >/var/log/auth.log # without it bookworm's fail2ban ends half a second after it has begun
	# There is no server of NFS in this kernel; the daemons around it run all the same.
	for unit in nfs-server nfs-mountd nfs-idmapd; do
		[ -e /usr/lib/systemd/system/$unit.service ] || continue
		sed -e 's/[^ =]*\(nfsd\|pipefs\)\.mount//' -e 's,^\(Exec[A-Z][A-Za-z]*\)=.*\(exportfs\|nfsd\).*,\1=/bin/sleep 0,' /usr/lib/systemd/system/$unit.service >/etc/systemd/system/$unit.service
	done
	systemctl daemon-reload
	systemctl restart systemd-logind
	# A login asks it, and it is no service of conf.d's.
	[ ! -e /usr/lib/systemd/system/polkit.service ] || systemctl start polkit
}
# units: those that are active, or begin to be.
units() { systemctl list-units --all --plain --no-legend --full --type=service,socket,timer,path,target,scope --state=active,activating,reloading,failed | awk '{print $1}' | sort; }
# stopped: stops what was not there before all.
stopped()
{
	units | comm -13 /run/units.before - >/run/units.more
	[ ! -s /run/units.more ] || xargs systemctl stop </run/units.more 2>/dev/null || :
	systemctl reset-failed
}
