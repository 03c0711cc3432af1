package rtnl

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// ErrUnreachable is what the kernel says of a route whose gateway is behind no address.
var ErrUnreachable error = unix.ENETUNREACH

// Route is what the kernel says of a route.
type Route struct {
	object.Route
	// Index is the ifindex of the link that the route leads to, 0 for none.
	Index int
	// Many are the hops of a route that has several, Hops of which stay empty: their
	// links are known by number.
	Many []Hop
}

// Hop is what the kernel says of one of several gateways.
type Hop struct {
	Gateway netip.Addr
	Index   int
	Weight  uint32
}

// leads reports whether the route leads to a link.
func (r Route) leads(index int) bool {
	return r.Index == index || slices.ContainsFunc(r.Many, func(h Hop) bool { return h.Index == index })
}

// Routes returns the routes of a table, IPv4 first, or those of all tables that
// lead to a link, if index is not 0. Netns and Dev are left empty. Local, broadcast,
// multicast and cloned routes that the kernel makes by itself are left out.
func (c *Conn) Routes(table uint32, index int) (list []Route, err error) {
	filter := u32(unix.RTA_TABLE, table)
	if index != 0 {
		filter = u32(unix.RTA_OIF, uint32(index))
	}
	err = c.eachRoute(func(r Route) {
		if index != 0 && r.leads(index) || index == 0 && r.Table == table {
			list = append(list, r)
		}
	}, filter)
	return list, err
}

// Tables returns the tables that have a route which Routes returns.
func (c *Conn) Tables() (map[uint32]bool, error) {
	tables := map[uint32]bool{}
	err := c.eachRoute(func(r Route) { tables[r.Table] = true })
	return tables, err
}

// eachRoute calls f for each route that the kernel lists.
func (c *Conn) eachRoute(f func(Route), filter ...nl.NetlinkRequestData) error {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		data := append([]nl.NetlinkRequestData{&nl.RtMsg{RtMsg: unix.RtMsg{Family: family}}}, filter...)
		msgs, err := c.dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, data...)
		if isErrno(err, unix.ENOENT) {
			continue // there is no such table yet
		}
		if err != nil {
			return fmt.Errorf("list of routes: %w", err)
		}
		for _, m := range msgs {
			r, ok, err := parseRoute(m)
			if err != nil {
				return err
			}
			if ok {
				f(r)
			}
		}
	}
	return nil
}

// rtaNHID is RTA_NH_ID (include/uapi/linux/rtnetlink.h, since Linux 5.3).
const rtaNHID = 30

var routeTypes = map[uint8]string{
	unix.RTN_UNICAST: "unicast", unix.RTN_LOCAL: "local", unix.RTN_UNREACHABLE: "unreachable",
	unix.RTN_BLACKHOLE: "blackhole", unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw",
}

func parseRoute(m []byte) (Route, bool, error) {
	if len(m) < unix.SizeofRtMsg {
		return Route{}, false, fmt.Errorf("kernel sent a route of %d bytes", len(m))
	}
	msg := nl.DeserializeRtMsg(m)
	name, known := routeTypes[msg.Type]
	if !known || msg.Type == unix.RTN_LOCAL && msg.Protocol == unix.RTPROT_KERNEL || msg.Flags&unix.RTM_F_CLONED != 0 || msg.Family != unix.AF_INET && msg.Family != unix.AF_INET6 {
		return Route{}, false, nil
	}
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofRtMsg:])
	if err != nil {
		return Route{}, false, err
	}
	var r Route
	r.Type, r.Table, r.Protocol, r.Scope = name, uint32(msg.Table), msg.Protocol, msg.Scope
	r.OnLink = msg.Flags&unix.RTNH_F_ONLINK != 0
	destination := netip.IPv4Unspecified()
	if msg.Family == unix.AF_INET6 {
		destination = netip.IPv6Unspecified()
	}
	if msg.Src_len != 0 {
		r.Other = "a source prefix"
	}
	if msg.Tos != 0 {
		r.Other = "a type of service"
	}
	for _, a := range attrs {
		switch v := a.Value; attrType(a.Attr) {
		case unix.RTA_DST:
			destination, _ = netip.AddrFromSlice(v)
		default:
			r.attribute(a.Attr, v)
		}
	}
	r.Destination = netip.PrefixFrom(destination, int(msg.Dst_len))
	if r.Type != "unicast" && r.Type != "local" && msg.Family == unix.AF_INET6 {
		r.Index = 0 // IPv6 hangs these on lo
	}
	return r, true, nil
}

func (r *Route) attribute(attr syscall.RtAttr, v []byte) {
	switch attrType(attr) {
	case unix.RTA_TABLE:
		r.Table = native32(v)
	case unix.RTA_OIF:
		r.Index = int(native32(v))
	case unix.RTA_GATEWAY:
		r.Gateway, _ = netip.AddrFromSlice(v)
	case unix.RTA_PREFSRC:
		r.Source, _ = netip.AddrFromSlice(v)
	case unix.RTA_PRIORITY:
		r.Metric = native32(v)
	case unix.RTA_METRICS:
		r.metrics(v)
	case unix.RTA_MULTIPATH:
		r.hops(v)
	case unix.RTA_ENCAP:
		r.Other = "an encapsulation"
	case unix.RTA_VIA:
		r.Gateway = viaAddr(v)
	case rtaNHID:
		r.Other = "a next hop object"
	case unix.RTA_FLOW:
		r.Other = "a realm"
	case unix.RTA_EXPIRES:
		r.Other = "a lifetime"
	}
}

