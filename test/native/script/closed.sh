#!/bin/sh
# Tries to get a service to run outside of its domain.
# Each of these would leave a file if any of its programs ran.
for s in stale missing lying same ignored blind undefined broken half picky reset owned; do
	unit $s.service <<E
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
ExecStopPost=/bin/touch /run/leaked
E
	echo netns=$s >/etc/conf.d/$s
done
echo netns=private >/etc/conf.d/ignored; echo netns=private >/etc/conf.d/blind
echo netns=private >/etc/conf.d/picky; sed -i '/ExecStartPre/iExecCondition=/bin/true' /etc/systemd/system/picky.service
mkdir -p /etc/systemd/system/reset.service.d /etc/systemd/system/reset.socket.d
sed -i '/ExecStartPre/iDelegateNamespaces=yes' /etc/systemd/system/owned.service
printf '[Service]\nExecStartPre=\n' >/etc/systemd/system/reset.service.d/zz-site.conf
printf '[Socket]\nListenStream=/run/leaked\n' >/etc/systemd/system/reset.socket
printf '[Socket]\nExecStartPre=\n' >/etc/systemd/system/reset.socket.d/zz-site.conf
# What systemd passes over in a folder of drop-ins is passed over: the socket is inside.
unit odd.service <<E
[Service]
ExecStart=/bin/sleep infinity
E
printf '[Socket]\nListenStream=/run/odd.sock\nListenStream=4711\n' >/etc/systemd/system/odd.socket
mkdir -p /etc/systemd/system/odd.socket.d /etc/systemd/system/odd.service.d/folder.conf
ln -s /nope /etc/systemd/system/odd.socket.d/a.conf
ln -s loop.conf /etc/systemd/system/odd.service.d/loop.conf
mkdir -p /etc/systemd/system/stranger.socket /run/systemd/system/odd.service
echo netns=private >/etc/conf.d/odd
echo vrf=undefined >/etc/conf.d/undefined
printf '[Domain]\nKind=netns\nNoSuchKey=1\n' >/etc/rdomain/broken.conf
printf '[Domain]\nKind=netns\nTimeout=1\n[Link nosuchlink]\n' >/etc/rdomain/half.conf
# rdomain@ says that these are up, and they are not.
for d in stale missing lying same; do
	mkdir -p /etc/systemd/system/rdomain@$d.service.d; printf '[Service]\nExecStart=\nExecStart=/bin/true\n' >/etc/systemd/system/rdomain@$d.service.d/x.conf
done
mkdir -p /run/netns; : >/run/netns/stale; chmod 0 /run/netns/stale
mkdir /run/tmp; mount -t tmpfs x /run/tmp; : >/run/netns/lying; mount --bind /run/tmp /run/netns/lying 2>/dev/null || mount --bind /etc/hostname /run/netns/lying
: >/run/netns/same; mount --bind /proc/1/ns/net /run/netns/same
unit leaver.service <<E
[Service]
ExecStart=/sbin/ip netns exec other /bin/touch /run/leaked
E
ip netns add other
echo netns=private >/etc/conf.d/leaver
# Of units that share their namespaces the first one says which there are.
unit sharer.service <<E
[Service]
PrivateTmp=yes
ExecStart=/bin/sleep infinity
E
unit joiner.service <<E
[Unit]
JoinsNamespaceOf=sharer.service
[Service]
ExecStart=/bin/touch /run/leaked
E
echo netns=private >/etc/conf.d/joiner
systemctl daemon-reload
systemctl start sharer
ok "a unit that joins one without a namespace of the network" failed joiner
ok "which rdgen check says before" has "rdgen check 2>&1" 'JoinsNamespaceOf=sharer.service wins'
ok "a left-over file of 0 bytes" failed stale
ok "a command that goes to another namespace" failed leaver
ok "a namespace that is not there" failed missing
systemctl start lying
ok "a mount that is no namespace" sh -c '! systemctl is-active lying && ! test -e /run/leaked'
ok "a name for the default domain" failed same
ok "the reason of which systemctl status has" has "systemctl status same" 'the network namespace of pid 1'
fails "and rdomain check" rdomain check same
ok "a domain that cannot be made: its file is wrong" failed broken
ok "a domain that cannot be made: a link is missing" failed half
ok "a VRF that nobody defined" failed undefined
ok "which systemctl status says" has "systemctl status undefined" 'vrf undefined is not defined'
ok "a later drop-in that resets the line by which it fails" failed reset
ok "and that of its socket" failed reset.socket
ok "which rdgen says" has "dmesg" 'reset.service.d/zz-site.conf:2: ExecStartPre='
ok "a namespace that is to be owned by the service's users" failed owned
ok "a socket with a drop-in that leads nowhere starts" systemctl start odd.socket
ok "it listens inside" sh -c 'ip netns exec private grep -q ":1267 .* 0A " /proc/net/tcp6 && ! grep -q ":1267 .* 0A " /proc/net/tcp6'
ok "and its service starts" systemctl start odd
ok "inside" inside odd private

# A systemd that does not know the directive.
mkdir -p /etc/systemd/system/ignored.service.d
sed 's/^NetworkNamespacePath=/NetworkNamespacePathOfTheFuture=/' /run/systemd/generator/ignored.service.d/zz-rdomain.conf >/etc/systemd/system/ignored.service.d/zz-rdomain.conf
systemctl daemon-reload
ok "a directive that systemd does not know" failed ignored
ok "systemctl status says where it was" has "systemctl status ignored" 'it is in another network namespace'
mv /usr/sbin/rdexec /root/
ok "nobody there to look" failed blind
ok "nor before a condition, which is no skip" failed picky
mv /root/rdexec /usr/sbin/
ok "then it starts" systemctl start blind
ok "inside" inside blind private
rm -f /run/leaked
# The domain goes while the service runs.
ip netns delete private
ok "the namespace's name deleted: a restart is refused" sh -c '! systemctl restart blind && ! systemctl is-active blind'
ok "nothing ran" test ! -e /run/leaked
systemctl restart rdomain@private
ok "made again, it starts" systemctl start blind
ok "inside the new one" inside blind private
rm -f /run/leaked

# A user's systemd may not enter a namespace: it warns and goes on.
useradd -m -u 1000 alice 2>/dev/null
install -d -o alice -g alice /home/alice/.config /home/alice/.config/systemd /home/alice/.config/systemd/user
grep -v -e '^Requires' -e '^After' /run/systemd/generator/blind.service.d/zz-rdomain.conf >/home/alice/.config/systemd/user/x.service
sed -i 's/^ExecStartPre=+/ExecStartPre=/; /^TemporaryFileSystem/d; /^BindReadOnly/d; /^SourcePath/d' /home/alice/.config/systemd/user/x.service
echo 'ExecStart=/bin/sh -c "echo leaked >/home/alice/leaked; sleep 1000"' >>/home/alice/.config/systemd/user/x.service
systemctl start user@1000
alice() { setpriv --reuid alice --regid alice --clear-groups env XDG_RUNTIME_DIR=/run/user/1000 HOME=/home/alice "$@"; }
await alice systemctl --user show-environment
fails "a user's systemd" alice systemctl --user start x
alice systemctl --user start x 2>/dev/null
ok "has failed" sh -c '! test -e /home/alice/leaked'
ok "with the reason in the journal" has "journalctl _UID=1000" 'rdexec: fatal'
fails "rdgen refuses to write there" rdgen systemd blind -o /etc/systemd/user
