#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# rdomain session beside an elogind: the line of docs/logins.md behind pam_elogind, which stands in
# what sshd includes on Alpine and Gentoo, and in front of it. No VRF is here: what comes past the
# question whether this is a session says so. And what else PAM has elogind move.
ip link set lo up
mkdir -p /run/dbus /run/sshd
dbus-daemon --system --fork
/lib/elogind/elogind --daemon
ok "elogind runs" await test -d /run/systemd/seats
sed -i /pam_systemd/d /etc/pam.d/common-session
sed -i 's|type=open_session|& log=/run/said|' /etc/pam.d/rdomain-session
printf '[Domain]\nKind=vrf\nTable=10\n' >/etc/rdomain/mgmt.conf
groupadd netusers; useradd -m -s /bin/sh -G netusers alice; useradd -m -s /bin/sh carol
ssh-keygen -A >/dev/null; ssh-keygen -qt ed25519 -N '' -f /root/key
for user in alice carol; do
	install -d -m 0700 -o $user /home/$user/.ssh; install -m 0600 -o $user /root/key.pub /home/$user/.ssh/authorized_keys
done
/usr/sbin/sshd
at='sed -n s/^0:://p /proc/self/cgroup'
by() { ssh -n -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$1@127.0.0.1" "$at" 2>&1; }
# stack LINE...: sshd's own file, with these lines at its end.
stack()
{
	rm -f /run/said
	printf '%s include common-%s\n' auth auth account account session session >/etc/pam.d/sshd
	for line; do echo "$line" >>/etc/pam.d/sshd; done
}
elogind='-session optional pam_elogind.so' ours='session include rdomain-session'
stack "$elogind" "$ours"
fails "behind pam_elogind, without the VRF: no session of alice's" by alice
ok "it is one" grep -q 'unable to enter vrf mgmt: no such device' /run/said
ok "carol has hers" sh -c 'echo "$1" | grep -qx "/c[0-9]*"' sh "$(by carol)"
stack "$ours" "$elogind"
fails "in front of it: no session of alice's" by alice
ok "and it says why" grep -q 'is not one of a session; the line has to stand behind that of pam_elogind' /run/said
ok "carol has hers again" sh -c 'echo "$1" | grep -qx "/c[0-9]*"' sh "$(by carol)"

# What openrc-enter.sh relies on. (test is a cgroup as that of a service.)
echo "$elogind" >>/etc/pam.d/common-session
mkdir /sys/fs/cgroup/test
echo $$ >/sys/fs/cgroup/test/cgroup.procs
is "runuser opens no session of elogind" /test runuser carol -c "$at"
is "nor does setpriv" /test setpriv --reuid=carol --clear-groups sh -c "$at"
for call in 'su carol' 'su - carol' 'su -l carol' 'runuser -l carol' 'runuser - carol'; do
	ok "$call does" sh -c '$1 -c "$2" | grep -qx "/c[0-9]*"' sh "$call" "$at"
done
echo $$ >/sys/fs/cgroup/cgroup.procs
