package rtnl

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

func parseAltNames(b []byte) (names []string, err error) {
	attrs, err := nl.ParseRouteAttr(b)
	for _, a := range attrs {
		if attrType(a.Attr) == unix.IFLA_ALT_IFNAME {
			names = append(names, text(a.Value))
		}
	}
	return names, err
}

// AltName adds an alternative name to a link, or deletes it.
func (c *Conn) AltName(verb object.Verb, index int, name string) error {
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	list := nl.NewRtAttr(unix.IFLA_PROP_LIST|unix.NLA_F_NESTED, nil)
	list.AddRtAttr(unix.IFLA_ALT_IFNAME, nl.ZeroTerminated(name))
	if verb == object.Delete {
		return c.change(unix.RTM_DELLINKPROP, 0, msg, list)
	}
	return c.change(unix.RTM_NEWLINKPROP, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_APPEND, msg, list)
}
