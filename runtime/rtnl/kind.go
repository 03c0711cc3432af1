package rtnl

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// attribute is how the kernel says one property of a kind of link
// (IFLA_INFO_DATA; include/uapi/linux/if_link.h and if_tunnel.h).
type attribute struct {
	typ int
	// get returns the attribute's value, nil if it need not be sent.
	get func(l *object.Link) []byte
	// set reads the value, nil if the kernel does not say it; b is not empty.
	set func(l *object.Link, b []byte)
}

// u8at, u16at, u32at and textOf describe attributes that are plain numbers, and
// numbers that ip(8) has words for.
func u8at(typ int, f func(*object.Link) *uint8) attribute {
	return attribute{typ, func(l *object.Link) []byte { return []byte{*f(l)} }, func(l *object.Link, b []byte) { *f(l) = b[0] }}
}

func u32at(typ int, f func(*object.Link) *uint32) attribute {
	return attribute{typ, func(l *object.Link) []byte { return nl.Uint32Attr(*f(l)) },
		func(l *object.Link, b []byte) { *f(l) = native32(b) }}
}

func flagAt(typ int, f func(*object.Link) *bool) attribute {
	return attribute{typ, nil, func(l *object.Link, b []byte) { *f(l) = b[0] != 0 }}
}

// modeAt is Mode, as a number of 1, 2 or 4 bytes.
func modeAt(typ, size int, words map[string]uint32) attribute {
	return attribute{typ,
		func(l *object.Link) []byte {
			switch size {
			case 1:
				return []byte{byte(words[l.Mode])}
			case 2:
				return nl.Uint16Attr(uint16(words[l.Mode]))
			}
			return nl.Uint32Attr(words[l.Mode])
		},
		func(l *object.Link, b []byte) {
			switch {
			case size == 1:
				b = nl.Uint32Attr(uint32(b[0]))
			case size == 2 && len(b) >= 2:
				b = nl.Uint32Attr(uint32(nl.NativeEndian().Uint16(b)))
			}
			number := native32(b)
			l.Mode = "mode " + strconv.Itoa(int(number))
			for word, n := range words {
				if n == number {
					l.Mode = word
				}
			}
		}}
}

// addressAt is an outer address; only those that fit are sent.
func addressAt(typ, size int, f func(*object.Link) *netip.Addr) attribute {
	return attribute{typ,
		func(l *object.Link) []byte {
			if a := *f(l); a.IsValid() && a.BitLen() == 8*size {
				return a.AsSlice()
			}
			return nil
		},
		func(l *object.Link, b []byte) {
			if a, ok := netip.AddrFromSlice(b); ok && !a.IsUnspecified() {
				*f(l) = a
			}
		}}
}

func local(l *object.Link) *netip.Addr  { return &l.Local }
func remote(l *object.Link) *netip.Addr { return &l.Remote }
func ttl(l *object.Link) *uint8         { return &l.TTL }

const greKey = 0x2000 // GRE_KEY

func keyAt(typ int) attribute {
	return attribute{typ,
		func(l *object.Link) []byte {
			if !l.Keyed {
				return nil
			}
			return binary.BigEndian.AppendUint32(nil, l.GREKey)
		},
		func(l *object.Link, b []byte) {
			if len(b) >= 4 {
				l.GREKey = binary.BigEndian.Uint32(b)
			}
		}}
}

func keyedAt(typ int) attribute {
	return attribute{typ,
		func(l *object.Link) []byte {
			if !l.Keyed {
				return nil
			}
			return binary.BigEndian.AppendUint16(nil, greKey)
		},
		func(l *object.Link, b []byte) { l.Keyed = len(b) >= 2 && binary.BigEndian.Uint16(b)&greKey != 0 }}
}

func gre(size int) []attribute {
	return []attribute{keyedAt(nl.IFLA_GRE_IFLAGS), keyedAt(nl.IFLA_GRE_OFLAGS), keyAt(nl.IFLA_GRE_IKEY), keyAt(nl.IFLA_GRE_OKEY),
		addressAt(nl.IFLA_GRE_LOCAL, size, local), addressAt(nl.IFLA_GRE_REMOTE, size, remote), u8at(nl.IFLA_GRE_TTL, ttl)}
}

func iptun(size int) []attribute {
	return []attribute{addressAt(nl.IFLA_IPTUN_LOCAL, size, local), addressAt(nl.IFLA_IPTUN_REMOTE, size, remote), u8at(nl.IFLA_IPTUN_TTL, ttl)}
}

