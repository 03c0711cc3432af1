package dhcp

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

const (
	clientPort = 68
	serverPort = 67
)

var (
	// ErrNoAnswer says that no server answered in time.
	ErrNoAnswer = errors.New("no DHCP server answers")
	// ErrRefused says that a server does not give, or no longer gives, the address.
	ErrRefused = errors.New("the DHCP server refuses the address")
)

// Client asks on one link.
type Client struct {
	link  string
	index int
	mac   net.HardwareAddr
	fd    int
}

// Open opens a Client in the network namespace of the calling thread. It may be used by
// any.
func Open(link string, index int, mac net.HardwareAddr) (*Client, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	c := &Client{link, index, mac, fd}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swap(unix.ETH_P_IP), Ifindex: index})
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("packet socket on %s: %w", link, err)
	}
	return c, nil
}

// Close closes the socket.
func (c *Client) Close() { unix.Close(c.fd) }

// filter lets whole UDP packets to clientPort through, from their IPv4 header on.
var filter = [...]unix.SockFilter{
	{Code: 0x30, K: 9},                    // ldb the protocol
	{Code: 0x15, Jf: 6, K: 17},            // is it UDP
	{Code: 0x28, K: 6},                    // ldh flags and offset
	{Code: 0x45, Jt: 4, K: 0x3fff},        // is it a fragment
	{Code: 0xb1, K: 0},                    // ldxb the length of the header
	{Code: 0x48, K: 2},                    // ldh the port
	{Code: 0x15, Jf: 1, K: clientPort},    // is it ours
	{Code: 0x06, K: 0xffff}, {Code: 0x06}, // ret
}

func swap(n uint16) uint16 { return n<<8 | n>>8 }

// wanted are the options that a server is asked for.
var wanted = dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionRouter,
	dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName, dhcpv4.OptionDNSDomainSearchList, dhcpv4.OptionRenewTimeValue)

// Acquire asks for a lease until a server gives one or the time is over.
func (c *Client) Acquire(until time.Time) (*object.Lease, error) {
	for {
		m, err := c.message(dhcpv4.MessageTypeDiscover, dhcpv4.WithBroadcast(true))
		if err != nil {
			return nil, err
		}
		offer, err := c.ask(m, until, dhcpv4.MessageTypeOffer)
		if err != nil {
			return nil, err
		}
		if m, err = c.message(dhcpv4.MessageTypeRequest, dhcpv4.WithBroadcast(true), dhcpv4.WithTransactionID(offer.TransactionID),
			dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(offer.YourIPAddr)), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(offer.ServerIdentifier()))); err != nil {
			return nil, err
		}
		ack, err := c.ask(m, earlier(until, time.Now().Add(10*time.Second)), dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak)
		if err == nil && ack.MessageType() == dhcpv4.MessageTypeAck {
			return lease(c.link, ack, Uptime())
		}
		if err != nil && !errors.Is(err, ErrNoAnswer) {
			return nil, err
		}
		if !time.Now().Before(until) {
			return nil, fmt.Errorf("%w on %s", ErrNoAnswer, c.link)
		}
	}
}

// Renew asks for the same lease again, any server that knows it. It is broadcast, as in
// the last part of a lease's time (RFC 2131, 4.3.2), because the packet socket has no
// neighbours.
func (c *Client) Renew(l object.Lease, until time.Time) (*object.Lease, error) {
	m, err := c.message(dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(l.Address.Addr().AsSlice()))
	if err != nil {
		return nil, err
	}
	return c.again(m, until)
}

// patient is how long an answer to what is asked of a lease is waited for, before any is
// asked for.
const patient = 4 * time.Second

// Confirm asks whether a lease still holds, on what may be another network (RFC 2131, 3.2).
// There a server may refuse it, where it passes over a client that renews; and where none
// says anything, another lease is asked for.
func (c *Client) Confirm(l object.Lease, until time.Time) (*object.Lease, error) {
	m, err := c.message(dhcpv4.MessageTypeRequest, dhcpv4.WithBroadcast(true), dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(l.Address.Addr().AsSlice())))
	if err != nil {
		return nil, err
	}
	got, err := c.again(m, earlier(until, time.Now().Add(patient)))
	if errors.Is(err, ErrNoAnswer) {
		return c.Acquire(until)
	}
	return got, err
}

// again asks for a lease that there is.
func (c *Client) again(m *dhcpv4.DHCPv4, until time.Time) (*object.Lease, error) {
	ack, err := c.ask(m, until, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak)
	if err != nil {
		return nil, err
	}
	if ack.MessageType() == dhcpv4.MessageTypeNak {
		return nil, ErrRefused
	}
	return lease(c.link, ack, Uptime())
}

// Release gives a lease back. Nobody answers.
func (c *Client) Release(l object.Lease) error {
	m, err := c.message(dhcpv4.MessageTypeRelease, dhcpv4.WithClientIP(l.Address.Addr().AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(l.Server.AsSlice())))
	if err != nil {
		return err
	}
	return c.send(m, l.Address.Addr(), l.Server)
}

