#!/bin/sh
# Other OpenRCs than any that was released: a service with a domain is in it, or does
# not start; one without always starts. Go adds what is altered.
run=/lib/rc/sh/openrc-run.sh
[ -e "$run" ] || run=/usr/libexec/rc/sh/openrc-run.sh
[ -e /tmp/openrc-run.sh ] || cp -p "$run" /tmp/openrc-run.sh
mkdir -p /etc/rdomain /etc/conf.d
ln -sf rdomain /etc/init.d/rdomain.t1
for s in inside outside; do
	cat >/etc/init.d/$s <<'X'
#!/sbin/openrc-run
command=/usr/local/bin/probe
command_args="serve 127.0.0.1:$port"
command_background=yes
pidfile="/run/$RC_SVCNAME.pid"
start_pre() { rdomain identify $$ >"/run/$RC_SVCNAME.where"; }
X
	chmod +x /etc/init.d/$s
done
printf 'port=8101\nnetns=t1\n' >/etc/conf.d/inside
echo port=8102 >/etc/conf.d/outside
pid() { probe listeners | sed -n "s/^127\.0\.0\.1:$1 //p"; }
runs() { [ -n "$(pid "$1")" ]; }
silent() { [ -z "$(pid "$1")" ]; }
start() { for s in rdomain.t1 outside inside; do rc-service $s start </dev/null; done; }
stop() { for s in inside outside rdomain.t1; do rc-service $s stop </dev/null; done; }
domain() { rdomain identify "$(pid 8101)"; }
inside_or_not() { silent 8101 || [ "$(domain)" = t1 ]; }
warned() { rdgen check 2>&1 | grep -q "error: $run"; }
only_inside() { [ ! -e /run/inside.where ] || [ "$(cat /run/inside.where)" = t1 ]; }
# altered NAME CODE SED: OpenRC as the sed script makes it; CODE is what is then looked at
altered()
{
	sed "$3" /tmp/openrc-run.sh >"$run"
	rm -f /run/inside.where
	[ "$3" = "" ] || fails "$1: it is another" cmp -s /tmp/openrc-run.sh "$run"
	case $2 in
	enters) fails "$1: rdgen check has nothing to say" warned ;;
	*) ok "$1: rdgen check says so" warned ;;
	esac
	start >/tmp/start 2>&1
	ok "$1: the one without a domain starts" await runs 8102
	case $2 in
	enters)
		ok "$1: the one with a domain starts" await runs 8101
		is "$1: its daemon is inside" t1 domain
		is "$1: its functions are" t1 cat /run/inside.where
		;;
	"leaks not")
		ok "$1: the one with a domain is inside, or does not start" inside_or_not
		ok "$1: its functions ran inside, or not at all" only_inside
		;;
	stays)
		ok "$1: the one with a domain does not start" silent 8101
		ok "$1: no function of it has run" test ! -e /run/inside.where
		;;
	esac
	cat /tmp/openrc-run.sh >"$run"
	stop >/tmp/stop 2>&1
	ok "$1: the one with a domain stops" await silent 8101
	ok "$1: the other stops" await silent 8102
}
