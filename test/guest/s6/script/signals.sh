#!/bin/sh
# A signal, and a crash: the next process is in the domain again.
until_ 'grep -q "started /usr/local/sbin/ticker" /var/log/xl/current' # it has its traps by then
s6-svc -h /srv/scan/xl
until_ 'grep -q "got HUP" /var/log/xl/current'
for s in httpd xl sh-binbusyboxsh; do
	pid /srv/scan/$s >/run/$s.old
	kill -9 "$(cat /run/$s.old)"
done
for s in httpd xl sh-binbusyboxsh; do
	until_ "s6-svstat -o up,pid /srv/scan/$s | grep true && ! [ \$(pid /srv/scan/$s) = $(cat /run/$s.old) ]"
done
until_ 'listens 8080'
until_ 'grep -q mgmt /run/xl.finish'
