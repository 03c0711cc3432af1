package uplink

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestBy(t *testing.T) {
	const (
		etc    = "etc/network/interfaces"
		dir    = "etc/network/interfaces.d/"
		source = "source /etc/network/interfaces.d/*\n"
		on     = "etc/systemd/system/multi-user.target.wants/dhcpcd.service"
		conf   = "etc/dhcpcd.conf"
	)
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // FILE:LINE, or ""
	}{
		{"nothing", nil, ""},
		{"an address", map[string]string{etc: "auto eth1\niface eth1 inet static\n\taddress 10.0.0.1/24\n"}, ""},
		{"a gateway", map[string]string{etc: "# x\n\niface eth1 inet static\n\taddress \\\n10.0.0.1/24\n\tgateway 10.0.0.9\n"}, "/etc/network/interfaces:6"},
		{"of another", map[string]string{etc: "iface eth1 inet static\n\taddress 10.0.0.1/24\nauto eth2\niface eth2 inet static\n\tgateway 10.0.0.9\n"}, ""},
		{"of nothing", map[string]string{etc: "iface eth1 inet manual\nallow-hotplug eth2\n\tgateway 10.0.0.9\n"}, ""},
		{"dhcp", map[string]string{etc: "iface eth1 inet dhcp\n"}, "/etc/network/interfaces:1"},
		{"another file", map[string]string{etc: source, dir + "a": "iface eth1 inet6 static\ngateway fe80::1\n"}, "/etc/network/interfaces.d/a:2"},
		{"a name from here", map[string]string{etc: "source interfaces.d/*\n", dir + "a": "iface eth1 inet dhcp\n"}, "/etc/network/interfaces.d/a:1"},
		{"which is no source", map[string]string{etc: "# " + source, dir + "a": "iface eth1 inet dhcp\n"}, ""},
		{"itself", map[string]string{etc: "source /etc/network/*\niface eth1 inet dhcp\n"}, "/etc/network/interfaces:2"},
		{"a VRF of its own", map[string]string{etc: "iface eth1 inet static\n\tgateway 10.0.0.9\n\tvrf mgmt\n"}, ""},
		{"dhcpcd is there", map[string]string{conf: ""}, ""},
		{"dhcpcd", map[string]string{on: "", conf: "hostname\n"}, "/etc/dhcpcd.conf"},
		{"dhcpcd of OpenRC, without a file", map[string]string{"etc/runlevels/default/dhcpcd": ""}, "/etc/dhcpcd.conf"},
		{"denied", map[string]string{on: "", conf: "denyinterfaces veth* eth1\n"}, ""},
		{"others denied", map[string]string{on: "", conf: "denyinterfaces veth*\n"}, "/etc/dhcpcd.conf"},
		{"others allowed", map[string]string{on: "", conf: "allowinterfaces eth0\n"}, ""},
		{"no gateway at all", map[string]string{on: "", conf: "nogateway\n"}, ""},
		{"no gateway of it", map[string]string{on: "", conf: "interface eth1\nnogateway\n"}, ""},
		{"no gateway of another", map[string]string{on: "", conf: "interface eth0\nnogateway\n"}, "/etc/dhcpcd.conf"},
	} {
		fsys := fstest.MapFS{}
		for name, text := range c.files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		var got []string
		for _, err := range By(fsys, "eth1", true) {
			got = append(got, err.Pos.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q; want %q", c.name, got, c.want)
		}
	}
}
