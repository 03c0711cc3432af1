#!/bin/sh
# shellcheck disable=SC2016,SC2154 # for other shells; $init is set in front of it
# bob's sessions by ssh are in the namespace private, by ForceCommand; and so is who logs in
# on a terminal whose getty is there.
sed -i '/^Kind=netns/aAllowUsers=bob' /etc/rdomain/private.conf
ok "the domain" rdomain up private
net=net:[$(stat -Lc %i /run/netns/private)] home=net:[$(stat -Lc %i /proc/1/ns/net)]
where='readlink /proc/self/ns/net'
ssh-keygen -qt ed25519 -N '' -f /root/key
for user in alice bob; do
	install -d -m 0700 -o $user /home/$user/.ssh; install -m 0600 -o $user /root/key.pub /home/$user/.ssh/authorized_keys
done
cat >/root/ssh_config <<'X'
IdentityFile /root/key
BatchMode yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
X
svc() { if [ "$init" = systemd ]; then systemctl "$1" "$2"; else rc-service "$2" "$1"; fi; }
# OpenRC is done before sshd is: it writes its pid when it listens.
sshd() { old=$(cat /run/sshd.pid 2>/dev/null); svc "$1" ssh; await listens; }
listens() { new=$(cat /run/sshd.pid) && [ -n "$new" ] && [ "$new" != "$old" ]; }
mkdir -p /run/sshd; ssh-keygen -A >/dev/null
sshd start
by() { user=$1; shift; ssh -nF /root/ssh_config "$user@127.0.0.1" "$@" 2>&1; }
is "bob's command is inside" "$net" by bob "$where"
is "alice's is not" "$home" by alice "$where"
is "what bob asks for is what is run" "a  b bob private 7" by bob 'echo "a  b" $(id -un) $RDOMAIN $((3 + 4))'
is "with its exit status" 3 sh -c 'ssh -nF /root/ssh_config bob@127.0.0.1 "exit 3"; echo $?'
is "a login shell, on a terminal" "$net" sh -c 'echo "tty >/dev/null && readlink /proc/self/ns/net; exit" | ssh -F /root/ssh_config -tt bob@127.0.0.1 2>/dev/null | grep -o "net:.[0-9]*." | tail -n 1'
echo here >/home/bob/file
install -m 0755 /dev/stdin /usr/local/bin/sftp-server <<'X'
#!/bin/sh
readlink /proc/self/ns/net >/tmp/sftp
exec /usr/lib/openssh/sftp-server
X
sed -i 's|^Subsystem.*|Subsystem sftp /usr/local/bin/sftp-server|' /etc/ssh/sshd_config
sshd restart
: >/tmp/sftp; chmod 0666 /tmp/sftp
ok "sftp brings a file" sh -c 'echo "get file /tmp/got" | sftp -qF /root/ssh_config -b - bob@127.0.0.1 && grep -qx here /tmp/got'
is "from inside" "$net" cat /tmp/sftp
sed -i 's|^Subsystem.*|Subsystem sftp internal-sftp|' /etc/ssh/sshd_config
sshd restart
fails "sshd's own is refused" sh -c 'echo ls | sftp -qF /root/ssh_config -b - bob@127.0.0.1'
fails "so is a port" sh -c 'ssh -F /root/ssh_config -W 127.0.0.1:22 bob@127.0.0.1 </dev/null 2>&1 | grep SSH-'
fails "and one that sshd would listen on" by bob -o ExitOnForwardFailure=yes -R 7791:127.0.0.1:22 true

# What a session starts.
echo 'bob ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/bob; chmod 0440 /etc/sudoers.d/bob
passwd -qd alice
is "sudo" "$net" by bob "sudo -n $where"
is "su" "$net" by bob "su alice -c '$where'"
svc start atd
: >/tmp/at; chmod 0666 /tmp/at
by bob "echo '$where >>/tmp/at' | at now" >/dev/null
ok "at: where atd is" await grep -qxF "$home" /tmp/at
rm /etc/sudoers.d/bob
sed -i '/^AllowUsers/d' /etc/rdomain/private.conf
fails "who is not allowed any more has no session" by bob true
is "and alice has hers" hello by alice 'echo hello'

# A terminal: its getty, login, and what she starts.
if [ "$init" = systemd ]; then
	getty=getty@tty9
	mkdir -p /etc/systemd/system/getty@tty9.service.d
	cat >/etc/systemd/system/getty@tty9.service.d/x.conf <<'X'
[Unit]
ConditionPathExists=
[Service]
ExecStart=
ExecStart=/sbin/agetty --autologin alice --noreset --noclear tty9 dumb
TTYReset=no
TTYVHangup=no
TTYVTDisallocate=no
X
else
	getty=agetty.tty9
	ln -s agetty /etc/init.d/agetty.tty9
	printf 'agetty_options="--autologin alice --noreset --noclear"\nterm_type=dumb\n' >/etc/conf.d/agetty.tty9
fi
echo 'readlink /proc/self/ns/net >.console; mv .console console; exec sleep 1000' >/home/alice/.profile
chsh -s /bin/sh alice
socat PTY,link=/dev/tty9,rawer,ignoreeof PTY,link=/run/line,rawer,ignoreeof 2>/dev/null & lines=$!
await test -e /dev/tty9
console() { rm -f /home/alice/console; [ "$init" != systemd ] || systemctl daemon-reload; svc restart $getty >/dev/null 2>&1 && await test -s /home/alice/console && cat /home/alice/console; }
is "who logs in on a console is outside" "$home" console
echo netns=private >>/etc/conf.d/$getty
is "with a line for its getty inside" "$net" console
rdomain down private 2>/dev/null; echo broken >/etc/rdomain/private.conf
fails "and without the domain nobody logs in there" console
svc stop $getty 2>/dev/null; kill "$lines"
