#!/bin/sh
# A user's session in a namespace, with busybox's shell.
session /usr/local/bin/probe "serve 127.0.0.1:PORT"
pid() { probe listeners | sed -n "s/^[0-9.]*%*${2-}:$1 //p"; }
domain() { rdomain identify "$(pid "$1" "${2-}")"; }
run() { [ -n "$(pid 8160)" ] && [ -n "$(pid 8162)$(pid 8163)" ]; }
said() { su alice -c ". /etc/profile; rc-service --user slip start" 2>&1 | grep -q "a line that names a domain is netns=t1"; }
silent() { [ -z "$(pid 8160)$(pid 8161)$(pid 8162)$(pid 8163)" ]; }

ok "the other domain is there" rc-service rdomain.t2 start
ok "her session starts" rc-service user.alice start
ok "her services run" await run
is "one that names nothing is in the session's domain" t1 domain 8160
is "one that names the same is" t1 domain 8162
is "one that names another does not start" "" pid 8161
is "one with a slip does not start" "" pid 8163
ok "and says why" said
is "as herself" alice stat -c %U "/proc/$(pid 8160)"
ok "her session stops" rc-service user.alice stop
ok "and they with it" await silent
