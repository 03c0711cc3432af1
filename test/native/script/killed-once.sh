#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# For a boot at which all generators are killed, once, and what no file of conf.d is called
# as: a unit by its alias, a companion, a socket of another name.
outside='ExecStartPre=/bin/sh -c '\''[ $$(readlink /proc/self/ns/net) != $$(readlink /proc/1/ns/net) ] || echo %n >>/run/leaked'\'
for u in real comp main; do
	printf '[Unit]\nPartOf=%s.service\n[Service]\n%s\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' main "$outside" | unit $u.service
done
sed -i '/PartOf/d; $aAlias=nick.service' /etc/systemd/system/real.service
sed -i /PartOf/d /etc/systemd/system/main.service
printf '[Socket]\nListenStream=127.0.0.1:7301\nService=main.service\n[Install]\nWantedBy=sockets.target\n' | unit ear.socket
rm -f /etc/conf.d/*
# What the script before has left, and is in no domain now.
systemctl disable atboot 2>/dev/null
for f in nick main; do echo netns=private >/etc/conf.d/$f; done
systemctl enable real comp main ear.socket 2>/dev/null
systemctl daemon-reload
ok "the alias is covered" test -e /run/systemd/generator/real.service.d/zz-rdomain.conf
ok "and the companion" test -e /run/systemd/generator/comp.service.d/zz-rdomain.conf
ok "and the socket" test -e /run/systemd/generator/ear.socket.d/zz-rdomain.conf
mkdir -p /etc/systemd/system-generators
ln -sf /dev/null /etc/systemd/system-generators/rdgen-removed
generator=/usr/lib/systemd/system-generators/rdgen
mv $generator /root/generator
printf '#!/bin/sh\n[ -e /run/once ] || { : >/run/once; kill -KILL $(pgrep -P $PPID); }\nexec /root/generator "$@"\n' >$generator
chmod 755 $generator
