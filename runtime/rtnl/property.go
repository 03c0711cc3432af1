package rtnl

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// SetProperty changes a property that a kind of link can change while it exists, in the
// words of ip(8).
func (c *Conn) SetProperty(index int, kind, what, value string) error {
	info := linkInfo(kind)
	data := info.AddRtAttr(unix.IFLA_INFO_DATA, nil)
	switch kind + " " + what {
	case "macvlan mode", "macvtap mode":
		data.AddRtAttr(nl.IFLA_MACVLAN_MODE, nl.Uint32Attr(macvlanModes[value]))
	default:
		panic(fmt.Sprintf("rtnl: no property %s of a %s", what, kind))
	}
	return c.set(index, info)
}
