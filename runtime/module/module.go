// Package module says whether a kernel can make a kind of link, by the files that its
// build left, and without loading anything.
package module

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// Kind is what a kind of link, or of domain, needs of the kernel.
type Kind struct {
	// Name is that of the module, "" for what cannot be one.
	Name string
	// Option is the one that builds it, without "CONFIG_".
	Option string
	// Also is another option that it needs, or "".
	Also string
}

// Kinds are what Kind= can be in the file of a domain.
var Kinds = map[string]Kind{
	"netns":     {Option: "NET_NS"},
	"vrf":       {Name: "vrf", Option: "NET_VRF", Also: "CGROUP_BPF"},
	"veth":      {Name: "veth", Option: "VETH"},
	"vlan":      {Name: "8021q", Option: "VLAN_8021Q"},
	"macvlan":   {Name: "macvlan", Option: "MACVLAN"},
	"macvtap":   {Name: "macvtap", Option: "MACVTAP"},
	"ipvlan":    {Name: "ipvlan", Option: "IPVLAN"},
	"bridge":    {Name: "bridge", Option: "BRIDGE"},
	vlanBridge:  {Option: "BRIDGE_VLAN_FILTERING"},
	"bond":      {Name: "bonding", Option: "BONDING"},
	"dummy":     {Name: "dummy", Option: "DUMMY"},
	"vxlan":     {Name: "vxlan", Option: "VXLAN"},
	"geneve":    {Name: "geneve", Option: "GENEVE"},
	"gre":       {Name: "ip_gre", Option: "NET_IPGRE"},
	"gretap":    {Name: "ip_gre", Option: "NET_IPGRE"},
	"ip6gre":    {Name: "ip6_gre", Option: "IPV6_GRE"},
	"ip6gretap": {Name: "ip6_gre", Option: "IPV6_GRE"},
	"ipip":      {Name: "ipip", Option: "NET_IPIP"},
	"sit":       {Name: "sit", Option: "IPV6_SIT"},
	"ip6tnl":    {Name: "ip6_tunnel", Option: "IPV6_TUNNEL"},
	"vti":       {Name: "ip_vti", Option: "NET_IPVTI"},
	"vti6":      {Name: "ip6_vti", Option: "IPV6_VTI"},
	"xfrm":      {Name: "xfrm_interface", Option: "XFRM_INTERFACE"},
	"tun":       {Name: "tun", Option: "TUN"},
	"tap":       {Name: "tun", Option: "TUN"},
	"macsec":    {Name: "macsec", Option: "MACSEC"},
	"wireguard": {Name: "wireguard", Option: "WIREGUARD"},
}

// vlanBridge is a bridge with VLANFiltering=yes.
const vlanBridge = "bridge with VLANs"

// Kernel is what is known of the running kernel.
type Kernel struct {
	fsys    fs.FS
	release string
	// options are those of its build: "y", "m", "n"; nil where no file has them.
	options func() map[string]string
	// modules are those that are built in or can be loaded; nil where no file lists
	// them, as in a container.
	modules func() map[string]bool
}

// Running returns the kernel that runs. fsys is rooted at the machine's root.
func Running(fsys fs.FS) *Kernel {
	text, _ := fs.ReadFile(fsys, "proc/sys/kernel/osrelease") // without it little is known
	k := &Kernel{fsys: fsys, release: strings.TrimSpace(string(text))}
	k.options, k.modules = sync.OnceValue(k.readOptions), sync.OnceValue(k.readModules)
	return k
}

// Lacks says what the kernel has not, without which nothing of the kind can be made; or
// "", also where that is not known.
func (k *Kernel) Lacks(kind string) string {
	n, known := Kinds[kind]
	if !known || k.release == "" {
		return ""
	}
	if n.Also != "" && k.options()[n.Also] == "n" {
		return "is built without CONFIG_" + n.Also
	}
	if n.Name != "" {
		if _, err := fs.Stat(k.fsys, "sys/module/"+n.Name); err == nil {
			return ""
		}
	}
	modules := k.modules()
	switch built := k.options()[n.Option]; {
	case built == "n":
		return "is built without CONFIG_" + n.Option
	case built == "y", n.Name == "", modules == nil, modules[n.Name]:
		return ""
	}
	return noModule + n.Name + " in /lib/modules/" + k.release
}

// noModule begins what Lacks says of a module that could be installed.
const noModule = "has no module "

// readOptions reads how the kernel was built.
func (k *Kernel) readOptions() map[string]string {
	for _, name := range []string{"proc/config.gz", "boot/config-" + k.release, "lib/modules/" + k.release + "/config"} {
		text, err := fs.ReadFile(k.fsys, name)
		if err == nil && path.Ext(name) == ".gz" {
			text, err = unpack(text)
		}
		if err == nil && bytes.Contains(text, []byte("CONFIG_NET=y")) {
			return parseOptions(text)
		}
	}
	return nil
}

func unpack(text []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 4<<20))
}

// parseOptions reads the options of Kinds in a kernel's .config. One that is not there is
// not set: what depends on an option that is not set is left out.
func parseOptions(text []byte) map[string]string {
	options := map[string]string{}
	for _, n := range Kinds {
		options[n.Option] = "n"
		if n.Also != "" {
			options[n.Also] = "n"
		}
	}
	for line := range bytes.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if name, is := strings.CutPrefix(name, "CONFIG_"); is && ok && options[name] != "" {
			options[name] = value
		}
	}
	return options
}

// readModules lists the kernel's modules, "-" written as "_".
func (k *Kernel) readModules() map[string]bool {
	modules := map[string]bool{}
	for _, list := range []string{"modules.builtin", "modules.dep"} {
		text, err := fs.ReadFile(k.fsys, "lib/modules/"+k.release+"/"+list)
		if err != nil {
			return nil
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			file, _, _ := strings.Cut(lines.Text(), ":")
			name, _, _ := strings.Cut(path.Base(file), ".ko")
			modules[strings.ReplaceAll(name, "-", "_")] = true
		}
	}
	return modules
}
