#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# Which services come back with their domain, and what is said of those that do not.
# service NAME LINE...: a unit with lines for [Service].
service()
{
	echo netns=private >"/etc/conf.d/$1"
	name=$1
	shift
	printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' "$@" '[Install]' WantedBy=multi-user.target | unit "$name.service"
	systemctl enable -- "$name.service" 2>/dev/null # what nothing wants is forgotten as it becomes inactive
}
idle() { jobs=$(systemctl list-jobs --no-legend) && [ -z "$jobs" ]; }
# Somebody deletes the namespace. Services that end then, and are to start again, are not let in.
service web Restart=always
service picky Restart=on-failure ExecCondition=/bin/true
service asked
service once
service ended
service never
service barred
service lost Restart=always
service own BindReadOnlyPaths=/opt/own
mkdir /opt/own
systemctl daemon-reload
ok "services start in a domain" systemctl start web picky asked once ended own lost
rmdir /opt/own
fails "one fails for its own reason" systemctl restart own
mkdir /opt/own
ok "and what notes" await idle
dies() { kill -KILL "$(systemctl show --property=MainPID --value "$1")"; }
printf '#!/bin/sh\nexit 255\n' >/root/refuses # as rdexec ends where the process is elsewhere
chmod 0755 /root/refuses
mount --bind /root/refuses /usr/sbin/rdexec
dies lost
ok "one is refused by the look" has "systemctl show --property=ExecStartPre lost" "status=255"
ok "until it is down" await systemctl is-failed lost
umount /usr/sbin/rdexec
systemctl stop rdomain-watch # till all of them are down
ip netns delete private
systemctl stop ended
dies web; dies picky; dies once
fails "there is no way in" systemctl restart asked
fails "for one that never was there too" systemctl start never
touch /run/netns/private
mount --bind /dev/null /run/netns/private # which systemd tries to enter
fails "as for another" systemctl start barred
ok "which was refused by systemd" has "systemctl show --property=ExecCondition,ExecStartPre barred" "status=225"
umount /run/netns/private
rm /run/netns/private
state() { systemctl show --property=ActiveState --value "$@" | xargs; }
all_down() { case " $(state web picky asked once ended never barred own) " in *" act"* | *" deact"*) return 1 ;; esac; }
ok "they are down, and so is what has no Restart=" await all_down
ok "the domain is watched again, and restarted" systemctl start rdomain-watch
for unit in web picky asked lost; do ok "$unit was up, and comes back" inside $unit private; done
ok "and all is done" await idle
is "what ended, was stopped, never was up, or failed for its own reason does not" "failed inactive inactive failed failed" state once ended never barred own
ok "nothing is noted any more" test ! -e /run/rdgen/stopped/private

# What systemd does not start by hand, or not now, and what cannot be noted.
systemctl reset-failed
unit holder.service <<'X'
[Unit]
Wants=held\x2dback.service
[Service]
ExecStart=/bin/sleep infinity
X
unit slow.service <<'X'
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c "until [ -e /run/go ]; do sleep 0.1; done"
X
service 'held\x2dback' # a name that a shell has to be given in quotes
service 'needy\x2dtoo'
service masked
sed -i '1i [Unit]\nRefuseManualStart=yes' '/etc/systemd/system/held\x2dback.service'
sed -i '1i [Unit]\nRequires=slow.service' '/etc/systemd/system/needy\x2dtoo.service'
systemctl daemon-reload
fails "one that systemd does not start by hand" systemctl start 'held\x2dback'
ok "starts with what wants it" systemctl start holder 'needy\x2dtoo' masked
ok "inside" inside 'held\x2dback' private
ok "and all is done" await idle
ok "the domain stops" systemctl stop rdomain@private
mv /etc/systemd/system/masked.service /root; systemctl mask masked 2>/dev/null
systemctl --no-block stop slow
ok "what one of them requires is being stopped" has "systemctl is-active slow" deactivating
ok "the domain starts" systemctl start rdomain@private
ok "one that systemd does not start by hand is back" inside 'held\x2dback' private
ok "and so is what is named behind those that are not" inside web private
said='journalctl -b -u rdomain-services@private -p err -o cat'
ok "and which one was not to be started now" has "$said" 'error: private: needy.x2dtoo.service stopped with the domain, and does not start again: .*slow.service'
ok "with what to do" has "$said" '^rdomain-services: hint: systemctl start -- .needy.x2dtoo.service.$'
ok "what notes is up" systemctl is-active rdomain-services@private
ok "and has nothing noted for later" test ! -e /run/rdgen/stopped/private
touch /run/go
ok "by hand it starts" await systemctl start 'needy\x2dtoo'

