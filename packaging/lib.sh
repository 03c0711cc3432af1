# shellcheck shell=sh
# What the scripts of this folder share. They are run at the top of the sources, under
# set -eu.
version=${VERSION:-$(cat VERSION)}
# The time of every file that is made: that of the last commit. The result is the
# same on each machine and each day.
[ -n "${SOURCE_DATE_EPOCH:-}" ] || SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# keyring gives gpg the key of $RDGEN_SIGN_GPG and no other.
keyring()
{
	GNUPGHOME=$tmp/gnupg && export GNUPGHOME && mkdir -m 0700 "$GNUPGHOME"
	gpg --batch -q --import "$RDGEN_SIGN_GPG"
}
