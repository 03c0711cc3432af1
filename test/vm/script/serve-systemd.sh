#!/bin/sh
# Units of systemd that serve: in the default domain, in the VRF mgmt by systemd's own
# directive, and by rdgen's drop-in.
serve()
{
	cat >"/etc/systemd/system/$1.service" <<-EOT
		[Service]
		Environment=GODEBUG=multipathtcp=0
		${2}
		ExecStart=/usr/local/bin/probe serve 0.0.0.0:7000
	EOT
}
serve serve ''
serve serve-bound BindNetworkInterface=mgmt
serve serve-held ''
echo vrf=mgmt >/etc/conf.d/serve-held
systemctl daemon-reload
