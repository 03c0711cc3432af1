#!/bin/sh
# After the page: crond is in the VRF mgmt. ntpd goes into a namespace, as the page says.
domain() { rdomain identify "$(cat /run/"$1".pid)"; }
# resolver PID: what the process reads as its resolver
resolver() { cat "/proc/$1/root/etc/resolv.conf"; }

is "crond is in the VRF" mgmt domain crond
ok "what runs there is bound" rdexec -v mgmt -- rdomain check --self -v mgmt
mkdir -p /etc/netns/private
echo nameserver 192.0.2.53 >/etc/netns/private/resolv.conf
ln -s rdomain /etc/init.d/rdomain.private
echo netns=private >>/etc/conf.d/ntpd
ok "ntpd starts in a namespace" rc-service ntpd restart
is "ntpd is there" private domain ntpd
is "with the resolver of the namespace" "nameserver 192.0.2.53" resolver "$(cat /run/ntpd.pid)"
is "as its own user" ntp stat -c %U "/proc/$(cat /run/ntpd.pid)"

# Alpine's scripts as they are: none is refused, none is changed.
ok "rdgen check" rdgen check
ok "rdgen openrc --all" rdgen openrc --all -o /tmp/all
ok "rdgen openrc --all --check" rdgen openrc --all -o /tmp/all --check

# A program that dies is started again in its domain, by supervise-daemon.
cat >/etc/init.d/web <<'X'
#!/sbin/openrc-run
supervisor=supervise-daemon
command=/usr/local/bin/probe
command_args="serve 0.0.0.0:7100"
respawn_delay=1
X
chmod +x /etc/init.d/web
echo vrf=mgmt >/etc/conf.d/web
pid() { probe listeners | sed -n 's/^0\.0\.0\.0%mgmt:7100 //p'; }
other() { [ -n "$(pid)" ] && [ "$(pid)" != "$1" ]; }
silent() { [ -z "$(pid)" ]; }
ok "a supervised one starts" rc-service web start
ok "in the VRF" await other 0
old=$(pid)
kill -9 "$old"
ok "and again, there" await other "$old"
ok "restart" rc-service web restart
ok "in the VRF after that" await other "$old"
ok "stop" rc-service web stop
ok "nothing is left" await silent
