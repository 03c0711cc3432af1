#!/bin/sh
# shellcheck disable=SC2154
# Instances of a template, made while s6 runs, each in the domain that it is called as.
mkdir -p /srv/scan
rdgen s6 webs@ --flavor svscan -o /
s6-instance-maker -L /var/log/webs -t 2 /etc/s6/services/webs@ /srv/webs
ln -s /srv/webs /srv/scan/webs
scan /srv/scan
until_ 's6-instance-list /srv/scan/webs'
for i in t1 mgmt "$other"; do s6-instance-create /srv/scan/webs "$i"; done
until_ 'ip netns exec t1 ss -Htln | grep -q :8081'
until_ 'listens 8081'
until_ 'other_listens 8081'
[ "$(s6-instance-list /srv/scan/webs | wc -l)" = 3 ]
[ "$(ss -Htln | grep -c :8081)" = "$sockets" ]
s6-instance-delete /srv/scan/webs t1
until_ '! ip netns exec t1 ss -Htln | grep -q :8081'
listens 8081
# A name that is no domain's ID never runs.
s6-instance-create /srv/scan/webs no:such
until_ 'grep -q "rdomain: fatal: .*no:such" /var/log/webs/current'
[ "$(pidof busybox | wc -w)" = 2 ]
stop
rdomain down t1 mgmt "$other"