func (c *Client) message(kind dhcpv4.MessageType, more ...dhcpv4.Modifier) (*dhcpv4.DHCPv4, error) {
	return dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(c.mac), dhcpv4.WithMessageType(kind), wanted}, more...)...)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// ask sends a message, again and again, until there is an answer of one of the kinds.
func (c *Client) ask(m *dhcpv4.DHCPv4, until time.Time, kinds ...dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	source := netip.IPv4Unspecified()
	if a, ok := netip.AddrFromSlice(m.ClientIPAddr.To4()); ok {
		source = a
	}
	for pause := time.Second; ; pause = min(2*pause, 16*time.Second) {
		err := c.send(m, source, netip.AddrFrom4([4]byte{255, 255, 255, 255}))
		if err != nil && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENOBUFS) {
			return nil, err
		}
		var some [1]byte
		_, _ = rand.Read(some[:]) // so that hosts that start at once do not ask at once
		next := time.Now().Add(pause + time.Duration(some[0])*time.Millisecond)
		answer, err := c.receive(m, earlier(next, until), kinds)
		if answer != nil || err != nil {
			return answer, err
		}
		if !time.Now().Before(until) {
			return nil, fmt.Errorf("%w on %s", ErrNoAnswer, c.link)
		}
	}
}

// next waits for the next packet of a socket, which it puts into buf; it is nil if there is none
// in time.
func next(fd int, buf []byte, until time.Time) ([]byte, error) {
	for {
		left := time.Until(until)
		if left <= 0 {
			return nil, nil
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
		if err != nil && err != unix.EINTR {
			return nil, fmt.Errorf("poll: %w", err)
		}
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch err {
		case nil:
			return buf[:n], nil
		case unix.EAGAIN, unix.EINTR, unix.ENETDOWN:
			continue
		}
		return nil, fmt.Errorf("receive: %w", err)
	}
}

// receive waits for an answer to m; it is nil if there is none in time.
func (c *Client) receive(m *dhcpv4.DHCPv4, until time.Time, kinds []dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	buf := make([]byte, 64<<10)
	for {
		data, err := next(c.fd, buf, until)
		if data == nil || err != nil {
			return nil, err
		}
		answer := parse(payload(data))
		if answer != nil && answers(answer, m) && slices.Contains(kinds, answer.MessageType()) {
			return answer, nil
		}
	}
}

// answers reports whether a message is an answer of a server to m, and to no other question
// and nobody else's: all on the link hear a broadcast.
func answers(answer, m *dhcpv4.DHCPv4) bool {
	return answer.OpCode == dhcpv4.OpcodeBootReply && answer.TransactionID == m.TransactionID && bytes.Equal(answer.ClientHWAddr, m.ClientHWAddr)
}

// parse reads a message that anybody may have sent; nil if it is none.
func parse(b []byte) (m *dhcpv4.DHCPv4) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	m, err := dhcpv4.FromBytes(b)
	if err != nil {
		return nil
	}
	return m
}

// payload returns what is in a UDP packet, from its IPv4 header on.
func payload(b []byte) []byte {
	if len(b) < 20 {
		return nil
	}
	head, all := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if b[0]>>4 != 4 || head < 20 || all > len(b) || all < head+8 {
		return nil
	}
	size := int(binary.BigEndian.Uint16(b[head+4:]))
	if size < 8 || head+size > all {
		return nil
	}
	return b[head+8 : head+size]
}

func (c *Client) send(m *dhcpv4.DHCPv4, from, to netip.Addr) error {
	all := &unix.SockaddrLinklayer{Protocol: swap(unix.ETH_P_IP), Ifindex: c.index, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255}}
	if err := unix.Sendto(c.fd, packet(m.ToBytes(), from, to), 0, all); err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	return nil
}

// packet puts the headers of UDP and IPv4 before a message.
func packet(data []byte, from, to netip.Addr) []byte {
	const ip, udp = 20, 8
	b := make([]byte, ip+udp, ip+udp+len(data))
	b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(b[2:], uint16(ip+udp+len(data)))
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	binary.BigEndian.PutUint16(b[10:], sum(b[:ip], 0))
	binary.BigEndian.PutUint16(b[ip:], clientPort)
	binary.BigEndian.PutUint16(b[ip+2:], serverPort)
	binary.BigEndian.PutUint16(b[ip+4:], uint16(udp+len(data)))
	b = append(b, data...)
	check := sum(b[12:], unix.IPPROTO_UDP+uint32(udp+len(data))) // with the pseudo header
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(b[ip+6:], check)
	return b
}

// sum is the checksum of the internet protocols (RFC 1071).
func sum(b []byte, s uint32) uint16 {
	for i, c := range b {
		s += uint32(c) << (8 * (1 - i&1))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
