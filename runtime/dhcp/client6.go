package dhcp

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

const (
	clientPort6 = 546
	serverPort6 = 547
)

// servers6 is the group of all servers and relays of a link (RFC 8415, 7.1).
var servers6 = [16]byte{0: 0xff, 1: 0x02, 13: 1, 15: 2}

// Client6 asks on one link for an address by DHCPv6 (RFC 8415). Routes come by router
// advertisements, which are the kernel's work.
type Client6 struct {
	link  string
	index int
	duid  dhcpv6.DUID
	iaid  [4]byte
	fd    int
}

// Open6 opens a Client6 in the network namespace of the calling thread. It may be used by
// any.
func Open6(link string, index int, mac net.HardwareAddr) (*Client6, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &Client6{link: link, index: index, fd: fd, duid: &dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: mac}}
	copy(c.iaid[:], mac[2:])
	err = unix.BindToDevice(fd, link)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet6{Port: clientPort6})
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("UDP port %d on %s: %w", clientPort6, link, err)
	}
	return c, nil
}

// Close closes the socket.
func (c *Client6) Close() { unix.Close(c.fd) }

// wanted6 are the options that a server is asked for.
var wanted6 = dhcpv6.WithRequestedOptions(dhcpv6.OptionDNSRecursiveNameServer, dhcpv6.OptionDomainSearchList)

// Acquire asks for a lease until a server gives one or the time is over.
func (c *Client6) Acquire(until time.Time) (*object.Lease, error) {
	for {
		offer, err := c.ask(dhcpv6.MessageTypeSolicit, until, dhcpv6.MessageTypeAdvertise, func(m *dhcpv6.Message) bool { return hasAddress(m) && m.Options.ServerID() != nil },
			dhcpv6.WithIAID(c.iaid))
		if err != nil {
			return nil, err
		}
		reply, err := c.ask(dhcpv6.MessageTypeRequest, earlier(until, time.Now().Add(10*time.Second)), dhcpv6.MessageTypeReply, anything,
			dhcpv6.WithServerID(offer.Options.ServerID()), withIA(c.iaid, offer.Options.OneIANA().Options.OneAddress().IPv6Addr))
		if err == nil && hasAddress(reply) {
			return lease6(c.link, reply, Uptime())
		}
		if err != nil && !errors.Is(err, ErrNoAnswer) {
			return nil, err
		}
		if !time.Now().Before(until) {
			return nil, fmt.Errorf("%w on %s by IPv6", ErrNoAnswer, c.link)
		}
	}
}

// Renew asks for the same lease again, any server that knows it: it is a Rebind, which needs
// no server's name.
func (c *Client6) Renew(l object.Lease, until time.Time) (*object.Lease, error) {
	reply, err := c.ask(dhcpv6.MessageTypeRebind, until, dhcpv6.MessageTypeReply, anything, withIA(c.iaid, l.Address.Addr().AsSlice()))
	if err != nil {
		return nil, err
	}
	if !hasAddress(reply) {
		return nil, ErrRefused
	}
	return lease6(c.link, reply, Uptime())
}

// Confirm asks for the same lease again on what may be another network, and for another
// where no server knows it.
func (c *Client6) Confirm(l object.Lease, until time.Time) (*object.Lease, error) {
	got, err := c.Renew(l, earlier(until, time.Now().Add(patient)))
	if errors.Is(err, ErrNoAnswer) {
		return c.Acquire(until)
	}
	return got, err
}

// Release gives a lease back. The answer is not waited for.
func (c *Client6) Release(l object.Lease) error { return c.tell(dhcpv6.MessageTypeRelease, l) }

// Decline says that the address of a lease is another host's already (RFC 8415, 18.2.8), so
// that the server gives another. The answer is not waited for.
func (c *Client6) Decline(l object.Lease) error { return c.tell(dhcpv6.MessageTypeDecline, l) }

// tell says something of a lease to its server.
func (c *Client6) tell(kind dhcpv6.MessageType, l object.Lease) error {
	raw, err := hex.DecodeString(l.ServerID)
	if err != nil {
		return err
	}
	server, err := dhcpv6.DUIDFromBytes(raw)
	if err != nil {
		return err
	}
	m, err := c.message(kind, dhcpv6.WithServerID(server), withIA(c.iaid, l.Address.Addr().AsSlice()))
	if err != nil {
		return err
	}
	return c.send(m)
}

func (c *Client6) message(kind dhcpv6.MessageType, more ...dhcpv6.Modifier) (*dhcpv6.Message, error) {
	d, err := dhcpv6.NewMessage(append([]dhcpv6.Modifier{dhcpv6.WithClientID(c.duid), wanted6}, more...)...)
	if err != nil {
		return nil, err
	}
	d.MessageType = kind
	return d, nil
}

// withIA names the address that is asked for.
func withIA(iaid [4]byte, a net.IP) dhcpv6.Modifier {
	return func(d dhcpv6.DHCPv6) {
		d.UpdateOption(&dhcpv6.OptIANA{IaId: iaid, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{&dhcpv6.OptIAAddress{IPv6Addr: a}}}})
	}
}

