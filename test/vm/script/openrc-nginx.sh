#!/bin/sh
# shellcheck disable=SC2046
# Two instances of nginx in two domains, with openrc-tools.sh.

# part: nginx
for n in private hostile; do ln -s web /etc/init.d/web.$n; done
echo netns=t1 >/etc/conf.d/web.private; echo vrf=mgmt >/etc/conf.d/web.hostile
workers() { rdomain ps | awk '/nginx/ { n[$1]++ } END { for (d in n) print d, n[d] }' | sort; }
pairs 'rc-service $1 start' web.private web.hostile; await sh -c '[ $(pgrep -c nginx) = 6 ]'; workers
rdexec -n t1 -- busybox wget -q -O - http://127.0.0.1/; echo; rdexec -v mgmt -- busybox wget -q -O - http://10.20.30.40/; echo
ss -Htln | grep -v % | grep ':80 ' || echo closed
old=$(pgrep -x nginx -P $(cat /run/web.hostile.pid) | sort)
rc-service web.hostile reload >/dev/null
await sh -c "[ \$(pgrep -c nginx) = 6 ] && ! pgrep -x nginx -P \$(cat /run/web.hostile.pid) | grep -qxF '$old'"; workers
rc-service web.private stop >/dev/null; await sh -c '[ $(pgrep -c nginx) = 3 ]'; workers
rc-service web.hostile restart >/dev/null; await sh -c '[ $(pgrep -c nginx) = 3 ]'; workers
