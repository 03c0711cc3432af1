package dhcp

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"rdgen/runtime/object"
)

// advertise is an advertisement with options.
func advertise(options ...string) []byte {
	return []byte("\x86\x00\x00\x00\x40\x00\x07\x08\x00\x00\x00\x00\x00\x00\x00\x00" + strings.Join(options, ""))
}

func server(address string) string {
	b := netip.MustParseAddr(address).As16()
	return string(b[:])
}

// What a router says of resolvers is checked, and what is not sound is left out.
func TestAdvertised(t *testing.T) {
	const mtu = "\x05\x01\x00\x00\x00\x00\x05\xdc"
	resolvers := "\x19\x09\x00\x00\x00\x00\x00\x64" + server("2001:db8::53") + server("fe80::1") + server("::1") + server("ff02::1")
	search := "\x1f\x04\x00\x00\x00\x00\x00\x32" + "\x03lan\x07example\x00" + "\x03b d\x00\x00\x00\x00\x00\x00\x00"
	got := advertised("e0", advertise(mtu, resolvers, search), 1000)
	want := &object.Lease{Link: "e0", DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53"), netip.MustParseAddr("fe80::1%e0")}, Search: []string{"lan.example"}, Renew: 1025, End: 1050}
	if !reflect.DeepEqual(got, want) || got.Protocol() != object.Routers {
		t.Errorf("advertised = %+v\nwant %+v", got, want)
	}
	gone := "\x19\x03\x00\x00\x00\x00\x00\x00" + server("2001:db8::53")
	for name, c := range map[string]struct {
		b          []byte
		dns        int
		renew, end int64
	}{
		"none":       {advertise(), 0, 900, 1800},
		"taken back": {advertise(gone), 0, 900, 1800},
		"for ever":   {advertise("\x19\x03\x00\x00\xff\xff\xff\xff" + server("2001:db8::53")), 1, 1800, 0},
		"short":      {advertise("\x19\x03\x00\x00\x00\x00\x00\x01" + server("2001:db8::53")), 1, 5, 6},
	} {
		if got := advertised("e0", c.b, 0); got == nil || len(got.DNS) != c.dns || got.Renew != c.renew || got.End != c.end {
			t.Errorf("%s: advertised = %+v; want %d resolvers, %d to %d", name, got, c.dns, c.renew, c.end)
		}
	}
	for _, b := range [][]byte{nil, []byte("\x85\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), advertise("\x19\x00\x00\x00\x00\x00\x00\x00"), advertise("\x19\x03\x00\x00\x00\x00\x00\x64")} {
		if got := advertised("e0", b, 0); got != nil {
			t.Errorf("advertised(%q) = %+v", b, got)
		}
	}
}

func FuzzAdvertised(f *testing.F) {
	f.Add(advertise("\x19\x03\x00\x00\x00\x00\x00\x64"+server("fe80::1"), "\x1f\x02\x00\x00\x00\x00\x00\x32\x03lan\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := advertised("e0", b, 0)
		if l == nil {
			return
		}
		if len(l.DNS) > mostServers || len(strings.Join(l.Search, " ")) > longSearch || l.Renew <= 0 || l.End != 0 && l.End <= l.Renew {
			t.Errorf("%+v", l)
		}
		for _, name := range l.Search {
			if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("the name %q", name)
			}
		}
	})
}
