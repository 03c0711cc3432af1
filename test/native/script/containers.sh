#!/bin/sh
# shellcheck disable=SC2154 # $init is set before
# docs/containers.md: an image of busybox' web server, with podman's and Docker's files where a
# machine in namespaces needs others (no overlay on overlay, no controllers). As process 1 it
# heeds no SIGTERM, so it is ended by SIGKILL. $init is the machine's init system.

# part: shared
pid() { podman inspect -f '{{.State.Pid}}' "$1"; }
where() { rdomain identify "$(pid "$box")"; }
in_work() { [ "$(where)" = work ]; }
# outside PID: it is in the namespace of pid 1.
outside() { [ "$(readlink "/proc/$1/ns/net")" = "$(readlink /proc/1/ns/net)" ]; }
page() { busybox wget -q -T 5 -O - "http://192.0.2.2:${1:-80}/" | grep -q hello; }
runs() { pgrep -o -f '^httpd -f'; }
ended() { ! runs; }
if [ "$init" = systemd ]; then
	box=systemd-web
	domain() { systemctl "$1" rdomain@work; }
	service() { systemctl "$1" web; }
else
	box=web
	domain() { rc-service rdomain.work "$1" </dev/null; }
	service() { rc-service web "$1" </dev/null; }
fi

# part: prepare
ip link set lo up
[ "$init" = systemd ] || : >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
mkdir -p /etc/containers/systemd /etc/docker /etc/rdomain /etc/conf.d /tmp/image/bin /tmp/image/etc /tmp/image/srv
rm -f /etc/resolv.conf
echo nameserver 198.51.100.53 >/etc/resolv.conf
printf '[storage]\ndriver="vfs"\nrunroot="/run/containers/storage"\ngraphroot="/var/lib/containers/storage"\n' >/etc/containers/storage.conf
printf '[containers]\npids_limit=0\n' >/etc/containers/containers.conf
echo '{"storage-driver": "vfs"}' >/etc/docker/daemon.json
echo hello >/tmp/image/srv/index.html
for file in /bin/busybox $(ldd /bin/busybox | grep -o '/lib[^ ]*'); do
	mkdir -p "/tmp/image${file%/*}"
	cp -L "$file" "/tmp/image$file"
done
for link in sh cat sleep ip readlink httpd; do ln -s busybox /tmp/image/bin/$link; done
tar -C /tmp/image -cf /var/tmp/image.tar .
podman import --change 'CMD ["httpd","-f","-p","80","-h","/srv"]' --change 'STOPSIGNAL SIGKILL' /var/tmp/image.tar localhost/web

# part: when
ok "it is in the domain" await in_work
ok "and answers there" await page
is "it has the domain's resolver" "nameserver 192.0.2.1" podman exec "$box" cat /etc/resolv.conf
is "what podman exec runs is inside" "net:[$(stat -Lc %i /run/netns/work)]" podman exec "$box" readlink /proc/self/ns/net
ok "rdgen status has it" await rdgen status
ok "as the service's" sh -c 'rdgen status | grep "^  service  *httpd .*in work, tcp .*:80"'
ok "rdgen check has nothing" rdgen check
old=$(pid "$box")
ok "the domain is restarted" domain restart
ok "the container is back" await in_work
fails "it is another" kill -0 "$old"
ok "and answers" await page
ok "the domain is stopped" domain stop
fails "nothing of it is left" runs
is "nor in podman's list" "" podman ps -aq
ok "the domain is started" domain start
ok "the container is back" await in_work
ok "the namespace is deleted" ip netns del work
ok "made again, with the container in it" await in_work
ok "which answers" await page

# part: booted
ok "it is in the domain" await in_work
ok "and answers there" await page

