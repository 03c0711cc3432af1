package rtnl

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// Link is what the kernel says of a link.
type Link struct {
	Name  string
	Index int
	// Kind is "veth", "vrf", ...; "" for hardware and for lo; "tap" for a tap,
	// which the kernel calls a tun.
	Kind string
	Up   bool
	// Carrier: the link can send. Without it no address is looked for on it.
	Carrier bool
	// CarrierChanges is how often that changed.
	CarrierChanges uint32
	MTU            uint32
	MAC            string
	// Master is the ifindex of the VRF or bridge that the link is a member
	// of; 0 for none.
	Master int
	// Peer is the ifindex of the other end of a veth, in that end's namespace.
	Peer int
	// Below is the ifindex of the link below one that [object.IsAbove], or of
	// that by which a tunnel's packets leave, in the namespace of that side;
	// 0 for none.
	Below int
	Traffic
	// LinkNetns is the number of the namespace of Peer or Below in the link's own, -1 where
	// it is the same one.
	LinkNetns int
	// AltNames are its alternative names.
	AltNames []string
	object.Options
}

// Traffic is what went over a link since it was made, and what of that was dropped.
type Traffic struct {
	ReceivedBytes   uint64 `json:"received_bytes"`
	ReceivedDropped uint64 `json:"received_dropped"`
	SentBytes       uint64 `json:"sent_bytes"`
	SentDropped     uint64 `json:"sent_dropped"`
}

// AlternativeName is the error for a name that a link has besides its own, Link.
type AlternativeName struct{ Name, Link string }

func (e *AlternativeName) Error() string {
	return e.Name + " is an alternative name of link " + e.Link
}

// Link returns the link called name. The error matches fs.ErrNotExist if there
// is none. It costs one request, however many links there are. An alternative
// name (IFLA_ALT_IFNAME), which the kernel finds too, is an error: rdomain names
// links by their names.
func (c *Conn) Link(name string) (Link, error) {
	l, err := c.link(nl.NewIfInfomsg(unix.AF_UNSPEC), str(unix.IFLA_IFNAME, name))
	if err == nil && l.Name != name {
		return Link{}, &AlternativeName{name, l.Name}
	}
	return l, err
}

// LinkAt returns the link with the given ifindex. The error matches
// fs.ErrNotExist if there is none.
func (c *Conn) LinkAt(index int) (Link, error) {
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	return c.link(msg)
}

func (c *Conn) link(data ...nl.NetlinkRequestData) (Link, error) {
	msgs, err := c.exchange(unix.RTM_GETLINK, 0, unix.RTM_NEWLINK, data...)
	if err != nil {
		return Link{}, err
	}
	if len(msgs) != 1 {
		return Link{}, fmt.Errorf("kernel answered with %d links, want 1", len(msgs))
	}
	return parseLink(msgs[0])
}

// Links returns the links of a kind ("vrf"), or all for "", in the order of
// their indices.
func (c *Conn) Links(kind string) ([]Link, error) {
	data := []nl.NetlinkRequestData{nl.NewIfInfomsg(unix.AF_UNSPEC)}
	if kind != "" {
		data = append(data, linkInfo(kind))
	}
	return c.links(kind, data...)
}

func (c *Conn) links(kind string, data ...nl.NetlinkRequestData) ([]Link, error) {
	msgs, err := c.dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, data...)
	if err != nil {
		return nil, fmt.Errorf("list of links: %w", err)
	}
	var links []Link
	for _, m := range msgs {
		l, err := parseLink(m)
		if err != nil {
			return nil, err
		}
		if kind == "" || l.Kind == kind { // kernels before 4.6 do not filter
			links = append(links, l)
		}
	}
	return links, nil
}

func parseLink(m []byte) (Link, error) {
	if len(m) < unix.SizeofIfInfomsg {
		return Link{}, fmt.Errorf("kernel sent a link of %d bytes", len(m))
	}
	msg := nl.DeserializeIfInfomsg(m)
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfInfomsg:])
	if err != nil {
		return Link{}, err
	}
	l := Link{Index: int(msg.Index), Up: msg.Flags&unix.IFF_UP != 0, Carrier: msg.Flags&unix.IFF_LOWER_UP != 0, LinkNetns: -1}
	link := 0 // IFLA_LINK, which may come before or after the kind
	for _, a := range attrs {
		switch v := a.Value; attrType(a.Attr) {
		case unix.IFLA_IFNAME:
			l.Name = text(v)
		case unix.IFLA_MTU:
			l.MTU = native32(v)
		case unix.IFLA_ADDRESS:
			l.MAC = net.HardwareAddr(v).String()
		case unix.IFLA_CARRIER_CHANGES:
			l.CarrierChanges = native32(v)
		case unix.IFLA_MASTER:
			l.Master = int(native32(v))
		case unix.IFLA_LINK:
			link = int(native32(v))
		case unix.IFLA_STATS64:
			l.Traffic = parseTraffic(v)
		case unix.IFLA_LINK_NETNSID:
			l.LinkNetns = int(int32(native32(v)))
		case unix.IFLA_PROP_LIST:
			if l.AltNames, err = parseAltNames(v); err != nil {
				return Link{}, err
			}
		case unix.IFLA_LINKINFO:
			if err := parseLinkInfo(&l, v); err != nil {
				return Link{}, err
			}
		}
	}
	switch {
	case l.Kind == "veth":
		l.Peer = link
	case object.IsAbove(l.Kind):
		l.Below = link
	}
	return l, nil
}

