#!/bin/sh
# Says who and where it is, and when it gets a signal.
trap 'echo got HUP' HUP
trap 'echo got TERM; exit 0' TERM
echo "started $0 $* as $(id -un)"
[ -z "$READY" ] || echo >&3
exec 3>&-
while :; do sleep 2 & wait; done
