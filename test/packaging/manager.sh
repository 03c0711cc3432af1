#!/bin/sh
# What rpm, pacman, dpkg and an ebuild do with the packages of rdgen, in a root that has a
# shell and nothing else. Set are: here, dir (the release), root, openrc (not empty if OpenRC's
# package is installed too), and the commands add FOLDER VERSION, del, whole;
# of dpkg half, which configures one of two, and killed, in which it is killed while it unpacks.
set +e
# shellcheck disable=SC1091,SC2154
. "$here/../guest/prelude.sh"
# shellcheck disable=SC2154
mkdir -p "$root/bin" "$root/etc/conf.d" "$root/usr/lib/systemd/system" "$root/tmp" "$root/dev" "$root/var/lib/rpm" "$root/run"
for program in busybox bash; do
	cp "$(command -v $program)" "$root/bin/"
	ldd "$(command -v $program)" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root${library%/*}"
		cp "$library" "$root$library"
	done
done
told() { del >"$root/tmp/said" 2>&1; }
within() { chroot "$root" "$@"; }
within /bin/busybox --install -s /bin
printf '[Service]\nExecStart=/bin/web\n' >"$root/usr/lib/systemd/system/web.service"
mkdir -p "$root/etc/init.d"
printf '#!/sbin/openrc-run\ncommand=/bin/web\n' >"$root/etc/init.d/web"
guard=/etc/systemd/system-generators/rdgen-removed
left() { (cd "$root" && find etc usr lib -name '*rdgen*' -o -name '*rdomain*'); }
# held: systemd would not start it, nor would OpenRC.
held()
{
	rm -rf "$root/tmp/units"
	ok "systemd's part is held" within $guard /tmp/units /tmp/units /tmp/units
	ok "it is" grep -q AssertPathExists=/usr/bin/rdgen "$root/tmp/units/web.service.d/zzzz-rdgen-removed.conf"
	# shellcheck disable=SC2154
	[ -z "$openrc" ] || ok "OpenRC's part too" grep -q "names a routing domain" "$root/etc/rc.conf.d/51-rdgen-removed.conf"
}

ok "installed" add dist 0.1.0
ok "no byte differs from what the package says" whole
is "it is that" "rdgen version 0.1.0" within /usr/bin/rdgen --version
echo netns=private >"$root/etc/conf.d/web"
ok "the service is found" sh -c "chroot $root /usr/bin/rdgen list | grep web"
rm -rf "$root/tmp/units"
ok "its guard runs" within "/$(cd "$root" && find usr/lib lib -path '*generators/rdgen-removed')" /tmp/units /tmp/units /tmp/units
fails "and leaves it to rdgen's own generator to say that it came to its end" test -e "$root/tmp/units/rdgen.done"
if [ -n "$(command -v killed)" ]; then
	fails "dpkg is killed while it unpacks" killed .git/later 0.2.0
	ok "each file is there, as it was" whole
	is "nothing is held" "" find "$root/etc" -name '*rdgen-removed*'
	ok "and is configured" dpkg --root="$root" --configure -a
fi
ok "upgraded" add .git/later 0.2.0
is "no file of dpkg's is left" "" find "$root/etc" "$root/usr" -name '*.dpkg-*'
is "it is that" "rdgen version 0.2.0" within /usr/bin/rdgen --version
is "nothing holds a service" "" find "$root/etc" -name '*rdgen-removed*'
ok "taken back" add dist 0.1.0
is "it is that again" "rdgen version 0.1.0" within /usr/bin/rdgen --version
is "nothing holds a service then" "" find "$root/etc" -name '*rdgen-removed*'
mkfifo "$root/etc/conf.d/pipe" # which nobody writes into
ok "removed" told
ok "it says what does not start, and what stays" sh -c "cat $root/tmp/said; grep -qw web $root/tmp/said && grep -q '$guard stays' $root/tmp/said"
is "no program is left" "" sh -c "ls -d $root/usr/bin/rd* $root/usr/lib/rdgen 2>/dev/null"
held
rm "$root/etc/conf.d/pipe"
if [ -n "$(command -v half)" ]; then
	ok "OpenRC's part is unpacked, and not configured" half .git/later 0.2.0
	ok "it is held as before" grep -q "names a routing domain" "$root/etc/rc.conf.d/51-rdgen-removed.conf"
fi
ok "installed again" add .git/later 0.2.0
is "nothing holds it" "" find "$root/etc" -name '*rdgen-removed*'
ok "no byte differs" whole
echo '# netns=private' >"$root/etc/conf.d/web"
ok "removed without a line" del
is "nothing is left" "" left
ok "what others wrote stays" test -e "$root/etc/conf.d/web"
echo "the end"
