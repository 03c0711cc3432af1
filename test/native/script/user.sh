#!/bin/sh
# A user's session in a namespace: all of the user's services are in it, and one that
# wants another domain does not start. (test/guest/user.sh)
session /bin/busybox "httpd -f -p PORT -h /srv"
rc-update -u >/dev/null 2>&1
ports() { "$@" ss -Htln | sed -n 's/.*:\(81[0-9]*\) .*/\1/p' | sort -u | tr '\n' ' '; }
listen_in() { [ "$(ports ip netns exec "$1")" = "$2" ]; }
started() { # OpenRC says so a moment after the program runs; until then it stops none of them.
	for service in plain same; do [ -L "/run/user/$(id -u alice)/openrc/started/$service" ] || return 1; done
}
quiet() { [ -z "$(ports env)" ]; }

ok "the other domain is there" rc-service rdomain.t2 start
rc-service user.alice start >/dev/null 2>&1
ok "her services are in t1" await listen_in t1 "8160 8162 "
ok "which OpenRC knows" await started
ok "none of them elsewhere" listen_in t2 ""
ok "and none outside" quiet
rc-service user.alice stop >/dev/null 2>&1
ok "they stop with the session" await listen_in t1 ""
ok "and nothing runs" sh -c '! pgrep -x busybox'
