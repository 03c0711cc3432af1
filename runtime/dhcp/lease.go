// Package dhcp asks for leases of addresses on one link, of IPv4 (RFC 2131) by a packet
// socket, so that it works before the link has an address, and on a link of a VRF, and of
// IPv6 (RFC 8415); and routers for resolvers (RFC 8106). It runs nothing that a server
// names, and believes nothing of what one says but what a lease has a field for.
package dhcp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// Limits of what is taken from a server.
const (
	mostRoutes  = 64
	mostServers = 3 // of resolv.conf(5)
	mostSearch  = 6
	longSearch  = 255
	// shortest is how often a server can have a lease renewed, in seconds.
	shortest = 5
	forever  = 1<<32 - 1 // a lease without an end (RFC 2131, 3.3)
)

// Uptime is the clock of leases, in seconds.
func Uptime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // it has no error but a wrong clock
	return int64(now.Sec)                            // 32 bits on some processors
}

// lease returns what an acknowledgement says, or what is wrong with it.
func lease(link string, m *dhcpv4.DHCPv4, now int64) (*object.Lease, error) {
	a, ok := netip.AddrFromSlice(m.YourIPAddr.To4())
	if !ok || !isHost(a) {
		return nil, fmt.Errorf("a DHCP server gives the address %v, which is none of a host", m.YourIPAddr)
	}
	bits, _ := m.SubnetMask().Size()
	if bits == 0 {
		return nil, errors.New("a DHCP server gives no netmask")
	}
	server, _ := netip.AddrFromSlice(m.ServerIdentifier().To4())
	l := &object.Lease{Link: link, Address: netip.PrefixFrom(a, bits), Server: server, DNS: servers(m.DNS()), Search: search(m)}
	seconds := int64(m.IPAddressLeaseTime(0) / time.Second)
	switch renew := int64(m.IPAddressRenewalTime(0) / time.Second); {
	case seconds == 0:
		return nil, errors.New("a DHCP server gives a lease of no time")
	case seconds == forever:
		l.Renew = now + forever
	case renew > 0 && renew < seconds:
		l.Renew, l.End = now+max(renew, shortest), now+seconds
	default:
		l.Renew, l.End = now+max(seconds/2, shortest), now+seconds
	}
	l.Routes = routes(m, l.Address)
	return l, nil
}

// isHost reports whether an address can be one of a host on a link.
func isHost(a netip.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a.As4()[0] != 0 && a.As4()[0] < 240
}

// servers returns resolvers; one on a loopback address is another host's.
func servers(list []net.IP) (out []netip.Addr) {
	for _, ip := range list {
		a, ok := netip.AddrFromSlice(ip)
		if a = a.Unmap(); ok && (isHost(a) || isHost6(a)) && !slices.Contains(out, a) && len(out) < mostServers {
			out = append(out, a)
		}
	}
	return out
}

// search returns the names of domains: the search list, or else the domain's own name.
func search(m *dhcpv4.DHCPv4) (out []string) {
	if list := m.DomainSearch(); list != nil && len(list.Labels) > 0 {
		return names(list.Labels)
	}
	return names(strings.Fields(m.DomainName()))
}

// names returns those that are names of domains, as many as are searched.
func names(list []string) (out []string) {
	for _, name := range list {
		name = strings.TrimSuffix(name, ".")
		if !isName(name) || slices.Contains(out, name) {
			continue
		}
		if len(out) == mostSearch || len(strings.Join(out, " "))+1+len(name) > longSearch {
			break
		}
		out = append(out, name)
	}
	return out
}

// isName reports whether s is a name of letters, digits and "-", with dots.
func isName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return len(s) <= 253
}

// routes returns the routes of a lease: the classless ones, or else one to each router
// (RFC 3442), of which the first that can be reached is taken.
func routes(m *dhcpv4.DHCPv4, own netip.Prefix) (out []object.LeaseRoute) {
	for _, r := range m.ClasslessStaticRoute() {
		to, ok := netip.AddrFromSlice(r.Dest.IP.To4())
		bits, _ := r.Dest.Mask.Size()
		via, also := netip.AddrFromSlice(r.Router.To4())
		prefix := netip.PrefixFrom(to, bits).Masked()
		again := slices.ContainsFunc(out, func(o object.LeaseRoute) bool { return o.Destination == prefix })
		if !ok || !also || again || len(out) == mostRoutes || to.IsMulticast() || to.IsLoopback() {
			continue
		}
		switch route := (object.LeaseRoute{Destination: prefix}); {
		case via.IsUnspecified():
			out = append(out, route)
		case isHost(via) && via != own.Addr():
			route.Gateway = via
			out = append(out, route)
		}
	}
	if m.Options.Has(dhcpv4.OptionClasslessStaticRoute) {
		return out
	}
	for _, ip := range m.Router() {
		if via, ok := netip.AddrFromSlice(ip.To4()); ok && isHost(via) && via != own.Addr() {
			return []object.LeaseRoute{{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Gateway: via}}
		}
	}
	return nil
}
