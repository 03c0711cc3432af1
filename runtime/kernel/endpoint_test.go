package kernel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/test/sandbox"
)

// serveDNS answers every question of type A with one address, and says that
// other types have no answer, on port 53 of 127.0.0.1 of the calling thread's
// namespace.
func serveDNS(t *testing.T, answer netip.Addr) func() error {
	return func() error {
		conn, err := net.ListenPacket("udp", "127.0.0.1:53")
		if err != nil {
			return err
		}
		t.Cleanup(func() { conn.Close() })
		go func() {
			buffer := make([]byte, 512)
			for {
				n, from, err := conn.ReadFrom(buffer)
				if err != nil {
					return
				}
				end := 12 // the header; the name's labels follow
				for end < n && buffer[end] != 0 {
					end += int(buffer[end]) + 1
				}
				end += 5 // the closing 0, type and class
				reply := append([]byte(nil), buffer[:end]...)
				reply[2], reply[3] = 0x85, 0x80 // an authoritative answer
				copy(reply[6:12], make([]byte, 6))
				if binary.BigEndian.Uint16(buffer[end-4:]) == 1 {
					reply[7] = 1
					reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
					reply = append(reply, answer.AsSlice()...)
				}
				_, _ = conn.WriteTo(reply, from)
			}
		}()
		return nil
	}
}

// The name of an endpoint is looked up in the domain that the packets travel in,
// with that domain's files, wherever else it has another address.
func TestEndpointIsLookedUpOutside(t *testing.T) {
	s := session(t)
	sandbox.Sh(t, `ip netns add outer; ip -n outer link set lo up; mkdir -p /etc/netns/outer
		echo nameserver 127.0.0.1 >/etc/resolv.conf; echo nameserver 127.0.0.1 >/etc/netns/outer/resolv.conf
		echo '192.0.2.9 Here' >/etc/hosts; echo '192.0.2.8 there # x' >/etc/netns/outer/hosts`)
	defer sandbox.Sh(t, `ip netns delete outer; rm -r /etc/netns/outer /etc/resolv.conf /etc/hosts`)
	name, err := domain.ParseNetns("outer")
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if err := serveDNS(t, netip.MustParseAddr("192.0.2.1"))(); err != nil {
		t.Fatal(err)
	}
	if err := ns.Inside(serveDNS(t, netip.MustParseAddr("192.0.2.2"))); err != nil {
		t.Fatal(err)
	}
	s.Inputs.Outers = map[domain.ID]plan.Outer{{}: {}, name.ID(): {Domain: domain.Domain{Netns: name}}}
	none, outer := domain.ID{}, name.ID()
	for _, c := range []struct {
		endpoint string
		outer    domain.ID
		want     string
	}{
		{"vpn.example.org:51820", none, "192.0.2.1:51820"}, {"vpn.example.org:51820", outer, "192.0.2.2:51820"},
		{"here:1", none, "192.0.2.9:1"}, {"here:1", outer, "192.0.2.2:1"},
		{"there.:1", outer, "192.0.2.8:1"}, {"[2001:db8::1]:1", outer, "[2001:db8::1]:1"},
	} {
		got, err := s.endpoint(object.WireGuardPeer{Endpoint: c.endpoint, Outer: c.outer})
		if err != nil || got.String() != c.want {
			t.Errorf("%s in %q = %v, %v; want %s", c.endpoint, c.outer, got, err, c.want)
		}
	}
	silent, err := net.ListenPacket("udp", "127.0.0.8:53")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, first := range []string{"127.0.0.9", "127.0.0.8"} { // refuses, and never answers
		if err := os.WriteFile("/etc/resolv.conf", []byte("nameserver "+first+"\nnameserver 127.0.0.1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := s.endpoint(object.WireGuardPeer{Endpoint: "vpn.example.org:51820"})
		if err != nil || got.String() != "192.0.2.1:51820" {
			t.Errorf("the second resolver is not asked after %s: %v, %v", first, got, err)
		}
	}
	if err := os.WriteFile("/etc/netns/outer/resolv.conf", []byte("nameserver 127.0.0.9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.endpoint(object.WireGuardPeer{Endpoint: "vpn.example.org:51820", Outer: outer})
	if err == nil || !strings.HasPrefix(err.Error(), "address of vpn.example.org in netns outer: ") {
		t.Errorf("without a resolver outside the address is found otherwise: %v", err)
	}
}
