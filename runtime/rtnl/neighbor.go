package rtnl

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/vishvananda/netlink/nl"

	"rdgen/runtime/object"
)

// sizeofNdmsg is the size of struct ndmsg (include/uapi/linux/neighbour.h).
const sizeofNdmsg = 12

// ndmsg is struct ndmsg.
type ndmsg struct {
	family uint8
	index  int
	state  uint16
}

func (m ndmsg) Len() int { return sizeofNdmsg }

func (m ndmsg) Serialize() []byte {
	b := make([]byte, sizeofNdmsg)
	b[0] = m.family
	nl.NativeEndian().PutUint32(b[4:], uint32(m.index))
	nl.NativeEndian().PutUint16(b[8:], m.state)
	return b
}

// Neighbors returns the permanent neighbours of the link with the given
// ifindex, IPv4 first. Netns and Dev are left empty.
func (c *Conn) Neighbors(index int) ([]object.Neighbor, error) {
	var list []object.Neighbor
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		// With NETLINK_GET_STRICT_CHK the kernel filters by NDA_IFINDEX alone.
		msgs, err := c.dump(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, ndmsg{family: family}, u32(unix.NDA_IFINDEX, uint32(index)))
		if err != nil {
			return nil, fmt.Errorf("list of neighbours: %w", err)
		}
		for _, m := range msgs {
			if len(m) < sizeofNdmsg {
				return nil, fmt.Errorf("kernel sent a neighbour of %d bytes", len(m))
			}
			if int(native32(m[4:])) != index || nl.NativeEndian().Uint16(m[8:])&unix.NUD_PERMANENT == 0 {
				continue
			}
			attrs, err := nl.ParseRouteAttr(m[sizeofNdmsg:])
			if err != nil {
				return nil, err
			}
			var n object.Neighbor
			for _, a := range attrs {
				switch attrType(a.Attr) {
				case unix.NDA_DST:
					n.Address, _ = netip.AddrFromSlice(a.Value)
				case unix.NDA_LLADDR:
					n.MAC = net.HardwareAddr(a.Value).String()
				}
			}
			list = append(list, n)
		}
	}
	return list, nil
}

// Neighbor adds, replaces or deletes a permanent neighbour of the link with the
// given ifindex.
func (c *Conn) Neighbor(verb object.Verb, index int, n object.Neighbor) error {
	msg := ndmsg{family: unix.AF_INET, index: index, state: unix.NUD_PERMANENT}
	if n.Address.Is6() {
		msg.family = unix.AF_INET6
	}
	address := raw(unix.NDA_DST, n.Address.AsSlice())
	if verb == object.Delete {
		return c.change(unix.RTM_DELNEIGH, 0, msg, address)
	}
	mac, err := net.ParseMAC(n.MAC)
	if err != nil {
		return err
	}
	// What the kernel learned by itself in the meantime is no obstacle.
	return c.change(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, msg, address, raw(unix.NDA_LLADDR, mac))
}