# part: networks
# quadlet TEXT: web.container with that in it, started.
quadlet()
{
	service stop
	printf '[Container]\nImage=localhost/web\n%b\n' "$1" >/etc/containers/systemd/web.container
	systemctl daemon-reload
	systemctl reset-failed web
	service start
}
noted() { rdgen check 2>&1 | grep 'note: .*podman restart'; }
fails "Network=ns: has no note" noted
ok "no Network=" quadlet 'PublishPort=8080:80'
ok "its port is the domain's" await page 8080
ok "by a bridge in the domain" ip -n work link show podman0
fails "and none outside" ip link show podman0
ok "status finds nothing wrong" await rdgen status
ok "with a note" noted
# Until its service ends it, a container runs where podman restart is typed, or in its Network=.
ok "Network=host" quadlet 'Network=host\nStopSignal=SIGTERM'
ok "is in the domain" in_work
ok "with a note" noted
ok "started again by hand" podman restart -t 0 $box
ok "it is outside, which the page says" outside "$(pid $box)"
ok "the service ends it" await ended
ok "Network=ns:" quadlet 'Network=ns:/run/netns/work\nStopSignal=SIGTERM'
ok "started again by hand" podman restart -t 0 $box
ok "is in the domain" in_work
ok "the service ends it" await ended
ok "Network=none" quadlet Network=none
is "has no network" 1 sh -c "podman exec $box ip -o link | wc -l"
for network in ns:/proc/1/ns/net ns:/run/netns/other container:other; do
	fails "Network=$network does not start" quadlet Network=$network
	fails "and nothing of it" runs
done
printf '[Pod]\nNetwork=ns:/run/netns/work\n' >/etc/containers/systemd/p.pod
fails "a container of a pod, with a line of its own, does not start" quadlet Pod=p.pod
mv /etc/conf.d/web /etc/conf.d/p-pod
ok "by the pod's line it does" quadlet Pod=p.pod
ok "and is in the domain" in_work
printf '[Pod]\nPublishPort=8081:80\n' >/etc/containers/systemd/p.pod
systemctl stop p-pod
ok "a pod without Network=" quadlet Pod=p.pod
ok "its port is the domain's" await page 8081
systemctl stop p-pod
rm /etc/containers/systemd/p.pod /etc/containers/systemd/web.container
mv /etc/conf.d/p-pod /etc/conf.d/podman
systemctl daemon-reload
systemctl start podman.socket
ok "a client of podman's socket" podman --remote run -d --name remote --network host localhost/web
is "starts it in the domain" work rdomain identify "$(pid remote)"
podman rm -f -t 0 remote
rm /etc/conf.d/podman
systemctl stop podman.socket podman

# part: docker
docked() { docker inspect -f '{{.State.Pid}}' "$1"; }
wrong() { rdgen check 2>&1 | grep 'error: .*dockerd\|error: .*containerd'; }
try() { echo '{'"${1:-}"'}' >/etc/docker/daemon.json; systemctl stop docker docker.socket containerd; systemctl reset-failed; systemctl start docker; docker import -c 'CMD ["httpd","-f","-p","80","-h","/srv"]' /var/tmp/image.tar web; }
vfs='"storage-driver": "vfs"'
echo netns=work >/etc/conf.d/docker
systemctl daemon-reload
ok "dockerd" try "$vfs"
ok "check has an error of containerd" wrong
fails "ns: is not known" docker run -d --network ns:/run/netns/work web
ok "a container behind a bridge" docker run -d --name bridged --stop-signal KILL -p 8082:80 web
ok "answers at the domain's address" await page 8082
ok "the bridge is in the domain" ip -n work link show docker0
fails "and not outside" ip link show docker0
ok "with another's network" docker run -d --name joined --stop-signal KILL --network container:bridged web sleep 1000
is "is where that is" "$(readlink "/proc/$(docked bridged)/ns/net")" readlink "/proc/$(docked joined)/ns/net"
ok "--network host" docker run -d --name free --stop-signal KILL --network host web sleep 1000
ok "is outside, which the page says" outside "$(docked free)"
ok "the domain is stopped" domain stop
fails "and the container ended" runs
domain start
systemctl start docker
docker rm -f free joined bridged
echo netns=work >/etc/conf.d/containerd
systemctl daemon-reload
ok "both" try "$vfs"
fails "check has no error" wrong
ok "but a note of overlay" sh -c 'rdgen check 2>&1 | grep "note: .*vfs"'
ok "--network host" docker run -d --name free --stop-signal KILL --network host web sleep 1000
is "is in the domain" work rdomain identify "$(docked free)"
docker rm -f free
mount -t tmpfs tmpfs /var/lib/docker # no overlay on overlay
ok "on overlay" try
ok "which Docker chooses" sh -c 'docker info | grep "Storage Driver: overlay2"'
fails "no container starts" docker run --rm web sleep 0
rm /etc/conf.d/docker /etc/conf.d/containerd
systemctl daemon-reload
ok "outside" try
ok "one does" docker run --rm web sleep 0
systemctl stop docker docker.socket containerd
umount /var/lib/docker