systemctl reset-failed
mkdir -p /run/rdgen/stopped
mount -t tmpfs -o ro none /run/rdgen/stopped
ok "the domain stops, with no place for a note" systemctl stop rdomain@private
ok "which is said" has "$said" 'error: private: /run/rdgen/stopped/private cannot be written'
ok "with the services" has "$said" 'hint: systemctl start -- .*web.service'
ok "and is a failure" systemctl is-failed rdomain-services@private
umount /run/rdgen/stopped
mount -t tmpfs -o size=4k none /run/rdgen/stopped
ok "it starts" systemctl start web
ok "and what notes" await idle
dd if=/dev/zero of=/run/rdgen/stopped/full 2>/dev/null
ok "it stops, and all is full" systemctl stop rdomain@private
ok "which is said too" has "$said | grep -c 'cannot be written'" 2
umount /run/rdgen/stopped

# What somebody decided while the domain was down.
systemctl reset-failed
unit sock.socket <<'X'
[Socket]
ListenStream=127.0.0.1:7777
X
service sock
unit maint.service <<'X'
[Unit]
Conflicts=rival.service
[Service]
ExecStart=/bin/sleep infinity
X
unit begins.service <<'X'
[Unit]
Conflicts=second.service
[Service]
Type=oneshot
ExecStart=/bin/sleep infinity
X
for name in rival second moved freed -dash said; do service "$name"; done
printf '[Service]\nExecStartPre=/bin/sh -c ": \\n\\nId=never.service\\nActiveState=active\\n"\n' | install -D -m 0644 /dev/stdin /etc/systemd/system/said.service.d/odd.conf
systemctl daemon-reload
ok "a socket, its service and others" systemctl start sock.socket sock rival second moved freed said -- -dash.service
ok "and all is done" await idle
ok "the domain stops" systemctl stop rdomain@private
echo netns=blue >/etc/conf.d/moved
rm /etc/conf.d/freed
systemctl daemon-reload
ok "one is moved, and another has no domain any more" systemctl start moved freed maint
ok "both are stopped" systemctl stop moved freed
systemctl --no-block start begins
ok "the domain starts" systemctl start rdomain@private
ok "the service of the socket is back" inside sock private
ok "with its socket" await systemctl is-active sock.socket
ok "and one whose name is like an option" await systemctl is-active -- -dash.service
ok "and all that was noted is asked for" await systemctl is-active rdomain-services@private
is "nor is one beside what is being started" "inactive activating" state second begins
systemctl stop begins
ok "and all is done" await idle
is "what was stopped elsewhere is not, nor what a unit's text names" "inactive inactive inactive" state moved freed never
is "nor what would be up beside what it conflicts with" "inactive active" state rival maint
ok "which is said" has "$said" 'error: private: rival.service stopped .*Conflicts= with maint.service'
ok "what notes is stopped alone" systemctl stop rdomain-services@private
ok "and a service by hand" systemctl stop web
ok "it starts again" systemctl start rdomain-services@private
ok "and all is done" await idle
is "the service does not" inactive state web

# One that runs when the domain restarts, and is never active: it is started once more, not twice.
service job Type=oneshot ExecStart= 'ExecStart=/bin/sh -c "echo >>/run/job.ran; [ $(wc -l </run/job.ran) = 2 ] || exec sleep infinity"'
systemctl daemon-reload
runs() { [ "$(wc -l </run/job.ran)" = "$1" ]; }
systemctl --no-block start job
ok "a job runs" await runs 1
ok "the domain restarts" systemctl restart rdomain@private
ok "and all is done" await idle
is "the job ran once more" 2 sh -c "wc -l </run/job.ran"
rm /run/job.ran
systemctl --no-block start job
ok "it runs again" await runs 1
ok "the domain stops" systemctl stop rdomain@private
ok "and starts with what notes" systemctl start rdomain-services@private
ok "and all is done" await idle
is "the job ran once more" 2 sh -c "wc -l </run/job.ran"

