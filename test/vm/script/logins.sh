#!/bin/sh
# shellcheck disable=SC2016,SC2154 # for other shells; $init is set in front of it
# Sessions by ssh of the members of a group are in the VRF mgmt, by PAM, and nobody else's.
if [ "$init" = systemd ]; then systemctl restart rdomain@mgmt; else rdomain up mgmt; fi
useradd -m -s /bin/sh -G netusers alice; useradd -m -s /bin/sh carol
ssh-keygen -A >/dev/null; mkdir -p /run/sshd; rm -f /root/key; ssh-keygen -qt ed25519 -N '' -f /root/key
for user in alice carol; do
	install -d -m 0700 -o $user /home/$user/.ssh; install -m 0600 -o $user /root/key.pub /home/$user/.ssh/authorized_keys
done
rm -f /etc/conf.d/ssh
uid=$(id -u alice)
[ "$init" != systemd ] || { echo vrf=mgmt >"/etc/conf.d/user@$uid"; systemctl daemon-reload; }
/usr/sbin/sshd -t
[ "$init" != systemd ] || systemctl start ssh
[ "$init" = systemd ] || /usr/sbin/sshd
by() { user=$1; shift; timeout 60 ssh -n -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$user@127.0.0.1" "$@" 2>&1; }
all_in() { echo "$1" | grep -qx 'tcp4 mgmt' && ! echo "$1" | grep -Ev ' mgmt$|permitted|denied' | grep .; }
out=$(by alice /usr/local/bin/probe sockets)
ok "alice's sockets are bound [$out]" all_in "$out"
out=$(by alice 'setsid -w nohup /usr/local/bin/probe sockets')
ok "and those of what leaves her terminal [$out]" all_in "$out"
if [ "$init" = systemd ]; then
	# What alice's own systemd starts tries to leave: her cgroups are all below the one that is bound.
	cat >/usr/local/bin/leave <<'E'
#!/bin/sh
top=/sys/fs/cgroup own=$(cut -d: -f3 /proc/self/cgroup | sed 's|\(/user@[0-9]*.service\).*|\1/out|')
mkdir "$top$own"; echo $$ >"$top$own/cgroup.procs"; echo $$ >"$top/cgroup.procs"
cd || exit; { cat /proc/self/cgroup; /usr/local/bin/probe sockets; } >.said; mv .said said
E
	chmod 0755 /usr/local/bin/leave
	out=$(by alice 'systemd-run --user -q /usr/local/bin/leave; until [ -s said ]; do sleep .1; done; cat said')
	ok "her systemd's service moves to another cgroup of hers" sh -c 'echo "$1" | head -n 1 | grep "user@$2.service/out$"' sh "$out" "$uid"
	ok "and is bound [$out]" all_in "$(echo "$out" | sed 1d)"
fi
passwd -qd carol
out=$(by alice 'su carol -c "/usr/local/bin/probe sockets"')
ok "and by su those of another user [$out]" all_in "$out"
out=$(by carol /usr/local/bin/probe sockets)
ok "carol's are not [$out]" sh -c 'echo "$1" | grep -qx "tcp4 -" && ! echo "$1" | grep -q mgmt' sh "$out"
ok "nor the daemon's" sh -c 'ss -Hltn sport = :22 | grep -v "%mgmt" | grep -q :22'
# What sshd connects to for a client is connected from where the session is.
socat TCP-LISTEN:7777,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo outside' & one=$!
rdomain exec mgmt -- socat TCP-LISTEN:7777,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo inside' & two=$!
until [ "$(ss -Hltn sport = :7777 | grep -c :7777)" = 2 ]; do :; done
ok "a port that is forwarded for alice is inside" [ "$(by alice -W 127.0.0.1:7777)" = inside ]
ok "for carol it is not" [ "$(by carol -W 127.0.0.1:7777)" = outside ]
ctl() { timeout 60 ssh -S /run/ctl -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ExitOnForwardFailure=yes "$@"; }
for user in alice carol; do
	want=outside bound=-v
	[ $user = carol ] || want=inside bound=-e
	ok "$user: ports by -L and -R" ctl -nfNM -L 7790:127.0.0.1:7777 -R 7791:127.0.0.1:22 $user@127.0.0.1
	ok "-L leads $want" [ "$(socat -u TCP:127.0.0.1:7790 -)" = $want ]
	ok "and so does -R" sh -c "ss -Hltn sport = :7791 | grep 127.0.0.1 | grep $bound %mgmt"
	ctl -O exit $user@127.0.0.1 2>/dev/null
	await sh -c '! ss -Hltn sport = :7791 | grep .'
done
kill "$one" "$two"
if [ "$init" = systemd ]; then
	# In front of pam_systemd the session would be moved out again.
	sed -i '$d' /etc/pam.d/sshd; sed -i '1isession include rdomain-session' /etc/pam.d/sshd
	ok "a line that stands too early: no session" sh -c '! timeout 60 ssh -n -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null alice@127.0.0.1 true'
	sed -i 1d /etc/pam.d/sshd; echo 'session include rdomain-session' >>/etc/pam.d/sshd
fi
sed -i 's/session mgmt/session nosuchvrf/' /etc/pam.d/rdomain-session
ok "without the VRF: no session of alice's" sh -c '! timeout 60 ssh -n -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null alice@127.0.0.1 true'
out=$(by alice -W 127.0.0.1:22 | head -c 3)
ok "and no port that is forwarded [$out]" [ "$out" != SSH ]
ok "carol has hers" [ "$(by carol 'echo hello')" = hello ]
ok "and su - alice, as the console, is as it was" [ "$(su - alice -c 'echo hello')" = hello ]
# The console itself: getty, login, and her shell.
printf '/usr/local/bin/probe sockets >.console; mv .console console; exit\n' >/home/alice/.profile
socat PTY,link=/dev/ttyT,rawer,ignoreeof PTY,link=/run/line,rawer,ignoreeof 2>/dev/null & line=$!
await test -e /dev/ttyT
setsid agetty --autologin alice --noreset --noclear ttyT dumb &
ok "by getty and login, too" await test -s /home/alice/console
ok "outside, as it was" sh -c 'grep -qx "tcp4 -" /home/alice/console && ! grep mgmt /home/alice/console'
kill "$line"
