#!/bin/sh
# apkbuild.sh TOP BUILT: what APKBUILD(5) demands of the recipe for Alpine, and what its
# functions put into the packages, as abuild calls them. TOP is a folder for that, BUILT
# has the programs. It is run at the top of the sources.
set -eu
top=$1 built=$2
bad() { echo "not ok: $*"; }
make() { command make -s "$@" BUILT="$built"; }
# amove PATH...: from the package to the part of it that is being made.
amove()
{
	for path; do
		mkdir -p "$subpkgdir/${path%/*}"
		mv "$pkgdir/$path" "$subpkgdir/$path"
	done
}
# shellcheck disable=SC1091
. packaging/alpine/APKBUILD
for name in pkgname pkgver pkgrel pkgdesc url arch license source subpackages install; do
	eval "[ -n \"\$$name\" ]" || bad "no $name"
done
# shellcheck disable=SC2154
case "$pkgver-r$pkgrel" in *[!0-9.r-]*) bad "$pkgver-r$pkgrel is no version" ;; esac
# shellcheck disable=SC2154
[ ${#pkgdesc} -le 128 ] || bad "pkgdesc has ${#pkgdesc} bytes"
for function in build check package; do
	type "$function" >/dev/null || bad "no function $function"
done
# shellcheck disable=SC2154
for file in $install; do
	case "${file##*.}" in
	pre-install | post-install | pre-upgrade | post-upgrade | pre-deinstall | post-deinstall) ;;
	*) bad "$file: no such kind of script" ;;
	esac
	# shellcheck disable=SC2154
	case " $pkgname $subpackages " in *" ${file%.*} "*) ;; *) bad "$file: no such package" ;; esac
	[ "$(head -n 1 "packaging/alpine/$file")" = '#!/bin/sh' ] || bad "$file is no script"
done
for file in packaging/alpine/*.*; do
	found=
	for known in $install; do [ "$known" != "${file##*/}" ] || found=1; done
	[ "$found" ] || bad "${file##*/} is not in install"
done

pkgdir=$top/rdgen
package >/dev/null
before=$(cd "$pkgdir" && find . ! -type d | sort)
# Parts that abuild makes by itself.
for part in doc:usr/share/doc doc:usr/share/man bash-completion:usr/share/bash-completion \
	zsh-completion:usr/share/zsh fish-completion:usr/share/fish; do
	case " $subpackages " in *" rdgen-${part%%:*} "*) ;; *) bad "no subpackage ${part%%:*}" ;; esac
	subpkgdir=$top/rdgen-${part%%:*}
	amove "${part#*:}"
done
subpkgdir=$top/rdgen-openrc
depends=none
openrc
# With install_if, that would be a ring: apk removes neither then.
[ -z "$depends" ] || bad "rdgen-openrc depends on $depends"
[ "$(cd "$top" && for part in rdgen*; do (cd "$part" && find . ! -type d); done | sort)" = "$before" ] || bad "a file is lost"
(cd "$top" && find rdgen rdgen-openrc ! -type d | sort)
echo "the end"
