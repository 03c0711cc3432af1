#!/bin/sh
# A service whose root is an image of a disk, in a VRF and in a namespace. The image has a
# static program alone.
modprobe -a loop ext4
gzip -d /srv/image.raw.gz
mkdir -p /run/image
mount -o loop /srv/image.raw /run/image
mkdir -p /run/image/proc /run/image/sys /run/image/dev /run/image/run /run/image/tmp /run/image/var/tmp /run/image/etc /run/image/usr
cp /usr/local/bin/probe /run/image/
echo ID=image >/run/image/etc/os-release
umount /run/image
unit image@.service <<'E'
[Service]
RootImage=/srv/image.raw
ExecStart=/probe listen 0.0.0.0:7100
E
printf '[Service]\nRootImage=/srv/image.raw\nExecStart=/probe listen 0.0.0.0:7101\nExecStop=/probe sockets\n' >/etc/systemd/system/stopped.service
echo vrf=mgmt >/etc/conf.d/image@v; echo netns=t1 >/etc/conf.d/image@n; echo vrf=mgmt >/etc/conf.d/stopped
systemctl daemon-reload
ok "without a domain it starts from an image" systemctl start image@plain
systemctl stop image@plain
ok "in a VRF" systemctl start image@v
is "which it is in" mgmt rdomain identify "$(systemctl show -p MainPID --value image@v)"
ok "and in a namespace" systemctl start image@n
ok "which it is in" inside image@n t1
fails "with other commands in the image it does not start" systemctl start stopped
ok "by file and line" has "systemctl status stopped" "stopped.service:2: RootImage= and ExecStop= in one unit"
fails "as rdgen check says before" rdgen check stopped
systemctl stop image@v image@n
