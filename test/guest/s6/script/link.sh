#!/bin/sh
# A daemon under s6 makes a link of the domain, which rdomain watch, under s6 too, takes in with
# its address, and again when the daemon was killed and makes another.
[ -e /dev/net/tun ] || modprobe tun
rm -rf /srv/scan; mkdir -p /srv/scan/tunnel /srv/scan/watch
printf '#!/bin/sh\nexec rdomain watch\n' >/srv/scan/watch/run
cat >/srv/scan/tunnel/run <<'R'
#!/usr/bin/perl
open(my $tun, "+<", "/dev/net/tun") or die;
my $tun5 = pack("a16sx22", "tun5", 0x1001);
ioctl($tun, 0x400454ca, $tun5) or die;
select(undef, undef, undef, 0.3);
system("ip address add 10.5.0.1/24 dev tun5; ip link set tun5 up") == 0 or die;
sleep;
R
chmod 755 /srv/scan/*/run; touch /srv/scan/tunnel/down
rdgen s6 httpd --flavor svscan -o /
ln -s /etc/s6/services/httpd /srv/scan/httpd
scan /srv/scan
# Without the link the domain is up, and what is in it runs.
until_ 'listens 8080'
rdomain check mgmt
! holds tun5 10.5.0.1/24 || exit 1
s6-svc -u /srv/scan/tunnel
until_ 'holds tun5 10.5.0.1/24'
old=$(pid /srv/scan/tunnel) web=$(pid /srv/scan/httpd)
kill -9 "$old"
until_ "! [ \$(pid /srv/scan/tunnel) = $old ]"
until_ 'holds tun5 10.5.0.1/24'
until_ 'rdomain check mgmt'
[ "$(pid /srv/scan/httpd)" = "$web" ]
listens 8080
stop
rdomain down mgmt
gone
rm -rf /srv/scan
