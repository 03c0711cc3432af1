package nm

import (
	"testing"
	"testing/fstest"
)

func TestMayTake(t *testing.T) {
	const (
		on    = "etc/systemd/system/multi-user.target.wants/NetworkManager.service"
		main  = "etc/NetworkManager/NetworkManager.conf"
		etc   = "etc/NetworkManager/conf.d/"
		lib   = "usr/lib/NetworkManager/conf.d/"
		all   = "[keyfile]\nunmanaged-devices=*\n"
		leave = "[keyfile]\nunmanaged-devices=interface-name:eth1\n"
	)
	for _, c := range []struct {
		name  string
		files map[string]string
		want  bool
	}{
		{"it is not in use", map[string]string{main: ""}, false},
		{"it is", map[string]string{on: ""}, true},
		{"it runs", map[string]string{"run/NetworkManager/devices": ""}, true},
		{"on OpenRC", map[string]string{"etc/runlevels/default/networkmanager": ""}, true},
		{"told to leave it", map[string]string{on: "", etc + "a.conf": leave}, false},
		{"by the main file", map[string]string{on: "", main: leave}, false},
		{"but a later file says another", map[string]string{on: "", main: leave, etc + "a.conf": "[keyfile]\nunmanaged-devices=interface-name:eth2\n"}, true},
		{"and a later one adds", map[string]string{on: "", main: leave, etc + "a.conf": "[keyfile]\nunmanaged-devices+=interface-name:eth2\n"}, false},
		{"by a comment", map[string]string{on: "", main: "[keyfile]\n#unmanaged-devices=*\n"}, true},
		{"in another section", map[string]string{on: "", main: "[main]\nunmanaged-devices=*\n"}, true},
		{"by a pattern", map[string]string{on: "", main: "[keyfile]\nunmanaged-devices = mac:1, interface-name:eth*\n"}, false},
		{"a pattern for others", map[string]string{on: "", main: "[keyfile]\nunmanaged-devices=interface-name:=eth*;interface-name:eth\n"}, true},
		{"all", map[string]string{on: "", main: all}, false},
		{"all but it", map[string]string{on: "", main: "[keyfile]\nunmanaged-devices=*,except:interface-name:eth1\n"}, true},
		{"by its address", map[string]string{on: "", main: "[keyfile]\nunmanaged-devices=mac:02:00:00:00:00:0A\n"}, false},
		{"a file that one of etc hides", map[string]string{on: "", lib + "a.conf": all, etc + "a.conf": ""}, true},
		{"a file of the package", map[string]string{on: "", lib + "a.conf": all}, false},
		{"a section of its own", map[string]string{on: "", main: "[device-x]\nmatch-device=interface-name:eth1\nmanaged=0\n"}, false},
		{"which does manage it", map[string]string{on: "", main: "[device-x]\nmatch-device=interface-name:eth1\nmanaged=1\n"}, true},
		{"ifupdown has it", map[string]string{on: "", main: "[main]\nplugins=ifupdown,keyfile\n[ifupdown]\nmanaged=false\n",
			"etc/network/interfaces": "auto eth1\niface eth1 inet dhcp\n"}, false},
		{"and NetworkManager takes those", map[string]string{on: "", main: "[main]\nplugins=ifupdown,keyfile\n[ifupdown]\nmanaged=true\n",
			"etc/network/interfaces": "auto eth1\niface eth1 inet dhcp\n"}, true},
		{"ifupdown has it, and NetworkManager does not ask", map[string]string{on: "", main: "[main]\nplugins=keyfile\n",
			"etc/network/interfaces": "auto eth1\niface eth1 inet dhcp\n"}, true},
		{"ifupdown has another", map[string]string{on: "", main: "[main]\nplugins=ifupdown,keyfile\n",
			"etc/network/interfaces": "auto eth2\niface eth2 inet dhcp\n"}, true},
	} {
		fsys := fstest.MapFS{}
		for name, text := range c.files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := MayTake(fsys, "eth1", "02:00:00:00:00:0a"); got != c.want {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
		}
	}
}
