#!/bin/sh
# shellcheck disable=SC2016,SC2086,SC2154 # for other shells; a list of units is words; $every is set in front
# A generator that is killed: by itself, at each of its writes, with its parent, with all
# other generators. systemd says nothing, and goes on.
outside='ExecStartPre=/bin/sh -c '\''[ $$(readlink /proc/self/ns/net) != $$(readlink /proc/1/ns/net) ] || echo %n >>/run/leaked'\'
put() { printf '%s\n[Service]\n%s\nExecStart=/bin/sleep infinity\n' "$2" "$outside" | unit "$1"; }
put held.service ''
put tpl@.service ''
put one@.service ''
put many@.service '[Unit]
PartOf=many.service'
put long.service ''
printf '[Service]\nExecStart=/bin/sleep infinity\n' | unit free.service
unit many.service <<'E2'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
E2
put atboot.service ''
printf '[Install]\nWantedBy=multi-user.target\n' >>/etc/systemd/system/atboot.service
unit held.socket <<'E2'
[Socket]
ListenStream=127.0.0.1:7201
E2
# Units of other names that a line covers: an alias, a companion, a socket.
put real.service ''
printf '[Install]\nAlias=nick.service\n' >>/etc/systemd/system/real.service
put comp.service '[Unit]
PartOf=held.service'
unit ear.socket <<'E2'
[Socket]
ListenStream=127.0.0.1:7202
Service=held.service
E2
systemctl enable real 2>/dev/null
for s in held tpl@ one@a many long.service atboot nick; do echo netns=private >/etc/conf.d/$s; done
systemctl enable atboot 2>/dev/null
all="held one@a tpl@x many many@y long atboot real comp"
generator=/usr/lib/systemd/system-generators/rdgen
# tried HOW: reads all again, starts each, and says whether any was outside.
reads=0 unfinished=0
tried()
{
	systemctl daemon-reload
	reads=$((reads + 1))
	[ -e /run/systemd/generator/rdgen.done ] || unfinished=$((unfinished + 1))
	rm -f /run/leaked
	systemctl start held.socket ear.socket 2>/dev/null
	[ -z "$(ss -Htln 'sport = 7201 or sport = 7202')" ] || echo a socket >>/run/leaked
	systemctl start free $all 2>/dev/null
	if [ -e /run/leaked ]; then echo "not ok: $1: outside are $(tr '\n' ' ' </run/leaked)"; fi
	systemctl -q is-active free || echo "not ok: $1: what conf.d does not name does not start"
	systemctl stop free held.socket ear.socket $all 2>/dev/null
	systemctl reset-failed
}
tried nothing
ok "with nothing killed it comes to its end" test "$unfinished" = 0
ok "and all start" systemctl start $all
for u in held one@a tpl@x many@y long atboot real comp; do ok "inside: $u" inside $u private; done
systemctl stop $all

# rdgen dies at each of its writes, or at every other in make test, and at its second try as well.
mv /usr/bin/rdgen /root/rdgen
for call in mkdirat renameat write openat; do
	n=1 tries=0 unfinished=0
	while [ "$tries" = "$unfinished" ]; do
		printf '#!/bin/sh\nexec strace -f -qq -o /dev/null -e trace=%s -e inject=%s:signal=KILL:when=%s /root/rdgen "$@"\n' $call $call $n >/usr/bin/rdgen
		chmod 755 /usr/bin/rdgen
		tried "killed at its $call $n"
		tries=$((tries + 1))
		case $call in openat | write) n=$((n * 3 / 2 + 1)) ;; *) n=$((n + every)) ;; esac
	done
	ok "it was killed at its $call, $unfinished times" test "$unfinished" -gt 2
done
mv /root/rdgen /usr/bin/rdgen

# A signal of rdgen's is none of the shell's: the other generators are left alone.
printf '#!/bin/sh\n[ -e /run/once ] || { touch /run/once; kill -KILL $$; }\nexec /root/rdgen "$@"\n' >/root/once
chmod 755 /root/once
mv /usr/bin/rdgen /root/rdgen
mv /root/once /usr/bin/rdgen
unfinished=0
tried "killed once"
ok "what is killed once comes to its end all the same" test "$unfinished" = 0
mv /root/rdgen /usr/bin/rdgen

# The shell, systemd's own process that waits for it, and the whole family.
mv $generator /root/generator
for how in 'kill -KILL $$' 'kill -SEGV $$' 'kill -KILL $PPID' '/usr/bin/rdgen "$@"; kill -KILL $$' \
	'/usr/bin/rdgen "$@" & kill -KILL $PPID $$' 'kill -KILL $PPID $(pgrep -P $PPID)' 'exit 1'; do
	unfinished=0
	printf '#!/bin/sh\n%s\n' "$how" >$generator
	chmod 755 $generator
	for _ in 1 2 3; do tried "$how"; done
	ok "$how: it does not come to its end" test "$unfinished" = 3
done
ok "a service that is held says why" sh -c 'systemctl start held; systemctl status held | grep "[Aa]ssert"'
mv /root/generator $generator
systemctl daemon-reload
ok "after the next reload all start" systemctl start $all
for u in held one@a tpl@x many@y long atboot real comp; do ok "inside: $u" inside $u private; done
echo "# $reads reloads"
# The next boot: all generators, and rdgen-removed has not come to its end either.
mkdir -p /etc/systemd/system-generators
ln -s /dev/null /etc/systemd/system-generators/rdgen-removed
mv $generator /root/generator
printf '#!/bin/sh\nkill -KILL $(pgrep -P $PPID)\n' >$generator
chmod 755 $generator
