package rtnl

import (
	"fmt"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// SetProperty changes a property that a kind of link can change while it exists, in the
// words of ip(8).
func (c *Conn) SetProperty(index int, kind, what, value string) error {
	info := linkInfo(kind)
	data := info.AddRtAttr(unix.IFLA_INFO_DATA, nil)
	switch kind + " " + what {
	case "bond miimon":
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return err
		}
		data.AddRtAttr(unix.IFLA_BOND_MIIMON, nl.Uint32Attr(uint32(n)))
	case "bond xmit_hash_policy":
		data.AddRtAttr(unix.IFLA_BOND_XMIT_HASH_POLICY, []byte{byte(bondHashes[value])})
	case "macvlan mode", "macvtap mode":
		data.AddRtAttr(nl.IFLA_MACVLAN_MODE, nl.Uint32Attr(macvlanModes[value]))
	case "macsec encrypt":
		data.AddRtAttr(unix.IFLA_MACSEC_ENCRYPT, []byte{flagByte(value == "on")})
	case "bridge vlan_filtering":
		data.AddRtAttr(unix.IFLA_BR_VLAN_FILTERING, []byte{value[0] - '0'})
	case "bridge vlan_default_pvid":
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return err
		}
		data.AddRtAttr(unix.IFLA_BR_VLAN_DEFAULT_PVID, nl.Uint16Attr(uint16(n)))
	default:
		panic(fmt.Sprintf("rtnl: no property %s of a %s", what, kind))
	}
	return c.set(index, info)
}
