#!/bin/bash
# portage.sh add ROOT EBUILD BUILT VERSION | del ROOT EBUILD: merges what the ebuild
# installs into ROOT, or unmerges it, by the ebuild's phases in Portage's order, with the
# environment that Portage keeps of them. BUILT has the programs. It is run at the top of
# the sources.
set -eu
verb=$1 ROOT=$2 ebuild=$3 built=${4-} version=${5-}
EPREFIX='' EROOT=$ROOT P=rdgen-$version PF=rdgen-$version
export ROOT EPREFIX EROOT P PF
inherit() { :; }
emake() { make -s "$@" BUILT="$built"; }
keepdir() { mkdir -p "$D$1" && : >"$D$1/.keep_net-misc_rdgen-0"; }
# As where /lib and /usr/lib are two folders.
systemd_get_systemunitdir() { echo "$EPREFIX/lib/systemd/system"; }
systemd_get_systemgeneratordir() { echo "$EPREFIX/lib/systemd/system-generators"; }
get_udevdir() { echo /usr/lib/udev; }
udev_reload() { :; }
elog() { echo " * $*"; }
die() { echo "die: $*" >&2; exit 1; }
# shellcheck disable=SC1090
. "$ebuild"
kept=$ROOT/var/db/pkg/net-misc

# unmerge [VERSION]: the version that is there, replaced by another one.
unmerge()
(
	export REPLACED_BY_VERSION=${1-}
	# shellcheck disable=SC1091
	. "$kept/environment"
	pkg_prerm
	while read -r file; do
		grep -qxsF "$file" "$kept/new" || rm -f "$ROOT/$file"
	done <"$kept/contents"
	while read -r dir; do rmdir "$ROOT/$dir" 2>/dev/null || :; done <"$kept/dirs"
	pkg_postrm
)

if [ "$verb" = add ]; then
	D=$(mktemp -d)
	export D
	src_install
	mkdir -p "$kept"
	(cd "$D" && find . ! -type d >"$kept/new" && find . -depth -type d >"$kept/new.dirs" && cp -a . "$ROOT/")
	[ ! -e "$kept/environment" ] || unmerge "$version"
	(cd "$D" && find . -type f -exec sha256sum {} +) >"$kept/sums"
	rm -r "$D"
	mv "$kept/new" "$kept/contents"
	mv "$kept/new.dirs" "$kept/dirs"
	declare -p "${!RDGEN_@}" >"$kept/environment"
	pkg_postinst
else
	unmerge
	rm -r "$kept"
fi
