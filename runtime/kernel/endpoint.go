package kernel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// endpoint returns the address of a peer. A name is looked up in the domain in
// which the link's packets travel, with the resolver files of that domain, and
// for as long as TimeoutSec= says: at boot the way to the resolver may come late.
func (s *Session) endpoint(t object.WireGuardPeer) (*net.UDPAddr, error) {
	if a, err := netip.ParseAddrPort(t.Endpoint); err == nil {
		return net.UDPAddrFromAddrPort(a), nil
	}
	host, port, err := net.SplitHostPort(t.Endpoint)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	where := s.Inputs.Outers[t.Outer].Domain
	in := outside{s, where}
	ctx, cancel := context.WithTimeout(context.Background(), max(time.Duration(s.Timeout)*time.Second, 5*time.Second))
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		var a netip.Addr
		if a, err = in.lookup(ctx, host); err == nil {
			return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, uint16(number))), nil
		}
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			continue
		}
		break
	}
	return nil, fmt.Errorf("address of %s in %s: %w", host, where, err)
}

// outside is the domain that names are looked up in.
type outside struct {
	s *Session
	domain.Domain
}

// file is the resolver file of that name for the domain.
func (o *outside) file(name string) string {
	for _, d := range []domain.Domain{o.Domain, {Netns: o.Netns}} { // a VRF's own come first
		if path := d.Etc() + "/" + name; !d.IsDefault() && exists(path) {
			return path
		}
	}
	return "/etc/" + name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lookup asks the hosts file, then the domain's resolvers, one after the other until one has
// an answer; IPv4 is preferred, as wg(8) takes what getaddrinfo gives first.
func (o *outside) lookup(ctx context.Context, host string) (netip.Addr, error) {
	if a, ok := inHosts(o.file("hosts"), host); ok {
		return a, nil
	}
	servers := nameservers(o.file("resolv.conf"))
	if len(servers) == 0 {
		servers = []string{"127.0.0.1"}
	}
	var list []netip.Addr
	for i, server := range servers {
		var err error
		if list, err = o.ask(ctx, server, len(servers)-i, host); err == nil {
			break
		}
		var dns *net.DNSError
		if i == len(servers)-1 || errors.As(err, &dns) && dns.IsNotFound {
			return netip.Addr{}, err
		}
	}
	slices.SortStableFunc(list, func(a, b netip.Addr) int { return a.Unmap().BitLen() - b.Unmap().BitLen() })
	return list[0].Unmap(), nil
}

// ask asks one of the servers that are left for a name: as long as resolv.conf(5) says, 5 s, or
// its part of the time that is left.
func (o *outside) ask(ctx context.Context, server string, left int, host string) ([]netip.Addr, error) {
	long := 5 * time.Second
	if end, ok := ctx.Deadline(); ok {
		long = min(long, time.Until(end)/time.Duration(left))
	}
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	// The server that the library names is that of /etc/resolv.conf.
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) { return o.dial(ctx, network, server) }}
	// A name with a dot at its end is not searched for, nor in /etc/hosts.
	return r.LookupNetIP(ctx, "ip", strings.TrimSuffix(host, ".")+".")
}

// dial opens a socket to a server, in the domain.
func (o *outside) dial(ctx context.Context, network, server string) (c net.Conn, err error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		if o.VRF.IsZero() {
			return nil
		}
		var bind error
		err := raw.Control(func(fd uintptr) { bind = unix.BindToDevice(int(fd), o.VRF.String()) })
		return errors.Join(err, bind)
	}}
	err = o.s.inside(o.Netns, func() error {
		// An address of digits is dialled by the calling thread.
		c, err = d.DialContext(ctx, network, net.JoinHostPort(server, "53"))
		return err
	})
	return c, err
}

func nameservers(path string) (list []string) {
	eachLine(path, func(words []string) {
		if words[0] == "nameserver" && len(words) > 1 {
			if _, err := netip.ParseAddr(words[1]); err == nil {
				list = append(list, words[1])
			}
		}
	})
	return list
}

func inHosts(path, host string) (found netip.Addr, ok bool) {
	eachLine(path, func(words []string) {
		a, err := netip.ParseAddr(words[0])
		if err == nil && !ok && slices.ContainsFunc(words[1:], func(w string) bool { return strings.EqualFold(w, strings.TrimSuffix(host, ".")) }) {
			found, ok = a, true
		}
	})
	return found, ok
}

func eachLine(path string, f func(words []string)) {
	text, _ := conf.ReadRegular(path) // one that cannot be read has no line
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			f(words)
		}
	}
}

func prefixes(list []net.IPNet) (all []netip.Prefix) {
	for _, n := range list {
		a, ok := netip.AddrFromSlice(n.IP)
		bits, _ := n.Mask.Size()
		if ok {
			all = append(all, netip.PrefixFrom(a.Unmap(), bits))
		}
	}
	return all
}
