#!/bin/sh
# Debian's own nginx and sshd, once more each in other domains, beside the ones
# of the host; and by the static files alone.
mkdir -p /run/sshd; ssh-keygen -A >/dev/null
printf '[Domain]\nKind=netns\n' >/etc/rdomain/hostile.conf
for i in private hostile; do
	echo netns=$i >/etc/conf.d/nginx.$i
	cp -a /etc/nginx /etc/nginx.$i
	sed -i "s,/run/nginx.pid,/run/nginx.$i.pid," /etc/nginx.$i/nginx.conf
	mkdir -p /srv/$i; echo "this is $i" >/srv/$i/index.html
	rm -f /etc/nginx.$i/sites-enabled/*
	printf 'server { listen 80; root /srv/%s; }\n' $i >/etc/nginx.$i/conf.d/x.conf
done
echo netns=private >/etc/conf.d/ssh.private; cp -a /etc/ssh /etc/ssh.private; echo 'Port 2222' >>/etc/ssh.private/sshd_config
# Without the generator: the files of rdgen alone.
ln -s /dev/null /etc/systemd/system-generators/rdgen 2>/dev/null || { mkdir -p /etc/systemd/system-generators; ln -s /dev/null /etc/systemd/system-generators/rdgen; }
ok "rdgen systemd -o /etc" sh -c 'rdgen systemd nginx.private nginx.hostile ssh.private -o /etc 2>/run/notes'
ok "says what the instance needs" grep -q 'pid file of nginx.private is /run/nginx.private.pid' /run/notes
systemctl daemon-reload
ok "the host's own" systemctl start nginx
ok "an instance" systemctl start nginx.private
ok "another one" systemctl start nginx.hostile
ok "sshd" systemctl start ssh.private

for i in private hostile; do
	ok "nginx.$i is in $i" inside nginx.$i $i
	ok "with its own configuration" has "ip netns exec $i busybox wget -q -O - http://127.0.0.1/" "this is $i"
	ok "and pid file" [ "$(cat /run/nginx.$i.pid)" = "$(systemctl show -p MainPID --value nginx.$i)" ]
done
ok "nginx is outside" [ "$(netns_of nginx)" = "$(readlink /proc/1/ns/net)" ]
ok "sshd listens inside only" sh -c 'ip netns exec private ss -Htln | grep -q :2222 && ! ss -Htln | grep :2222'
ok "with a runtime directory of its own" test -d /run/sshd.private
ok "the domain goes with the services in it" systemctl stop rdomain@hostile
ok "and no others" sh -c 'systemctl is-active nginx nginx.private ssh.private && ! systemctl is-active nginx.hostile'
ok "reload" systemctl reload nginx.private
# The same files from the generator: nothing changes, nothing fights.
rm -f /etc/systemd/system-generators/rdgen
ok "the generator beside the static files" systemctl daemon-reload
ok "has nothing to say" sh -c '! dmesg | grep "rdgen:"'
ok "rdgen check agrees" rdgen check
# A user's own systemd: what she starts by it is where it is.
useradd -u 1234 -m alice
echo netns=private >/etc/conf.d/user@1234
systemctl daemon-reload
ok "a user's systemd" systemctl start user@1234
ok "is in the namespace" inside user@1234 private
mkdir -p /home/alice/.config/systemd/user
printf '[Service]\nExecStart=/usr/bin/sleep infinity\n' >/home/alice/.config/systemd/user/mine.service
as_alice() { su alice -s /bin/sh -c "XDG_RUNTIME_DIR=/run/user/1234 $*"; }
ok "a service of hers" as_alice systemctl --user daemon-reload
ok "starts" as_alice systemctl --user start mine
ok "inside" await sh -c '[ "$(rdomain identify "$(pgrep -u alice -x sleep)")" = private ]'
ok "her systemd goes with the domain" systemctl stop rdomain@private
fails "and is gone" systemctl is-active user@1234
# One that is there by its line alone goes with the line: it is stopped while systemd has it.
printf '[Service]\nExecStart=/bin/sleep infinity\n' | unit plain.service
for how in printed now; do
	echo netns=hostile >/etc/conf.d/plain.one
	systemctl daemon-reload
	ok "an instance of a plain unit" systemctl start plain.one
	ok "inside" inside plain.one hostile
	pid=$(systemctl show -p MainPID --value plain.one)
	case $how in
	printed) ok "its line is taken out" sh -c "$(rdgen unset plain.one | sed -n 's/^next: //p')" ;;
	now) ok "and at once" rdgen unset --now plain.one ;;
	esac
	fails "nothing goes on" kill -0 "$pid"
done
