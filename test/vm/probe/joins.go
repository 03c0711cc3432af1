package main

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// joining is a way to join a group.
type joining struct {
	name   string
	family int // of the socket; 0 is that of the group
	groups [2]netip.Addr
	packed bool // as structs of 32 bits are
	first  func(fd int)
	set    func(fd, level, option int, value []byte) error
}

var joinings = []joining{
	{name: "joined", groups: groups, set: setBytes},
	{name: "joined", groups: groups, set: setBytes, first: unspec},
	{name: "joined", groups: groups, set: setBytes, family: unix.AF_INET6},
	{name: "joined", groups: groups, set: setByRing},
	// The kernel runs no program of a cgroup there.
	{name: "joined-32", groups: groups32, packed: true, set: setBy32},
	{name: "joined-32", groups: groups32, packed: true, set: setByRing32},
}

func setBytes(fd, level, option int, value []byte) error {
	return unix.SetsockoptString(fd, level, option, string(value))
}

// request is a request to join, of one of the structs that there are for it.
type request struct {
	level, option int
	value         []byte
}

// toJoin are all requests that name the link, or none, for the groups.
func toJoin(link *net.Interface, groups [2]netip.Addr, packed bool) []request {
	address := netip.IPv4Unspecified()
	addrs, _ := link.Addrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			address = p.Addr()
		}
	}
	group4, group6 := groups[0].AsSlice(), groups[1].AsSlice()
	g4, g6 := sockaddrBytes(groups[0]), sockaddrBytes(groups[1])
	index := nativeBytes(uint32(link.Index))
	none := make([]byte, 4)
	long := index // struct group_req begins with a long number
	if !packed {
		long = join(index, none)
	}
	a4, any4 := address.AsSlice(), make([]byte, 4)
	source4, source6 := sockaddrBytes(netip.MustParseAddr("192.0.2.99")), sockaddrBytes(netip.MustParseAddr("2001:db8:2::99"))
	return []request{
		{unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, join(group4, any4, index)},
		{unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, join(group4, a4)},
		{unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, join(group4, any4)},
		{unix.IPPROTO_IP, unix.IP_ADD_SOURCE_MEMBERSHIP, join(group4, a4, a4)},
		{unix.IPPROTO_IP, unix.MCAST_JOIN_GROUP, join(long, g4)},
		{unix.IPPROTO_IP, unix.MCAST_JOIN_SOURCE_GROUP, join(long, g4, source4)},
		{unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, join(group6, index)},
		{unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, join(group6, none)},
		{unix.IPPROTO_IPV6, unix.MCAST_JOIN_GROUP, join(long, g6)},
		{unix.IPPROTO_IPV6, unix.MCAST_JOIN_SOURCE_GROUP, join(long, g6, source6)},
	}
}

// joins joins the groups on a link in each way that names it, and where none is named.
func joins(link *net.Interface) {
	for _, how := range joinings {
		for _, r := range toJoin(link, how.groups, how.packed) {
			family := how.family
			switch {
			case family == 0 && r.level == unix.IPPROTO_IP:
				family = unix.AF_INET
			case family == 0:
				family = unix.AF_INET6
			}
			fd := open(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if fd < 0 {
				continue
			}
			if how.first != nil {
				how.first(fd)
			}
			if err := how.set(fd, r.level, r.option, r.value); err == nil {
				fmt.Printf("%s %d %d by %s\n", how.name, r.level, r.option, link.Name)
			}
			// Not closed: the group would be left before the kernel has told anybody.
		}
	}
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
