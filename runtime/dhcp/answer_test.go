package dhcp

import (
	"net"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
)

// TestAnswers: all on a link hear what a server broadcasts, and anybody there can send an answer.
// A client takes none but those to its own question.
func TestAnswers(t *testing.T) {
	mac, other := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	m := ack(t, "0.0.0.0", dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest))
	m.OpCode = dhcpv4.OpcodeBootRequest
	for name, c := range map[string]struct {
		change func(*dhcpv4.DHCPv4)
		want   bool
	}{
		"the answer":       {func(*dhcpv4.DHCPv4) {}, true},
		"another question": {func(a *dhcpv4.DHCPv4) { a.TransactionID[3]++ }, false},
		"another client":   {func(a *dhcpv4.DHCPv4) { a.ClientHWAddr = other }, false},
		"a question":       {func(a *dhcpv4.DHCPv4) { a.OpCode = dhcpv4.OpcodeBootRequest }, false},
	} {
		a := ack(t, "10.0.0.9", dhcpv4.WithHwAddr(mac), dhcpv4.WithTransactionID(m.TransactionID))
		a.OpCode = dhcpv4.OpcodeBootReply
		c.change(a)
		if got := answers(a, m); got != c.want {
			t.Errorf("IPv4, %s: %v", name, got)
		}
	}

	duid := func(mac net.HardwareAddr) dhcpv6.DUID {
		return &dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: mac}
	}
	c := &Client6{duid: duid(mac)}
	m6, err := dhcpv6.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	id := m6.TransactionID
	next := id
	next[2]++
	for name, a := range map[string]struct {
		id   dhcpv6.TransactionID
		to   dhcpv6.DUID
		want bool
	}{
		"the answer":       {id, duid(mac), true},
		"another question": {next, duid(mac), false},
		"another client":   {id, duid(other), false},
		"no client":        {id, nil, false},
	} {
		answer := &dhcpv6.Message{MessageType: dhcpv6.MessageTypeReply, TransactionID: a.id}
		if a.to != nil {
			answer.AddOption(dhcpv6.OptClientID(a.to))
		}
		if got := c.answers(answer, m6); got != a.want {
			t.Errorf("IPv6, %s: %v", name, got)
		}
	}
}
