#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# Each job of the page says where it was.
inode=$(stat -Lc %i /run/netns/private); home=$(stat -Lc %i /proc/1/ns/net)
said() { await grep -qx "$1" /tmp/jobs; } # WHO NAMESPACE
again() { rm -f /run/crond.reboot; : >/tmp/jobs; chmod 0666 /tmp/jobs; systemctl restart cron atd; }
said "alice net:\[$inode\]" # the one that the page hands to at
again
ok "cron.d: alice's job" said "alice net:\[$inode\]"
await sh -c '[ "$(grep -c alice /tmp/jobs)" = 2 ]'
ok "her crontab: inside, too" [ "$(grep -cx "alice net:\[$inode\]" /tmp/jobs)" = 2 ]
: >/tmp/jobs; runuser -u bob -- sh -c 'cd; echo /usr/local/bin/job | at now' 2>/dev/null
ok "at: whoever hands it in, by the line of atd" said "bob net:\[$inode\]"
printf 'SHELL=/bin/sh\nPATH=/usr/bin:/bin\n1 0 job /usr/local/bin/job\n' >/etc/anacrontab; rm -f /var/spool/anacron/job
: >/tmp/jobs; systemctl start anacron
ok "anacron" said "root net:\[$inode\]"
: >/tmp/jobs; systemctl start backup
await grep -q root /tmp/jobs
ok "the service of a timer [$(cat /tmp/jobs)]" [ "$(cat /tmp/jobs)" = "root net:[$inode]" ]
# Without the daemons' lines only what says so itself is inside.
rm /etc/conf.d/cron /etc/conf.d/atd; systemctl daemon-reload; echo '@reboot root /usr/local/bin/job' >/etc/cron.d/other; again
ok "cron outside: root's job is outside" said "root net:\[$home\]"
await sh -c '[ "$(grep -c alice /tmp/jobs)" = 2 ]'
ok "and both of alice's are inside" [ "$(grep -cx "alice net:\[$inode\]" /tmp/jobs)" = 2 ]
: >/tmp/jobs; runuser -u bob -- sh -c 'cd; echo /usr/local/bin/job | at now' 2>/dev/null
ok "at outside" said "bob net:\[$home\]"
: >/tmp/jobs; runuser -u alice -- sh -c 'cd; echo rdomain exec private -- /usr/local/bin/job | at now' 2>/dev/null
ok "and one job of it inside" said "alice net:\[$inode\]"
rm /etc/cron.d/job /etc/cron.d/other; crontab -u alice -r
