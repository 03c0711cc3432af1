#!/bin/sh
# Alpine's OpenRC has a patch that puts daemons into a domain by ip(8). Beside rdgen, as
# the file in rc.conf.d or as the line in a script or both, there is one who enters;
# without rdgen that is the patch; where rdgen was half removed, nobody starts. ip is
# replaced: busybox's cannot do what the patch asks, and each time is written down.
ip=$(readlink -f "$(command -v ip)")
rm -f /sbin/ip
cat >/sbin/ip <<X
#!/bin/sh
case "\$1 \$2" in
"netns exec")
	echo "\$*" >>/run/ip.log
	net=/run/netns/\$3
	shift 3
	exec nsenter --net=\$net "\$@"
	;;
"vrf exec")
	echo "\$*" >>/run/ip.log
	exit 1
	;;
esac
exec $ip ip "\$@"
X
chmod +x /sbin/ip
ln -sf rdomain /etc/init.d/rdomain.t1
ok "the namespace" rdomain up t1
cat >/etc/init.d/plain <<'X'
#!/sbin/openrc-run
start() { /usr/local/bin/probe serve 127.0.0.1:8202 >/dev/null 2>&1 & echo $! >/run/plain.pid; }
stop() { kill "$(cat /run/plain.pid)"; rm /run/plain.pid; }
X
for s in background supervised; do
	cat >/etc/init.d/$s <<'X'
#!/sbin/openrc-run
command=/usr/local/bin/probe
command_args="serve 127.0.0.1:$port"
X
done
printf 'command_background=yes\npidfile=/run/background.pid\n' >>/etc/init.d/background
echo supervisor=supervise-daemon >>/etc/init.d/supervised
printf 'port=8201\nnetns=t1\n' >/etc/conf.d/background
printf 'port=8203\nnetns=t1\n' >/etc/conf.d/supervised
echo netns=t1 >/etc/conf.d/plain
chmod +x /etc/init.d/plain /etc/init.d/background /etc/init.d/supervised
mkdir -p /tmp/kept
cp -p /etc/init.d/plain /etc/init.d/background /etc/init.d/supervised /etc/rc.conf.d/50-rdgen.conf /tmp/kept/

pid() { probe listeners | sed -n "s/^127\.0\.0\.1:$1 //p"; }
where()
{
	[ -n "$(pid "$1")" ] || return 1
	domain=$(rdomain identify "$(pid "$1")")
	echo "${domain:-default}"
}
silent() { [ -z "$(pid 8201)$(pid 8202)$(pid 8203)" ]; }
entered() { grep -c exec /run/ip.log; }
# beside NAME PLAIN DAEMONS IP: what is in the script's own start(), where the daemons
# of OpenRC are, and how often ip entered
beside()
{
	: >/run/ip.log
	for s in background plain supervised; do rc-service $s start; done >/tmp/start 2>&1 </dev/null
	for port in 8201 8202 8203; do
		want=$3
		[ $port != 8202 ] || want=$2
		if [ "$want" = nowhere ]; then
			is "$1: $port does not start" "" pid $port
		else
			ok "$1: $port starts" await where $port
			is "$1: where $port is" "$want" where $port
		fi
	done
	is "$1: how often ip enters" "$4" entered
	for s in background plain supervised; do rc-service $s stop; done >/tmp/stop 2>&1 </dev/null
	ok "$1: all stop" await silent
}
line() { rdgen openrc background plain supervised -o / >/dev/null; }
nothing() { cp -p /tmp/kept/plain /tmp/kept/background /tmp/kept/supervised /etc/init.d/; }

beside "the file in rc.conf.d" t1 t1 0
line
beside "the file and the line" t1 t1 0
rm /etc/rc.conf.d/50-rdgen.conf
beside "the line" t1 t1 0
mv /usr/libexec/rdgen /tmp/kept/libexec
beside "the line, and rdgen was removed" nowhere nowhere 0
nothing
cp /tmp/kept/50-rdgen.conf /etc/rc.conf.d/
beside "the file, and rdgen was removed" nowhere nowhere 0
rm /etc/rc.conf.d/50-rdgen.conf
beside "nothing of rdgen" default t1 2
mv /tmp/kept/libexec /usr/libexec/rdgen
cp /tmp/kept/50-rdgen.conf /etc/rc.conf.d/