// viaAddr reads a struct rtvia: a family and an address.
func viaAddr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(tail(b, 2))
	return a
}

// hops reads the list of struct rtnexthop, each with its attributes.
func (r *Route) hops(b []byte) {
	for len(b) >= unix.SizeofRtNexthop {
		size := int(nl.NativeEndian().Uint16(b))
		if size < unix.SizeofRtNexthop || size > len(b) {
			break
		}
		h := Hop{Weight: uint32(b[3]) + 1, Index: int(native32(b[4:]))}
		attrs, err := nl.ParseRouteAttr(b[unix.SizeofRtNexthop:size])
		for _, a := range attrs {
			switch attrType(a.Attr) {
			case unix.RTA_GATEWAY:
				h.Gateway, _ = netip.AddrFromSlice(a.Value)
			case unix.RTA_VIA:
				h.Gateway = viaAddr(a.Value)
			default:
				r.Other = fmt.Sprintf("a next hop with attribute %d", attrType(a.Attr))
			}
		}
		if err != nil || b[2]&unix.RTNH_F_ONLINK != 0 || !h.Gateway.IsValid() {
			r.Other = "a next hop that is no gateway on the link"
		}
		r.Many = append(r.Many, h)
		b = tail(b, (size+unix.RTNH_ALIGNTO-1)&^(unix.RTNH_ALIGNTO-1))
	}
}

// gatewayAttr says a gateway of a route to an address.
func gatewayAttr(gateway, to netip.Addr) *nl.RtAttr {
	if gateway.Is6() && to.Is4() {
		return raw(unix.RTA_VIA, append(nl.Uint16Attr(unix.AF_INET6), gateway.AsSlice()...))
	}
	return raw(unix.RTA_GATEWAY, gateway.AsSlice())
}

// hopsAttr says several gateways; indices are the links of those that have one.
func hopsAttr(r object.Route, indices []int) *nl.RtAttr {
	var b []byte
	for i, h := range r.Hops.List() {
		attr := gatewayAttr(h.Gateway, r.Destination.Addr()).Serialize()
		b = append(b, nl.Uint16Attr(uint16(unix.SizeofRtNexthop+len(attr)))...)
		b = append(b, 0, byte(h.Weight-1))
		b = append(append(b, nl.Uint32Attr(uint32(indices[i]))...), attr...)
	}
	return raw(unix.RTA_MULTIPATH, b)
}

func (r *Route) metrics(b []byte) {
	attrs, err := nl.ParseRouteAttr(b)
	if err != nil {
		r.Other = "unreadable metrics"
	}
	for _, a := range attrs {
		if attrType(a.Attr) == unix.RTAX_MTU {
			r.MTU = native32(a.Value)
		} else {
			r.Other = fmt.Sprintf("metric number %d", attrType(a.Attr))
		}
	}
}

// Route adds, replaces or deletes a route. index is the ifindex of r.Dev, 0 if
// it is empty; so are hops those of r.Hops.
func (c *Conn) Route(verb object.Verb, r object.Route, index int, hops ...int) error {
	msg := &nl.RtMsg{RtMsg: unix.RtMsg{
		Family: unix.AF_INET, Dst_len: uint8(r.Destination.Bits()), Scope: r.Scope, Type: routeType(r.Type),
		Protocol: r.Protocol,
	}}
	if r.Destination.Addr().Is6() {
		msg.Family, msg.Scope = unix.AF_INET6, 0
	}
	if r.Protocol == 0 && verb != object.Delete {
		msg.Protocol = unix.RTPROT_BOOT
	}
	if r.OnLink {
		msg.Flags |= unix.RTNH_F_ONLINK
	}
	data := []nl.NetlinkRequestData{msg, u32(unix.RTA_TABLE, r.Table)}
	if r.Destination.Bits() != 0 {
		data = append(data, raw(unix.RTA_DST, r.Destination.Addr().AsSlice()))
	}
	if r.Gateway.IsValid() {
		data = append(data, gatewayAttr(r.Gateway, r.Destination.Addr()))
	}
	if r.Hops != "" {
		data = append(data, hopsAttr(r, hops))
	}
	if r.Source.IsValid() {
		data = append(data, raw(unix.RTA_PREFSRC, r.Source.AsSlice()))
	}
	if index != 0 {
		data = append(data, u32(unix.RTA_OIF, uint32(index)))
	}
	if r.Metric != 0 {
		data = append(data, u32(unix.RTA_PRIORITY, r.Metric))
	}
	if r.MTU != 0 {
		metrics := nl.NewRtAttr(unix.RTA_METRICS, nil)
		metrics.AddRtAttr(unix.RTAX_MTU, nl.Uint32Attr(r.MTU))
		data = append(data, metrics)
	}
	switch verb {
	case object.Delete:
		return c.change(unix.RTM_DELROUTE, 0, data...)
	case object.Replace:
		return c.change(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, data...)
	}
	return c.change(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, data...)
}

func routeType(name string) uint8 {
	for number, n := range routeTypes {
		if n == name {
			return number
		}
	}
	panic("rtnl: no route type " + name)
}
