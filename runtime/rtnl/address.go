package rtnl

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// Address is what the kernel says of an address.
type Address struct {
	object.Address
	// Own is true for an address that the kernel gave by itself: a link-local
	// address, or one from a router's advertisement. It comes by itself again.
	Own bool
	// Advertised: it is of a network that a router advertises.
	Advertised bool
	// Tentative: duplicate address detection is not done, and no socket can be
	// bound to the address. Duplicate: another host has it (RFC 4862, 5.4).
	Tentative, Duplicate bool
}

// infinity is the lifetime of an address that does not expire
// (INFINITY_LIFE_TIME, include/net/addrconf.h).
const infinity = 1<<32 - 1

// Values of IFA_PROTO (include/uapi/linux/if_addr.h, since Linux 5.18).
const (
	ifaProto         = 11 // IFA_PROTO
	ifaProtoKernelRA = 2
	ifaProtoKernelLL = 3
)

// Addresses returns the addresses of the link with the given ifindex, IPv4
// first. Netns and Dev are left empty.
func (c *Conn) Addresses(index int) ([]Address, error) {
	var list []Address
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		msg := nl.NewIfAddrmsg(family)
		msg.Index = uint32(index)
		msgs, err := c.dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, msg)
		if err != nil {
			return nil, fmt.Errorf("list of addresses: %w", err)
		}
		for _, m := range msgs {
			a, from, err := parseAddress(m)
			if err != nil {
				return nil, err
			}
			if from.index != index || !a.Prefix.IsValid() { // kernels before 4.20 do not filter
				continue
			}
			if a.Own && from.maker == 0 && a.Prefix.Addr().IsLinkLocalUnicast() {
				says, err := c.saysMaker()
				if err != nil {
					return nil, err
				}
				a.Own = !says
			}
			list = append(list, a)
		}
	}
	return list, nil
}

// saysMaker reports whether the kernel says who made an address: since Linux 5.18 it does of
// those that it made, and ::1 is one.
func (c *Conn) saysMaker() (bool, error) {
	msgs, err := c.dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_INET6))
	if err != nil {
		return false, fmt.Errorf("list of addresses: %w", err)
	}
	for _, m := range msgs {
		if _, from, err := parseAddress(m); err != nil || from.maker != 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// origin is the link that an address is of, and who made it (IFA_PROTO), 0 if that is not said.
type origin struct {
	index int
	maker byte
}

func parseAddress(m []byte) (a Address, from origin, err error) {
	if len(m) < unix.SizeofIfAddrmsg {
		return a, from, fmt.Errorf("kernel sent an address of %d bytes", len(m))
	}
	msg := nl.DeserializeIfAddrmsg(m)
	from.index = int(msg.Index)
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfAddrmsg:])
	if err != nil || msg.Family != unix.AF_INET && msg.Family != unix.AF_INET6 {
		return a, from, err
	}
	flags := uint32(msg.Flags)
	var local, address netip.Addr
	for _, at := range attrs {
		switch v := at.Value; attrType(at.Attr) {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(v)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(v)
		case unix.IFA_BROADCAST:
			a.Broadcast, _ = netip.AddrFromSlice(v)
		case unix.IFA_LABEL:
			a.Label = text(v)
		case unix.IFA_FLAGS:
			flags = native32(v)
		case unix.IFA_RT_PRIORITY:
			a.Metric = native32(v)
		case unix.IFA_CACHEINFO:
			if len(v) >= 8 && native32(v[4:]) != infinity {
				a.Preferred, a.Valid = native32(v), native32(v[4:])
			}
		case ifaProto:
			if len(v) > 0 {
				from.maker = v[0]
			}
			a.Own = from.maker == ifaProtoKernelRA || from.maker == ifaProtoKernelLL
			a.Advertised = from.maker == ifaProtoKernelRA
		}
	}
	a.Scope, a.Flags = msg.Scope, flags&object.AddressFlags
	a.Duplicate = flags&unix.IFA_F_DADFAILED != 0
	a.Tentative = flags&unix.IFA_F_TENTATIVE != 0 && flags&unix.IFA_F_OPTIMISTIC == 0
	// IPv4 always sends both, equal unless there is a peer; IPv6 sends
	// IFA_LOCAL only beside a peer.
	if !local.IsValid() || local == address {
		a.Prefix = netip.PrefixFrom(address, int(msg.Prefixlen))
	} else {
		a.Prefix = netip.PrefixFrom(local, local.BitLen())
		a.Peer = netip.PrefixFrom(address, int(msg.Prefixlen))
	}
	if address.Is6() {
		a.Scope = 0                                                         // the kernel derives it from the address
		a.Advertised = a.Advertised || flags&unix.IFA_F_MANAGETEMPADDR != 0 // before Linux 5.18
		a.Own = a.Own || address.IsLinkLocalUnicast() || flags&unix.IFA_F_TEMPORARY != 0
	}
	return a, from, nil
}

// Address adds, replaces or deletes an address of the link with the given
// ifindex.
func (c *Conn) Address(verb object.Verb, index int, a object.Address) error {
	local, far := a.Prefix.Addr(), a.Prefix
	if a.Peer.IsValid() {
		far = a.Peer
	}
	family := unix.AF_INET
	if local.Is6() {
		family = unix.AF_INET6
	}
	msg := nl.NewIfAddrmsg(family)
	msg.Index, msg.Prefixlen, msg.Scope = uint32(index), uint8(far.Bits()), a.Scope
	data := []nl.NetlinkRequestData{msg,
		raw(unix.IFA_LOCAL, local.AsSlice()), raw(unix.IFA_ADDRESS, far.Addr().AsSlice())}
	if verb == object.Delete {
		return c.change(unix.RTM_DELADDR, 0, data...)
	}
	if a.Broadcast.IsValid() {
		data = append(data, raw(unix.IFA_BROADCAST, a.Broadcast.AsSlice()))
	}
	if a.Label != "" {
		data = append(data, str(unix.IFA_LABEL, a.Label))
	}
	if a.Flags != 0 {
		data = append(data, u32(unix.IFA_FLAGS, a.Flags))
	}
	if a.Metric != 0 {
		data = append(data, u32(unix.IFA_RT_PRIORITY, a.Metric))
	}
	if a.Valid != 0 {
		life := make([]byte, 16) // struct ifa_cacheinfo
		nl.NativeEndian().PutUint32(life, a.Preferred)
		nl.NativeEndian().PutUint32(life[4:], a.Valid)
		data = append(data, raw(unix.IFA_CACHEINFO, life))
	}
	flags := unix.NLM_F_CREATE | unix.NLM_F_EXCL
	if verb == object.Replace {
		flags = unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	}
	return c.change(unix.RTM_NEWADDR, flags, data...)
}