// ip6tnl has a mode, which is the protocol inside, and as ip(8) makes it the limit of
// tunnels within tunnels of RFC 2473.
func ip6tnl() []attribute {
	return append(iptun(16), modeAt(nl.IFLA_IPTUN_PROTO, 1, map[string]uint32{"any": 0, "ipip6": unix.IPPROTO_IPIP, "ip6ip6": unix.IPPROTO_IPV6}),
		attribute{nl.IFLA_IPTUN_ENCAP_LIMIT, func(*object.Link) []byte { return []byte{4} }, func(*object.Link, []byte) {}})
}

// vti has its key as the mark of IPsec's policies; none is 0.
func vti(size int) []attribute {
	key := keyAt(nl.IFLA_VTI_IKEY)
	key.set = func(l *object.Link, b []byte) {
		if len(b) >= 4 {
			l.GREKey = binary.BigEndian.Uint32(b)
			l.Keyed = l.GREKey != 0
		}
	}
	return []attribute{key, keyAt(nl.IFLA_VTI_OKEY), addressAt(nl.IFLA_VTI_LOCAL, size, local), addressAt(nl.IFLA_VTI_REMOTE, size, remote)}
}

// bigEndianPortAt is the UDP port that a tunnel sends to.
func bigEndianPortAt(typ int) attribute {
	return attribute{typ, func(l *object.Link) []byte { return binary.BigEndian.AppendUint16(nil, l.Port) },
		func(l *object.Link, b []byte) {
			if len(b) >= 2 {
				l.Port = binary.BigEndian.Uint16(b)
			}
		}}
}

func macvlan() []attribute {
	return []attribute{modeAt(nl.IFLA_MACVLAN_MODE, 4, macvlanModes)}
}

// macsec says its port last in the name of its channel, behind its hardware address.
func macsec() []attribute {
	return []attribute{
		{unix.IFLA_MACSEC_PORT, func(l *object.Link) []byte { return binary.BigEndian.AppendUint16(nil, l.ChannelPort) }, nil},
		{unix.IFLA_MACSEC_SCI, nil, func(l *object.Link, b []byte) {
			if len(b) >= 8 {
				l.ChannelPort = binary.BigEndian.Uint16(b[6:])
			}
		}},
		{unix.IFLA_MACSEC_ENCRYPT, func(l *object.Link) []byte { return []byte{flagByte(l.Encrypt)} },
			func(l *object.Link, b []byte) { l.Encrypt = b[0] != 0 }},
	}
}

func flagByte(on bool) byte {
	if on {
		return 1
	}
	return 0
}

