#!/bin/sh
# What the services of same.sh have around them: a user, folders, and files of variables.
id gizmo >/dev/null 2>&1 || useradd -m -d /var/lib/gizmo -G adm,audio gizmo
sed -i /pam_umask/d /etc/pam.d/common-session* # as Alpine's OpenRC, which has no PAM
mkdir -p /var/log/gizmo /srv/gizmo "/srv/my gizmo" /etc/default
chown gizmo /var/log/gizmo
printf 'A=1\nOPTS="-a  -b"\n# c\nB = two words\n' >/etc/default/gizmo
printf 'A=3\nOPTS=-c   \n\nC="x  y"\nD=x#y\n E = z \nF=\nG="a\\"b"\nH=it'"'"'s $A\n' >/etc/default/gizmo2
printf 'A=3\nX=a\\\nb\n' >/etc/default/gizmo5
echo PATH=/usr/bin:/usr/sbin:/bin:/sbin:/srv >/etc/default/gizmo3
printf 'HOME=/srv\nUSER=other\n' >/etc/default/gizmo4
rdomain up same
