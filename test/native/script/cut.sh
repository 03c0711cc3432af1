#!/bin/sh
# shellcheck disable=SC2154,SC2013,SC2046,SC2086 # of the script before; lists of words
# dpkg is killed before each program that it or a script of the packages runs, and before it
# puts each file in its place or takes it away. At each such place the service that runs goes
# on, and a restart has it inside, or has it not: never outside. To install the packages again
# mends it.
mkdir -p /run/cut /root/cut
cat >/root/cut/stub <<'I'
#!/bin/sh
# One program more: before the last that is left dpkg is killed, with all that it runs.
read -r left </run/cut/left
left=$((left - 1))
echo $left >/run/cut/left
[ $left != 0 ] || {
	echo "${0##*/} of $(/usr/bin/tr '\0' ' ' </proc/$PPID/cmdline)" >/run/cut/before
	kill -9 0
}
PATH=${PATH#/root/cut:}
exec "${0##*/}" "$@"
I
chmod +x /root/cut/stub
for name in dpkg-deb dpkg-split tar rm mv cp ln mkdir sed find grep systemctl rc-update rdgen; do ln -s stub /root/cut/$name; done

debs() { for name in $packages; do echo "${name}_$1-1_amd64.deb"; done; }
runs_inside()
{
	pid=$(main)
	[ -n "$pid" ] && [ "$(readlink "/proc/$pid/ns/net")" = "net:[$(stat -Lc %i /run/netns/private)]" ]
}
same() { [ "$(main)" = "$was" ] && runs_inside; }
nothing_outside() { [ -z "$(ss -Htln "sport = $port")" ]; }
# judged: that the service goes on, where it is after a restart, and that all is as it was
# when the packages are installed again.
judged()
{
	at="$verb, before $(cat /run/cut/before)"
	ok "$at: it goes on inside" same
	refresh >/dev/null 2>&1
	ok "$at: and when the init system has looked again" same
	if restart >/run/cut/said 2>&1; then
		ok "$at: it starts inside" await runs_inside
	fi
	ok "$at: nothing is outside" nothing_outside
	ok "$at: installed again" dpkg -i $(debs 0.1.0)
	end >/dev/null 2>&1
	ok "$at: it starts" restart
	ok "$at: inside as before" await runs_inside
	is "$at: nothing of a removal is left" "" find /etc /usr/lib/lsb -name '*rdgen-removed*'
	was=$(main)
}
# cut FILES PROGRAMS VERB COMMAND...: kills before each FILES-th file, and each PROGRAMS-th program.
cut()
{
	files=$1 programs=$2 verb=$3 n=0 cuts=0
	shift 3
	for file in $(cat /run/cut/files); do
		n=$((n + 1))
		[ $((n % files)) = 0 ] || continue
		echo "$file" >/run/cut/before
		strace -o /dev/null -P "$file" -P "$file.dpkg-new" -e trace=rename,unlink \
			-e inject=rename,unlink:signal=KILL "$@" >/run/cut/said 2>&1
		[ $? != 137 ] || cuts=$((cuts + 1))
		judged
	done
	n=1
	while
		echo $n >/run/cut/left
		PATH=/root/cut:$PATH setsid -w "$@" >/run/cut/said 2>&1
		[ "$(cat /run/cut/left)" = 0 ]
	do
		cuts=$((cuts + 1))
		judged
		n=$((n + programs))
	done
	echo "its end" >/run/cut/before
	judged
	# The least that there are, if only some are taken.
	ok "$verb: dpkg was killed at some places ($cuts)" test $((cuts * files * programs)) -ge 15
}

ok "installed" dpkg -i $(debs 0.1.0)
refresh >/dev/null 2>&1
ok "it starts" restart
ok "inside" await runs_inside
was=$(main)
dpkg -L $packages | grep -v '^/usr/share/' | while read -r file; do [ -d "$file" ] || echo "$file"; done >/run/cut/files
cut $few $few upgrade dpkg -i $(debs 0.2.0)
cut $(((few + 4) / 5)) $few remove dpkg -r $packages
cut $((few * 4)) $few purge dpkg -P $packages
