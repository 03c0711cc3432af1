#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# rdomain@.service itself.
unit user.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c 'ip -n private link show veth0 >/run/at-stop'
E
unit early.service <<'E'
[Unit]
After=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -n private -br address show veth0; ip -n private -br address show cable0'
[Install]
WantedBy=multi-user.target
E
echo netns=private >/etc/conf.d/user
systemctl daemon-reload
ok "start" systemctl start user
ok "with the administrator's own lines" ping -c 1 -W 10 10.9.0.2
ok "by their cable" has "ip -4 neigh show dev cable1" "$(ip netns exec private cat /sys/class/net/cable0/address)"
index=$(ip -n private -o link show veth0 | cut -d: -f1); pid=$(systemctl show -p MainPID --value user)
sed -i '/^Address/aAddress=192.0.2.3/30' /etc/rdomain/private.conf
ok "reload after an edit" systemctl reload rdomain@private
ok "applies it" has "ip -n private -br address show veth0" 192.0.2.3
ok "and leaves the rest" [ "$(ip -n private -o link show veth0 | cut -d: -f1) $(systemctl show -p MainPID --value user)" = "$index $pid" ]
ok "stop" systemctl stop rdomain@private
ok "stops the service first" grep -q veth0 /run/at-stop
ok "and takes the namespace away" sh -c '! systemctl is-active user && ! test -e /run/netns/private'
ok "it starts at once again, with its cable" systemctl start user
ok "through which it is reached" ping -c 1 -W 10 10.9.0.2
sed -i s/^ExecStartPost=ip.-n/\&x/ /etc/systemd/system/rdomain@private.service.d/cable.conf; systemctl daemon-reload
fails "with a line that fails the domain does not restart" systemctl restart rdomain@private
fails "nor is there its service" systemctl is-active user
fails "nor does it start" systemctl start user
sed -i s/^ExecStartPost=ip.-nx/ExecStartPost=ip\ -n/ /etc/systemd/system/rdomain@private.service.d/cable.conf; systemctl daemon-reload
ok "with the line as it was it starts" systemctl start user
ok "and is reached" ping -c 1 -W 10 10.9.0.2
ok "the domain stops" systemctl stop rdomain@private

# A stop is not taken back by who starts or restarts things by itself: what starts the services
# again, and what sees that a domain is no more as it was made.
stopped() { await sh -c '[ "$(systemctl is-active rdomain@private user | xargs)" = "inactive inactive" ]'; }
cp /usr/bin/systemctl /usr/local/bin/systemctl.real
printf '%s\n' '#!/bin/sh' 'trap "" TERM' 'case "$*" in *start*user.service) /usr/local/bin/systemctl.real --no-block stop rdomain@private ;; esac' \
	'exec /usr/local/bin/systemctl.real "$@"' >/usr/local/bin/stops-first
chmod 0755 /usr/local/bin/stops-first
mkdir -p /etc/systemd/system/rdomain-services@private.service.d /etc/systemd/system/user.service.d /run/rdgen/stopped
printf '[Service]\nBindReadOnlyPaths=/usr/local/bin/stops-first:/usr/bin/systemctl\n' >/etc/systemd/system/rdomain-services@private.service.d/x.conf
systemctl daemon-reload
echo user.service >/run/rdgen/stopped/private
systemctl reset-failed
ok "it starts, and is told to stop while its services start again" systemctl start rdomain@private
ok "it stops" stopped
ok "and what did not start again is still noted" grep -qx user.service /run/rdgen/stopped/private
rm -r /etc/systemd/system/rdomain-services@private.service.d /run/rdgen/stopped/private
printf '[Service]\nExecStop=/bin/sh -c "until [ -e /run/go ]; do sleep 0.1; done"\n' >/etc/systemd/system/user.service.d/x.conf
systemctl daemon-reload
asked=0
for restart in $(sed -n 's|.*/bin/systemctl \(--no-block.*\) rdomain@.*|\1|p' /usr/lib/systemd/system/rdomain-watch.service /usr/lib/udev/rules.d/90-rdomain.rules | tr ' ' ,); do
	systemctl reset-failed # it counts how often they are started
	ok "it starts once more" systemctl start user
	systemctl --no-block stop rdomain@private
	ok "it waits for its service" has "systemctl is-active user" deactivating
	# shellcheck disable=SC2046 # words
	fails "a restart ($restart) is refused" systemctl $(echo "$restart" | tr , ' ') rdomain@private.service
	touch /run/go
	ok "and it stops" stopped
	rm /run/go
	asked=$((asked + 1))
done
ok "both who restart were asked" [ "$asked" = 2 ]
rm -r /etc/systemd/system/user.service.d
systemctl daemon-reload

# What an isolated target stops stays stopped, and the domain stays up, as if it were no unit.
unit bystander.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
E
echo netns=private >/etc/conf.d/bystander
mkdir -p /etc/systemd/system/rdgen-agent.service.d
printf '[Unit]\nIgnoreOnIsolate=yes\n' >/etc/systemd/system/rdgen-agent.service.d/x.conf
printf '[Unit]\nAllowIsolate=yes\nRequires=basic.target\nAfter=basic.target\n' >/etc/systemd/system/bare.target
systemctl daemon-reload
idle() { jobs=$(systemctl list-jobs --no-legend) && [ -z "$jobs" ]; }
ok "two start" systemctl start user bystander
ok "and what comes with their domain" await idle
ok "a target is isolated" systemctl isolate bare.target
down() { [ "$(systemctl is-active user bystander | xargs)" = "inactive inactive" ]; }
ok "they stop" await down
ok "and all is done" await idle
is "the domain does not, and is watched" "active active" sh -c 'echo $(systemctl is-active rdomain@private rdomain-watch)'
ok "one starts again" systemctl start user
ok "inside" inside user private
ok "and all is done" await idle
is "and not the other" inactive systemctl is-active bystander
systemctl stop rdomain@private

# Another tool makes and deletes namespaces meanwhile.
(for n in 1 2 3 4 5 6 7 8; do ip netns add other$n; ip netns delete other$n; done) &
systemctl start rdomain@p1 rdomain@p2 rdomain@p3 rdomain@p4; wait $!
ok "namespaces made beside another tool" rdomain check p1 p2 p3 p4
# (ip of before 2026 mounts each one twice, on both sides of the mount of /run/netns.)
ok "none is a left-over file, nor do the mounts multiply" sh -c 'for n in /run/netns/*; do [ $(stat -fc %T $n) = nsfs ] && [ $(grep -c " $n " /proc/self/mountinfo) -le 2 ] || exit 1; done'
systemctl enable rdomain@private early user 2>/dev/null; ip netns delete world
# /run stays at a soft reboot, and so would a note: it is looked for after the reboot.
systemctl start user
ok "all is done before the reboot" await idle
mkdir -p /run/rdgen /var/noted; rm -rf /run/rdgen/stopped; ln -s /var/noted /run/rdgen/stopped
