package kernel

import (
	"rdgen/problem"
	"rdgen/runtime/object"
)

// modules are those that make each kind of link, and the kernel's options for them.
var modules = map[string]struct{ name, option string }{
	"vrf":       {"vrf", "NET_VRF"},
	"veth":      {"veth", "VETH"},
	"vlan":      {"8021q", "VLAN_8021Q"},
	"macvlan":   {"macvlan", "MACVLAN"},
	"ipvlan":    {"ipvlan", "IPVLAN"},
	"bridge":    {"bridge", "BRIDGE"},
	"dummy":     {"dummy", "DUMMY"},
	"vxlan":     {"vxlan", "VXLAN"},
	"gre":       {"ip_gre", "NET_IPGRE"},
	"gretap":    {"ip_gre", "NET_IPGRE"},
	"ip6gre":    {"ip6_gre", "IPV6_GRE"},
	"ipip":      {"ipip", "NET_IPIP"},
	"sit":       {"sit", "IPV6_SIT"},
	"tun":       {"tun", "TUN"},
	"tap":       {"tun", "TUN"},
	"wireguard": {"wireguard", "WIREGUARD"},
}

// noModule is the error for a link of a kind that the kernel does not know.
func noModule(l object.Link, err error) error {
	e := problem.New(problem.Pos{}, "the kernel has no %s module: %w", l.Kind, err)
	e.Temporary = true // as every system call that fails
	if m, ok := modules[l.Kind]; ok {
		e.Hint = "modprobe " + m.name + ", in a container on its host; if there is no such module, boot a kernel with CONFIG_" + m.option
	}
	return e
}
