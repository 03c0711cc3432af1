#!/bin/sh
# A service of OpenRC and a run script of s6 that are the program attacker, as nobody, in mgmt.
ln -sf rdomain /etc/init.d/rdomain.mgmt
cat >/etc/init.d/attack <<'EOT'
#!/sbin/openrc-run
command=/usr/local/bin/attacker
command_user=nobody
command_background=yes
pidfile=/run/attack.pid
rc_ulimit="-n 30000"
EOT
chmod 755 /etc/init.d/attack
mkdir -p /etc/s6-rc/source/attack-s6
echo longrun >/etc/s6-rc/source/attack-s6/type
printf '#!/bin/execlineb -P\ns6-setuidgid nobody\n/usr/local/bin/attacker\n' >/etc/s6-rc/source/attack-s6/run
for f in /usr/lib/execline/bin/*; do [ -e "/usr/bin/${f##*/}" ] || ln -s "$f" /usr/bin/; done
for s in attack attack-s6; do echo vrf=mgmt >/etc/conf.d/$s; done
chmod 755 /etc/s6-rc/source/attack-s6/run
rdgen s6 attack-s6 -o /
mkdir -p /srv/scan; cp -R /etc/s6-rc/source/attack-s6 /srv/scan/attack-s6
