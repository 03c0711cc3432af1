#!/bin/sh
# The run of a longrun, for one shell or another. NAME is put in.
exec 2>&1
exec >>/run/NAME.out
# shellcheck disable=SC2154 # the mark, which is gone by now
echo "entered ${rdgen_entered-no}"
exec /usr/local/sbin/ticker "$@"