// parseTraffic reads the beginning of struct rtnl_link_stats64: packets, bytes, errors and
// drops, of each first what was received.
func parseTraffic(b []byte) (t Traffic) {
	for i, to := range [...]*uint64{2: &t.ReceivedBytes, &t.SentBytes, 6: &t.ReceivedDropped, &t.SentDropped} {
		if to != nil && len(b) >= 8*(i+1) {
			*to = nl.NativeEndian().Uint64(b[8*i:])
		}
	}
	return t
}

func parseLinkInfo(l *Link, b []byte) error {
	attrs, err := nl.ParseRouteAttr(b)
	if err != nil {
		return err
	}
	var data []byte
	for _, a := range attrs {
		switch attrType(a.Attr) {
		case unix.IFLA_INFO_KIND:
			l.Kind = text(a.Value)
		case unix.IFLA_INFO_DATA:
			data = a.Value
		}
	}
	return parseData(l, data)
}

func linkInfo(kind string) *nl.RtAttr {
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_KIND, []byte(kind))
	return info
}

// Sides says where the sides of a new link are. Descriptors of namespaces are
// negative where a side is in the namespace of the Conn.
type Sides struct {
	// Link is the namespace of the link itself, Peer that of a veth's other
	// end.
	Link, Peer int
	// Made is the nsid, in the link's namespace, of the namespace that the
	// link is made in and moved from; negative if it is not moved (see NSID).
	Made int
	// Below is the ifindex of the link's parent, 0 without one.
	Below int
}

// Here is a link with both sides in the Conn's namespace.
var Here = Sides{-1, -1, -1, 0}

// AddLink makes a link. The parent of one that [object.IsAbove], and the packets
// of a vxlan, geneve or wireguard, are in the namespace of the Conn; so are those of an
// IP tunnel if w.Made is that namespace.
func (c *Conn) AddLink(l object.Link, w Sides) error {
	data := []nl.NetlinkRequestData{nl.NewIfInfomsg(unix.AF_UNSPEC), str(unix.IFLA_IFNAME, l.Name)}
	if l.MTU != 0 {
		data = append(data, u32(unix.IFLA_MTU, l.MTU))
	}
	if l.MAC != "" {
		mac, err := net.ParseMAC(l.MAC)
		if err != nil {
			return err
		}
		data = append(data, raw(unix.IFLA_ADDRESS, mac))
	}
	if w.Below != 0 && linkAt(l.Kind) == 0 {
		data = append(data, u32(unix.IFLA_LINK, uint32(w.Below)))
	}
	if w.Link >= 0 {
		data = append(data, u32(unix.IFLA_NET_NS_FD, uint32(w.Link)))
	}
	if w.Made >= 0 {
		data = append(data, u32(unix.IFLA_LINK_NETNSID, uint32(w.Made)))
	}
	info := linkInfo(l.Kind)
	switch {
	case l.Kind == "veth":
		peer := info.AddRtAttr(unix.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
		nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
		peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(l.Peer))
		if w.Peer >= 0 {
			peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(w.Peer)))
		}
	case kinds[l.Kind] != nil:
		infoData(info.AddRtAttr(unix.IFLA_INFO_DATA, nil), l, w.Below)
	}
	return c.change(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, append(data, info)...)
}

// DeleteLink deletes the link with the given ifindex, and with a veth its other
// end, wherever that is.
func (c *Conn) DeleteLink(index int) error {
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	return c.change(unix.RTM_DELLINK, 0, msg)
}

// SetUp sets a link administratively up or down.
func (c *Conn) SetUp(index int, up bool) error {
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index, msg.Change = int32(index), unix.IFF_UP
	if up {
		msg.Flags = unix.IFF_UP
	}
	return c.change(unix.RTM_NEWLINK, 0, msg)
}

// SetName renames a link, which must be down on kernels before 6.2.
func (c *Conn) SetName(index int, name string) error {
	return c.set(index, str(unix.IFLA_IFNAME, name))
}

// SetMTU sets a link's MTU in bytes.
func (c *Conn) SetMTU(index int, mtu uint32) error { return c.set(index, u32(unix.IFLA_MTU, mtu)) }

// SetMAC sets a link's hardware address.
func (c *Conn) SetMAC(index int, mac string) error {
	addr, err := net.ParseMAC(mac)
	if err != nil {
		return err
	}
	return c.set(index, raw(unix.IFLA_ADDRESS, addr))
}

// SetMaster makes the link a member of the VRF or bridge with the ifindex
// master, or of none if master is 0.
func (c *Conn) SetMaster(index, master int) error {
	return c.set(index, u32(unix.IFLA_MASTER, uint32(master)))
}

// SetNetns moves the link to the namespace that fd is a descriptor of. The
// kernel takes its addresses and routes away.
func (c *Conn) SetNetns(index, fd int) error {
	return c.set(index, u32(unix.IFLA_NET_NS_FD, uint32(fd)))
}

func (c *Conn) set(index int, attr *nl.RtAttr) error {
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	return c.change(unix.RTM_NEWLINK, 0, msg, attr)
}
