package rtnl

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// bridge says nothing of VLANs for one without: a kernel may know none.
func bridge() []attribute {
	return []attribute{
		{unix.IFLA_BR_VLAN_FILTERING, func(l *object.Link) []byte {
			if !l.VLANFiltering {
				return nil
			}
			return []byte{1}
		}, func(l *object.Link, b []byte) { l.VLANFiltering = b[0] != 0 }},
		{unix.IFLA_BR_VLAN_DEFAULT_PVID, func(l *object.Link) []byte {
			if !l.VLANFiltering {
				return nil
			}
			return nl.Uint16Attr(l.DefaultPVID)
		}, func(l *object.Link, b []byte) {
			if len(b) >= 2 {
				l.DefaultPVID = nl.NativeEndian().Uint16(b)
			}
		}},
	}
}

// include/uapi/linux/if_bridge.h and rtnetlink.h
const (
	bridgeFlags    = 0 // IFLA_BRIDGE_FLAGS
	bridgeVLANInfo = 2 // IFLA_BRIDGE_VLAN_INFO
	flagSelf       = 2 // BRIDGE_FLAGS_SELF
	vlanPVID       = 2 // BRIDGE_VLAN_INFO_PVID
	vlanUntagged   = 4 // BRIDGE_VLAN_INFO_UNTAGGED
	filterVLAN     = 2 // RTEXT_FILTER_BRVLAN
)

// BridgeVLANs returns the VLANs of all bridges and ports of the namespace, by ifindex.
// Netns, Dev and Self are left empty.
func (c *Conn) BridgeVLANs() (map[int][]object.BridgeVLAN, error) {
	msgs, err := c.dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_BRIDGE), u32(unix.IFLA_EXT_MASK, filterVLAN))
	if err != nil {
		return nil, fmt.Errorf("list of the VLANs of bridges: %w", err)
	}
	vlans := map[int][]object.BridgeVLAN{}
	for _, m := range msgs {
		if len(m) < unix.SizeofIfInfomsg {
			return nil, fmt.Errorf("kernel sent a link of %d bytes", len(m))
		}
		index := int(nl.DeserializeIfInfomsg(m).Index)
		attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfInfomsg:])
		if err != nil {
			return nil, err
		}
		for _, a := range attrs {
			if attrType(a.Attr) != unix.IFLA_AF_SPEC {
				continue
			}
			list, err := nl.ParseRouteAttr(a.Value)
			if err != nil {
				return nil, err
			}
			for _, v := range list {
				if attrType(v.Attr) == bridgeVLANInfo && len(v.Value) >= 4 {
					flags, id := nl.NativeEndian().Uint16(v.Value), nl.NativeEndian().Uint16(v.Value[2:])
					vlans[index] = append(vlans[index], object.BridgeVLAN{ID: id, PVID: flags&vlanPVID != 0, Untagged: flags&vlanUntagged != 0})
				}
			}
		}
	}
	return vlans, nil
}

// BridgeVLAN adds, replaces or deletes a VLAN of the port, or bridge, with the given ifindex.
func (c *Conn) BridgeVLAN(verb object.Verb, index int, v object.BridgeVLAN) error {
	msg := nl.NewIfInfomsg(unix.AF_BRIDGE)
	msg.Index = int32(index)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	if v.Self {
		spec.AddRtAttr(bridgeFlags, nl.Uint16Attr(flagSelf))
	}
	flags := uint16(0)
	if v.PVID {
		flags |= vlanPVID
	}
	if v.Untagged {
		flags |= vlanUntagged
	}
	spec.AddRtAttr(bridgeVLANInfo, append(nl.Uint16Attr(flags), nl.Uint16Attr(v.ID)...))
	if verb == object.Delete {
		return c.change(unix.RTM_DELLINK, 0, msg, spec)
	}
	return c.change(unix.RTM_SETLINK, 0, msg, spec)
}