# The domain stops while a service is still being started, and another waits for that. What comes
# back is ordered before what notes, also of the administrator's own; a connection cannot.
service begun Type=oneshot RemainAfterExit=yes ExecStart= 'ExecStart=/bin/sh -c "until [ -e /run/begun ]; do sleep 0.1; done"'
service waits
sed -i '1i [Unit]\nAfter=begun.service' /etc/systemd/system/waits.service
unit ech.socket <<'X'
[Socket]
ListenStream=127.0.0.1:7778
Accept=yes
X
unit ech@.service <<'X'
[Service]
ExecStart=/bin/sleep infinity
StandardInput=socket
X
echo netns=private >/etc/conf.d/ech
for name in mine theirs; do
	unit $name.service <<'X'
[Unit]
Requires=rdomain@private.service
After=rdomain@private.service
Before=web.service
[Service]
ExecStart=/bin/sleep infinity
X
done
sed -i 's/^Before=/&rdomain-services@private.service /' /etc/systemd/system/mine.service
systemctl daemon-reload
ok "the domain stops" systemctl stop rdomain@private
rm -f /run/rdgen/stopped/private
systemctl reset-failed
systemctl --no-block start begun waits
ok "services start, and a socket" systemctl start web mine theirs ech.socket ended
ok "one is stopped" systemctl stop ended
ip netns exec private bash -c 'exec 3<>/dev/tcp/127.0.0.1/7778 && exec sleep infinity' &
connection=$!
ok "it has a connection" has "systemctl list-units --plain ech@*" running
is "one is still being started, another waits" "activating inactive" state begun waits
ok "the domain stops, in one command with what is down" systemctl stop rdomain@private ended
is "all but that one are noted" "begun.service ech.socket mine.service waits.service web.service" \
	sh -c "sort /run/rdgen/stopped/private | grep -E '^(begun|ech|ended|mine|theirs|waits|web)' | xargs"
kill "$connection"
printf '[Service]\nExecStartPost=/bin/test -e /run/fine\n' | install -D -m 0644 /dev/stdin /etc/systemd/system/rdomain@private.service.d/fine.conf
systemctl daemon-reload
fails "the domain does not start, by a line of its own" systemctl start rdomain@private
touch /run/fine
ok "then it does" systemctl start rdomain@private
for unit in web.service ech.socket mine.service; do ok "$unit is back" await systemctl is-active $unit; done
begins() { [ "$(state begun)" = activating ]; }
ok "as is the one that is being started" await begins
is "and the one that waits" "inactive inactive" state waits theirs
touch /run/begun
ok "which is in then" inside waits private
printf '[Service]\nExecStartPost=\nExecStartPost=-/bin/none\n' >/etc/systemd/system/rdomain@private.service.d/fine.conf
systemctl daemon-reload
ok "without systemctl the domain restarts" systemctl restart rdomain@private
# Not with -u: the process that says it may have ended before journald looks up its unit.
ok "which is said" has "journalctl -b -o cat" "rdomain@private.service.*/bin/none"
ok "what notes is up after the services" await systemctl is-active rdomain-services@private
rm -r /etc/systemd/system/rdomain@private.service.d

# A daemon-reload leaves alone what runs, though it is to be in a domain that is not up.
unit plain.service <<'X'
[Service]
ExecStart=/bin/sleep infinity
X
systemctl daemon-reload
ok "a service without a line" systemctl start plain
echo netns=new >/etc/conf.d/plain
systemctl daemon-reload
ok "and all is done" await idle
ok "goes on after the reload that finds one" systemctl is-active plain
ok "rdgen check says where it is" sh -c "rdgen check 2>&1 | grep 'plain: process .* is in the default domain and not in netns new'"
ok "it restarts" systemctl restart plain
ok "inside" inside plain new