var macvlanModes = map[string]uint32{"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}

const (
	ethP8021Q  = 0x8100 // ETH_P_8021Q
	ethP8021AD = 0x88a8 // ETH_P_8021AD
)

// kinds are the properties of each kind of link.
var kinds = map[string][]attribute{
	"vrf": {u32at(unix.IFLA_VRF_TABLE, func(l *object.Link) *uint32 { return &l.Table })},
	"vlan": {
		{nl.IFLA_VLAN_ID, func(l *object.Link) []byte { return nl.Uint16Attr(uint16(l.ID)) },
			func(l *object.Link, b []byte) {
				if len(b) >= 2 {
					l.ID = uint32(nl.NativeEndian().Uint16(b))
				}
			}},
		{nl.IFLA_VLAN_PROTOCOL,
			func(l *object.Link) []byte {
				if l.Protocol == "802.1ad" {
					return binary.BigEndian.AppendUint16(nil, ethP8021AD)
				}
				return binary.BigEndian.AppendUint16(nil, ethP8021Q)
			},
			func(l *object.Link, b []byte) {
				if len(b) >= 2 && binary.BigEndian.Uint16(b) == ethP8021AD {
					l.Protocol = "802.1ad"
				}
			}},
	},
	"bond":    bond(),
	"bridge":  bridge(),
	"macvlan": macvlan(), "macvtap": macvlan(),
	"ipvlan": {modeAt(nl.IFLA_IPVLAN_MODE, 2, map[string]uint32{"l2": 0, "l3": 1, "l3s": 2})},
	"vxlan": {
		u32at(nl.IFLA_VXLAN_ID, func(l *object.Link) *uint32 { return &l.ID }),
		addressAt(nl.IFLA_VXLAN_GROUP, 4, remote), addressAt(nl.IFLA_VXLAN_GROUP6, 16, remote),
		addressAt(nl.IFLA_VXLAN_LOCAL, 4, local), addressAt(nl.IFLA_VXLAN_LOCAL6, 16, local),
		u8at(nl.IFLA_VXLAN_TTL, ttl),
		{nl.IFLA_VXLAN_LEARNING, func(l *object.Link) []byte {
			if l.NoLearning {
				return []byte{0}
			}
			return []byte{1}
		}, func(l *object.Link, b []byte) { l.NoLearning = b[0] == 0 }},
		bigEndianPortAt(nl.IFLA_VXLAN_PORT),
	},
	"geneve": {
		u32at(nl.IFLA_GENEVE_ID, func(l *object.Link) *uint32 { return &l.ID }),
		addressAt(nl.IFLA_GENEVE_REMOTE, 4, remote), addressAt(nl.IFLA_GENEVE_REMOTE6, 16, remote),
		u8at(nl.IFLA_GENEVE_TTL, ttl), bigEndianPortAt(nl.IFLA_GENEVE_PORT),
	},
	"gre": gre(4), "gretap": gre(4), "ip6gre": gre(16), "ip6gretap": gre(16), "ipip": iptun(4), "sit": iptun(4), "ip6tnl": ip6tnl(),
	"vti": vti(4), "vti6": vti(16),
	"macsec": macsec(),
	"xfrm":   {u32at(nl.IFLA_XFRM_IF_ID, func(l *object.Link) *uint32 { return &l.ID })},
	// A tun is made by an ioctl of its device file, and only read here.
	"tun": {
		{unix.IFLA_TUN_OWNER, nil, func(l *object.Link, b []byte) { l.User = utoa(native32(b)) }},
		{unix.IFLA_TUN_GROUP, nil, func(l *object.Link, b []byte) { l.Group = utoa(native32(b)) }},
		{unix.IFLA_TUN_TYPE, nil, func(l *object.Link, b []byte) {
			if b[0] == unix.IFF_TAP {
				l.Kind = "tap"
			}
		}},
		flagAt(unix.IFLA_TUN_PI, func(l *object.Link) *bool { return &l.PacketInfo }),
		flagAt(unix.IFLA_TUN_VNET_HDR, func(l *object.Link) *bool { return &l.VNetHeader }),
		flagAt(unix.IFLA_TUN_MULTI_QUEUE, func(l *object.Link) *bool { return &l.MultiQueue }),
	},
}

func utoa(u uint32) string { return strconv.FormatUint(uint64(u), 10) }

// linkAt is the attribute in which a kind of tunnel says which link its packets
// leave by, 0 if it has none; other kinds say their link below in IFLA_LINK.
func linkAt(kind string) int {
	switch kind {
	case "vxlan":
		return nl.IFLA_VXLAN_LINK
	case "gre", "gretap", "ip6gre", "ip6gretap":
		return nl.IFLA_GRE_LINK
	case "ipip", "sit", "ip6tnl":
		return nl.IFLA_IPTUN_LINK
	case "vti", "vti6":
		return nl.IFLA_VTI_LINK
	case "xfrm":
		return nl.IFLA_XFRM_LINK
	}
	return 0
}

// parseData reads what a link of l's kind says of itself.
func parseData(l *Link, data []byte) error {
	attrs, err := nl.ParseRouteAttr(data)
	if err != nil {
		return err
	}
	read := object.Link{Kind: l.Kind}
	table, below := kinds[l.Kind], linkAt(l.Kind)
	for _, a := range attrs {
		if len(a.Value) == 0 {
			continue
		}
		if below != 0 && attrType(a.Attr) == below {
			l.Below = int(native32(a.Value))
		}
		for _, known := range table {
			if attrType(a.Attr) == known.typ && known.set != nil {
				known.set(&read, a.Value)
			}
		}
	}
	if !read.Keyed {
		read.GREKey = 0 // IKEY is sent with or without the flag
	}
	l.Kind, l.Options = read.Kind, read.Options
	return nil
}

// infoData adds the properties of l to its IFLA_INFO_DATA; below is the ifindex
// of l.Parent.
func infoData(data *nl.RtAttr, l object.Link, below int) {
	for _, a := range kinds[l.Kind] {
		if a.get == nil {
			continue
		}
		if value := a.get(&l); value != nil {
			data.AddRtAttr(a.typ, value)
		}
	}
	if at := linkAt(l.Kind); at != 0 && below != 0 {
		data.AddRtAttr(at, nl.Uint32Attr(uint32(below)))
	}
}