// anything takes each answer.
func anything(*dhcpv6.Message) bool { return true }

// ask sends a message, again and again, until there is an answer of the kind that will do.
func (c *Client6) ask(kind dhcpv6.MessageType, until time.Time, want dhcpv6.MessageType, will func(*dhcpv6.Message) bool, more ...dhcpv6.Modifier) (*dhcpv6.Message, error) {
	start := time.Now()
	m, err := c.message(kind, more...)
	if err != nil {
		return nil, err
	}
	for pause := time.Second; ; pause = min(2*pause, 16*time.Second) {
		m.UpdateOption(dhcpv6.OptElapsedTime(time.Since(start)))
		err := c.send(m)
		// A link that just came up has no address to send from until it knows that it is its own.
		early := errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENETUNREACH)
		if err != nil && !early && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENOBUFS) {
			return nil, err
		}
		var some [1]byte
		_, _ = rand.Read(some[:]) // so that hosts that start at once do not ask at once
		next := time.Now().Add(pause + time.Duration(some[0])*time.Millisecond)
		if early {
			next, pause = time.Now().Add(200*time.Millisecond), time.Second/2
		}
		answer, err := c.receive(m, earlier(next, until), want, will)
		if answer != nil || err != nil {
			return answer, err
		}
		if !time.Now().Before(until) {
			return nil, fmt.Errorf("%w on %s by IPv6", ErrNoAnswer, c.link)
		}
	}
}

// receive waits for an answer to m; it is nil if there is none in time.
func (c *Client6) receive(m *dhcpv6.Message, until time.Time, want dhcpv6.MessageType, will func(*dhcpv6.Message) bool) (*dhcpv6.Message, error) {
	buf := make([]byte, 64<<10)
	for {
		data, err := next(c.fd, buf, until)
		if data == nil || err != nil {
			return nil, err
		}
		answer := parse6(data)
		if answer != nil && answer.MessageType == want && c.answers(answer, m) && will(answer) {
			return answer, nil
		}
	}
}

// answers reports whether a message is an answer to m, and to no other question and nobody else's.
func (c *Client6) answers(answer, m *dhcpv6.Message) bool {
	id := answer.Options.ClientID()
	return answer.TransactionID == m.TransactionID && id != nil && bytes.Equal(id.ToBytes(), c.duid.ToBytes())
}

// parse6 reads a message that anybody may have sent; nil if it is none.
func parse6(b []byte) (m *dhcpv6.Message) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	m, err := dhcpv6.MessageFromBytes(b)
	if err != nil {
		return nil
	}
	return m
}

func (c *Client6) send(m *dhcpv6.Message) error {
	to := &unix.SockaddrInet6{Port: serverPort6, ZoneId: uint32(c.index), Addr: servers6}
	if err := unix.Sendto(c.fd, m.ToBytes(), 0, to); err != nil {
		return fmt.Errorf("UDP port %d: %w", clientPort6, err)
	}
	return nil
}

// hasAddress reports whether a server gives an address.
func hasAddress(m *dhcpv6.Message) bool {
	ia := m.Options.OneIANA()
	return ia != nil && isGood(m.Options.Status()) && isGood(ia.Options.Status()) && ia.Options.OneAddress() != nil && ia.Options.OneAddress().ValidLifetime > 0
}

func isGood(s *dhcpv6.OptStatusCode) bool { return s == nil || s.StatusCode == iana.StatusSuccess }

// lease6 returns what a reply says, or what is wrong with it.
func lease6(link string, m *dhcpv6.Message, now int64) (*object.Lease, error) {
	ia := m.Options.OneIANA()
	given := ia.Options.OneAddress()
	a, ok := netip.AddrFromSlice(given.IPv6Addr)
	if !ok || !isHost6(a) {
		return nil, fmt.Errorf("a DHCP server gives the address %v, which is none of a host", given.IPv6Addr)
	}
	l := &object.Lease{Link: link, Address: netip.PrefixFrom(a, 128), DNS: servers(m.Options.DNS()), Search: names(searchList(m))}
	if id := m.Options.ServerID(); id != nil {
		l.ServerID = hex.EncodeToString(id.ToBytes())
	}
	seconds := int64(given.ValidLifetime / time.Second)
	switch renew := int64(ia.T1 / time.Second); {
	case seconds >= forever:
		l.Renew = now + forever
	case renew > 0 && renew < seconds:
		l.Renew, l.End = now+max(renew, shortest), now+seconds
	default:
		l.Renew, l.End = now+max(seconds/2, shortest), now+seconds
	}
	return l, nil
}

func searchList(m *dhcpv6.Message) []string {
	if list := m.Options.DomainSearchList(); list != nil {
		return list.Labels
	}
	return nil
}

// isHost6 reports whether an address can be one of a host on a link.
func isHost6(a netip.Addr) bool {
	return a.Is6() && !a.Is4In6() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && !a.IsLinkLocalUnicast()
}
