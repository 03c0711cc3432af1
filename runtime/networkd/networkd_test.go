package networkd

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Which file takes eth1 out of vrf mgmt. Without the first file networkd is not used.
func TestTakes(t *testing.T) {
	const on = "run/systemd/netif/state"
	eth1 := Device{Name: "eth1", MAC: "02:00:00:00:00:01", Type: "ether"}
	for name, c := range map[string]struct {
		files fstest.MapFS
		at    string
		sure  bool
	}{
		"by name":           {files(on, "", "etc/systemd/network/20-a.network", "# a\n[Match]\nName=eth0 eth1\n[Network]\nDHCP=yes\n"), "/etc/systemd/network/20-a.network:3", true},
		"by a pattern":      {files(on, "", "usr/lib/systemd/network/20-a.network", "[Match]\nName=e*\n"), "/usr/lib/systemd/network/20-a.network:2", true},
		"not by name":       {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=!eth1\n"), "", false},
		"by all others":     {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=!eth0 lo\n"), "/etc/systemd/network/20-a.network:2", true},
		"by its address":    {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nMACAddress=02-00-00-00-00-01\n"), "/etc/systemd/network/20-a.network:2", true},
		"another's address": {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nMACAddress=02:00:00:00:00:02\n"), "", false},
		"perhaps":           {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nDriver=e1000\n"), "/etc/systemd/network/20-a.network:2", false},
		"a wireless one's":  {files(on, "", "usr/lib/systemd/network/80-wifi.network", "[Match]\nType=wlan\nWLANInterfaceType=ad-hoc\n"), "", false},
		"a container's":     {files(on, "", "usr/lib/systemd/network/80-ve.network", "[Match]\nKind=veth\nName=ve-*\n"), "", false},
		"it keeps":          {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\n[Network]\nKeepMaster=yes\n"), "", false},
		"it is left alone":  {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\n[Link]\nUnmanaged=true\n"), "", false},
		"a drop-in keeps":   {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\n", "run/systemd/network/20-a.network.d/k.conf", "[Network]\nKeepMaster=1\n"), "", false},
		"the first counts": {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\n[Link]\nUnmanaged=yes\n",
			"etc/systemd/network/30-b.network", "[Match]\nName=*\n"), "", false},
		"perhaps another's, and then": {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nDriver=x\n[Network]\nKeepMaster=yes\n",
			"etc/systemd/network/30-b.network", "[Match]\nName=*\n"), "/etc/systemd/network/30-b.network:2", true},
		"masked":                  {files(on, "", "etc/systemd/network/20-a.network", "", "usr/lib/systemd/network/20-a.network", "[Match]\nName=eth1\n"), "", false},
		"a VRF that nobody makes": {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\n[Network]\nVRF=mgmt\n"), "/etc/systemd/network/20-a.network:2", true},
		"a VRF that networkd makes": {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\n[Network]\nVRF=mgmt\n",
			"etc/systemd/network/10-m.netdev", "[NetDev]\nName=mgmt\nKind=vrf\n"), "", false},
		"an empty Name=": {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth1\nName=\n"), "", false},
		"two lines":      {files(on, "", "etc/systemd/network/20-a.network", "[Match]\nName=eth0 \\\n eth1\n"), "/etc/systemd/network/20-a.network:3", true},
		"not used":       {files("etc/systemd/network/20-a.network", "[Match]\nName=eth1\n"), "", false},
		"at the next boot": {files("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "", "etc/systemd/network/20-a.network",
			"[Match]\nName=eth1\n"), "/etc/systemd/network/20-a.network:2", true},
	} {
		at, sure, ok := Takes(c.files, eth1, "mgmt")
		got := ""
		if ok {
			got = at.String()
		}
		if got != c.at || sure != c.sure {
			t.Errorf("%s: %q, %t; want %q, %t", name, got, sure, c.at, c.sure)
		}
	}
}

// Of a link that was not looked at, what a file asks besides the name is not known.
func TestTakesUnseen(t *testing.T) {
	for text, want := range map[string]string{
		"Name=eth1\n":                       "is for",
		"MACAddress=02:00:00:00:00:01\n":    "may be for",
		"Name=e*\nKind=!veth\n":             "may be for",
		"Type=ether\n":                      "may be for",
		"Name=eth2\nType=ether\n":           "",
		"Type=wlan\nWLANInterfaceType=ap\n": "may be for",
	} {
		err, sure := Taken(files("run/systemd/netif/state", "", "etc/systemd/network/20-a.network", "[Match]\n"+text), Device{Name: "eth1", Unseen: true}, "mgmt", 10)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || (want == "") != (err == nil) || want != "" && sure != (want == "is for") {
			t.Errorf("%q: %q, %t; want %q", text, got, sure, want)
		}
	}
}

func files(list ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(list); i += 2 {
		m[list[i]] = &fstest.MapFile{Data: []byte(list[i+1])}
	}
	return m
}
