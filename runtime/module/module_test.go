package module

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/problem"
	"rdgen/runtime/conf"
)

// tree is a machine's root with these files.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"proc/sys/kernel/osrelease": {Data: []byte("6.1.0-9\n")}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// What a kernel has is known by its configuration, by the modules that are installed, or
// not at all: then nothing is said.
func TestLacks(t *testing.T) {
	const (
		none = "CONFIG_NET=y\nCONFIG_CGROUP_BPF=y\n# CONFIG_NET_VRF is not set\n"
		as   = "CONFIG_NET=y\nCONFIG_CGROUP_BPF=y\nCONFIG_NET_VRF="
		dir  = "lib/modules/6.1.0-9/"
	)
	for _, c := range []struct {
		name  string
		files map[string]string
		kind  string
		want  string
	}{
		{"nothing is known", nil, "vrf", ""},
		{"no such kind", map[string]string{"proc/config.gz": packed(none)}, "", ""},
		{"not built", map[string]string{"proc/config.gz": packed(none)}, "vrf", "is built without CONFIG_NET_VRF"},
		{"not built, by the file of /boot", map[string]string{"boot/config-6.1.0-9": none}, "vrf", "is built without CONFIG_NET_VRF"},
		{"and by that of the modules", map[string]string{dir + "config": none}, "vrf", "is built without CONFIG_NET_VRF"},
		{"another kernel's", map[string]string{"boot/config-6.1.0-8": none}, "vrf", ""},
		{"no configuration", map[string]string{"proc/config.gz": packed("CONFIG_X=y\n")}, "vrf", ""},
		{"not packed", map[string]string{"proc/config.gz": none}, "vrf", ""},
		{"an option that another one hides", map[string]string{"boot/config-6.1.0-9": "CONFIG_NET=y\n"}, "sit", "is built without CONFIG_IPV6_SIT"},
		{"a vrf without programs", map[string]string{"boot/config-6.1.0-9": "CONFIG_NET=y\nCONFIG_NET_VRF=y\n"}, "vrf", "is built without CONFIG_CGROUP_BPF"},
		{"no namespaces", map[string]string{"boot/config-6.1.0-9": none}, "netns", "is built without CONFIG_NET_NS"},
		{"built in", map[string]string{"proc/config.gz": packed(as + "y\n")}, "vrf", ""},
		{"a module, in a container", map[string]string{"proc/config.gz": packed(as + "m\n")}, "vrf", ""},
		{"a module that is there", map[string]string{"proc/config.gz": packed(as + "m\n"), dir + "modules.builtin": "",
			dir + "modules.dep": "kernel/net/ipv6/sit.ko: a\nkernel/drivers/net/vrf.ko.xz: kernel/x.ko\n"}, "vrf", ""},
		{"a module in a package that is not", map[string]string{"proc/config.gz": packed(as + "m\n"), dir + "modules.builtin": "",
			dir + "modules.dep": "kernel/net/ipv6/sit.ko: a\n"}, "vrf", "has no module vrf in /lib/modules/6.1.0-9"},
		{"the modules alone say so", map[string]string{dir + "modules.builtin": "kernel/a.ko\n", dir + "modules.dep": ""},
			"gre", "has no module ip_gre in /lib/modules/6.1.0-9"},
		{"one that is written with a dash", map[string]string{dir + "modules.builtin": "kernel/ip-gre.ko\n", dir + "modules.dep": ""}, "gre", ""},
		{"half of them say nothing", map[string]string{dir + "modules.dep": ""}, "gre", ""},
		{"it is loaded", map[string]string{"sys/module/vrf/refcnt": "1", dir + "modules.builtin": "", dir + "modules.dep": ""}, "vrf", ""},
	} {
		if got := Running(tree(c.files)).Lacks(c.kind); got != c.want {
			t.Errorf("%s: %q; want %q", c.name, got, c.want)
		}
	}
	if got := Running(fstest.MapFS{"boot/config-": {Data: []byte(none)}}).Lacks("vrf"); got != "" {
		t.Errorf("of a kernel whose release nothing says: %q", got)
	}
}

// Every kind that a file can name is in the table.
func TestKinds(t *testing.T) {
	for _, kind := range append([]string{"netns", "vrf"}, conf.LinkKinds...) {
		if Kinds[kind].Option == "" {
			t.Errorf("Kind=%s is not in the table", kind)
		}
	}
}

// What up cannot do on this kernel is found in the file, with its line.
func TestCannot(t *testing.T) {
	k := Running(tree(map[string]string{"boot/config-6.1.0-9": "CONFIG_NET=y\nCONFIG_NET_NS=y\nCONFIG_VETH=m\n",
		"proc/sys/net/ipv4/ip_forward": "", "proc/sys/net/ipv4/conf/all/forwarding": "", "proc/sys/net/ipv4/conf/default/forwarding": ""}))
	for _, c := range []struct{ file, want string }{
		{"[Link v0]\nKind=veth\nPeer=p0\n[Link eth0]\n", ""},
		{"[Domain]\nKind=vrf\nTable=10\n", "1: Kind=vrf cannot be made here: this kernel is built without CONFIG_CGROUP_BPF"},
		{"[Domain]\nKind=vrf\nManaged=no\n", ""},
		{"[Link d0]\nAddress=10.0.0.1/24\nKind=dummy\n", "3: Kind=dummy cannot be made here: this kernel is built without CONFIG_DUMMY"},
		{"[Link br0]\nKind=bridge\nVLANFiltering=yes\n", "2: Kind=bridge cannot be made here: this kernel is built without CONFIG_BRIDGE " +
			"3: VLANFiltering=yes is not possible here: this kernel is built without CONFIG_BRIDGE_VLAN_FILTERING"},
		{"[Sysctl]\nnet.ipv4.ip_forward=1\nnet.ipv4.conf.eth0/5.forwarding=1\nnet.ipv4.conf.all.forwarding=1\nnet.ipv6.conf.all.forwarding=1\n" +
			"net.netfilter.nf_conntrack_max=9\nnet.mpls.conf.eth0.input=1\n", ""},
		{"[Sysctl]\nnet.ipv4.ip_forwad=1\nnet.ipv4.conf.eth0.fowarding=1\n",
			"2: this kernel has no variable net/ipv4/ip_forwad 3: this kernel has no variable net/ipv4/conf/eth0/fowarding"},
	} {
		all := conf.ReadAll(fstest.MapFS{"etc/rdomain/x.conf": {Data: []byte(c.file)}})
		if len(all.Files) != 1 {
			t.Fatal(all.Errs)
		}
		var said []string
		for _, err := range k.Cannot(all.Files[0]) {
			said = append(said, strings.TrimPrefix(err.Error(), "/etc/rdomain/x.conf:"))
			if p, ok := err.(*problem.Error); !ok || p.Hint == "" {
				t.Errorf("%v: does not say what to do", err)
			}
		}
		if got := strings.Join(slices.Clip(said), " "); got != c.want {
			t.Errorf("%q:\n%s\nwant\n%s", c.file, got, c.want)
		}
	}
}
