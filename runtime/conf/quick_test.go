package conf

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/problem"
	"rdgen/runtime/object"
)

const (
	private = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
	public  = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
	other   = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
	config  = "/etc/wireguard/x.conf"
)

// provided parses a domain's file, and lets texts be what its ConfigFile= lead to.
func provided(t *testing.T, text string, texts ...string) (*File, map[object.Secret]Key, error) {
	t.Helper()
	f, err := parse(t, "vpn", text)
	if err != nil {
		t.Fatal(err)
	}
	was := f.String()
	full, keys, err := f.provided(func(Link) ([]byte, error) {
		data := texts[0]
		texts = texts[1:]
		return []byte(data), nil
	})
	if f.String() != was {
		t.Errorf("the file was changed:\n%s", f)
	}
	return full, keys, err
}

// What a file of wg-quick says is what the sections of a domain's file would.
func TestProvided(t *testing.T) {
	const link = "[Link wg0]\nKind=wireguard\nConfigFile=" + config + "\n"
	mullvad := "# a comment\r\n[Interface]\r\nPrivateKey = " + private + "  # behind a value\r\nAddress = 10.64.1.2/32,fc00:bbbb::1:2/128\r\n" +
		"DNS = 10.64.0.1, example.org\r\n\r\n[Peer]\r\nPublicKey = " + public + "\r\nPresharedKey = " + other + "\r\n" +
		"AllowedIPs = 0.0.0.0/0,::0/0\r\nEndpoint = vpn.example.org:51820\r\n"
	const peer = "[WireGuardPeer wg0]\nPublicKey=" + public + "\n"
	for _, c := range []struct{ name, domain, text, want string }{
		{"a provider's", link, mullvad, "[Domain]\nDNS=10.64.0.1\nDomains=example.org\n[Link wg0]\nKind=wireguard\nPrivateKeyFile=/k3\n" +
			"Address=10.64.1.2/32\nAddress=fc00:bbbb::1:2/128\n" + peer + "PresharedKeyFile=/k9\nAllowedIPs=0.0.0.0/0,::/0\nEndpoint=vpn.example.org:51820\n" +
			"[Route]\nDestination=0.0.0.0/0\nDevice=wg0\n[Route]\nDestination=::/0\nDevice=wg0\n"},
		{"the domain's own comes first", "[Domain]\nDNS=10.0.0.53\n" + link + "MTUBytes=1300\nAddress=10.64.1.2/32\nAddress=10.9.0.1/24\n" +
			"[Route]\nDestination=default\nDevice=wg0\nPreferredSource=10.9.0.1\n", strings.Replace(mullvad, "DNS", "MTU = 1400\nDNS", 1),
			"[Domain]\nDNS=10.0.0.53\n[Link wg0]\nKind=wireguard\nPrivateKeyFile=/k3\nMTUBytes=1300\nAddress=10.64.1.2/32\nAddress=10.9.0.1/24\n" +
				"Address=fc00:bbbb::1:2/128\n" + peer + "PresharedKeyFile=/k10\nAllowedIPs=0.0.0.0/0,::/0\nEndpoint=vpn.example.org:51820\n" +
				"[Route]\nDestination=default\nDevice=wg0\nPreferredSource=10.9.0.1\n[Route]\nDestination=::/0\nDevice=wg0\n"},
		{"all keys, in any case", link, "[interface]\nprivatekey=" + private + "\nlistenport=51820\nfwmark=0xca6c\nmtu=1380\nADDRESS=10.5.0.1/24\n" +
			"Address=10.6.0.1\nTable=auto\nsaveconfig=false\n[PEER]\npersistentkeepalive=25\npublickey=" + public + "\nallowedips=10.5.0.0/24, 10.5.0.9,10.6.0.1/8\n" +
			"AllowedIPs=\nendpoint=[2001:db8::1]:1\n[Peer]\nPublicKey=" + other + "\nAllowedIPs=192.0.2.7\nPersistentKeepalive=off\n",
			"[Link wg0]\nKind=wireguard\nPrivateKeyFile=/k2\nListenPort=51820\nFirewallMark=51820\nMTUBytes=1380\nAddress=10.5.0.1/24\nAddress=10.6.0.1/32\n" +
				peer + "PersistentKeepalive=25\nAllowedIPs=10.5.0.0/24,10.5.0.9/32,10.0.0.0/8\nEndpoint=[2001:db8::1]:1\n" +
				"[WireGuardPeer wg0]\nPublicKey=" + other + "\nAllowedIPs=192.0.2.7/32\n" +
				"[Route]\nDestination=10.0.0.0/8\nDevice=wg0\n[Route]\nDestination=192.0.2.7/32\nDevice=wg0\n"},
		{"no routes", link, "[Interface]\nPrivateKey=" + private + "\nFwMark=off\nTable=off\n[Peer]\nPublicKey=" + public + "\nAllowedIPs=0.0.0.0/0\n",
			"[Link wg0]\nKind=wireguard\nPrivateKeyFile=/k2\n" + peer + "AllowedIPs=0.0.0.0/0\n"},
		{"a vrf", "[Domain]\nKind=vrf\nTable=7\n" + link, "[Interface]\nPrivateKey=" + private + "\n[Peer]\nPublicKey=" + public + "\nAllowedIPs=0.0.0.0/0\n",
			"[Domain]\nKind=vrf\nTable=7\n[Link wg0]\nKind=wireguard\nPrivateKeyFile=/k2\n" + peer + "AllowedIPs=0.0.0.0/0\n[Route]\nDestination=default\nDevice=wg0\n"},
	} {
		got, keys, err := provided(t, c.domain, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want, err := parse(t, "vpn", c.want)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want.Links { // a key in a line has no path that a domain's file could have
			l := &want.Links[i]
			l.ConfigFile = config
			l.KeyFile = object.Secret(strings.Replace(string(l.KeyFile), "/k", config+"#", 1))
			for j := range l.Peers {
				l.Peers[j].PresharedKeyFile = object.Secret(strings.Replace(string(l.Peers[j].PresharedKeyFile), "/k", config+"#", 1))
			}
		}
		want.Devices = got.Devices // are looked at before
		if diff := cmp.Diff(want, got, ignoreLines...); diff != "" {
			t.Errorf("%s (-want +got): %s", c.name, diff)
		}
		for _, l := range got.Links {
			if key := keys[l.KeyFile]; key[0] != 0xc8 || l.LineOf("PrivateKeyFile") != l.LineOf("ConfigFile") {
				t.Errorf("%s: the key at %s, of line %d, begins with %x", c.name, l.KeyFile, l.LineOf("PrivateKeyFile"), key[0])
			}
		}
	}
}

// Two links cannot both have the route to a network.
func TestProvidedTwice(t *testing.T) {
	text := "[Interface]\nPrivateKey=" + private + "\n[Peer]\nPublicKey=" + public + "\nAllowedIPs=0.0.0.0/0\n"
	two := "[Link a]\nKind=wireguard\nConfigFile=/a\n[Link b]\nKind=wireguard\nConfigFile=/b\n"
	_, _, err := provided(t, two, text, text)
	want := "/etc/rdomain/vpn.conf:6: AllowedIPs=0.0.0.0/0 of /b is routed to another link already (/etc/rdomain/vpn.conf:3)"
	if err == nil || err.Error() != want {
		t.Errorf("Provided = %v; want %s", err, want)
	}
	if _, _, err := provided(t, two, text, strings.Replace(text, "[Peer]", "Table=off\n[Peer]", 1)); err != nil {
		t.Errorf("with Table=off: %v", err)
	}
}

// Every key has a wrong value, and what is unknown or a command is an error with the
// line; no message has a key.
func TestProvidedWrong(t *testing.T) {
	const head = "[Interface]\nPrivateKey=" + private + "\n"
	const peer = head + "[Peer]\nPublicKey=" + public + "\n"
	tested := map[string]bool{}
	for _, c := range []struct{ text, want string }{
		{"", ": has no PrivateKey= in a section [Interface]"},
		{"[Interface]\nAddress=10.0.0.1\n", ": has no PrivateKey= in a section [Interface]"},
		{"[Interface]\nPrivateKey=" + private[1:] + "\n", ":2: PrivateKey= is not a key: expected 44 characters of base64, as wg genkey prints them"},
		{head + "PrivateKey=" + private + "\n", ":3: PrivateKey= stands twice in this section, first in line 2"},
		{head + "ListenPort=http\n", ":3: ListenPort=http: expected a number from 0 to 65535"},
		{head + "FwMark=0x1ffffffff\n", ":3: FwMark=0x1ffffffff: expected off, or a number such as 51820 or 0xca6c"},
		{head + "MTU=9\n", ":3: MTU=9: expected a number from 68 to 65535"},
		{head + "Address=10.0.0.1/33\n", ":3: Address=10.0.0.1/33: expected ADDRESS/LENGTH, such as 10.0.0.2/24 or 2001:db8::2/64"},
		{head + "Address=10.0.0.1, 10.0.0.1\n", ":3: Address=10.0.0.1/32 stands twice, first in line 3"},
		{head + "DNS=10.0.0.256\n", ":3: DNS=10.0.0.256: expected addresses, such as 10.0.0.53, and names of domains to search"},
		{head + "DNS=a,b,c,d,e,f,g\n", ":3: DNS=: expected at most 6 domains to search with 255 characters, which is what resolvers take"},
		{head + "Table=51820\n", ":3: Table=51820: expected auto (a route for each of AllowedIPs) or off\nwrite Table = off, and"},
		{head + "SaveConfig=true\n", ":3: SaveConfig=true: rdomain writes to no file of others\ntake the line out; wg showconf"},
		{head + "PreUp=a\n", ":3: PreUp= is a command, which rdomain does not run\n" + instead},
		{head + "postup=a=b # c\n", ":3: PostUp= is a command, which rdomain does not run\n" + instead},
		{head + "PreDown=a\n", ":3: PreDown= is a command, which rdomain does not run\n" + instead},
		{head + "PostDown=a\n", ":3: PostDown= is a command, which rdomain does not run\n" + instead},
		{head + "Jc=4\n", ":3: unknown key Jc=; expected one of Address, DNS, FwMark, ListenPort, MTU, "},
		{head + "MTU=\n", ":3: MTU= has no value"},
		{head + "[Interface]\n", ":3: section [Interface] stands twice"},
		{head + "[WireGuardPeer a]\n", ":3: unknown section [WireGuardPeer a]; expected [Interface] or [Peer]"},
		{head + private + "\n", ":3: expected KEY = VALUE, or [Interface] or [Peer]"},
		{head + "= " + private + "\n", ":3: expected KEY = VALUE, or [Interface] or [Peer]"},
		{"PrivateKey=" + private + "\n[Interface]\n", ":1: PrivateKey= stands before the first section; expected [Interface] or [Peer]"},
		{head + "MTU=1\x00\n", `:3: line contains the control character '\x00'`},
		{head + "[Peer]\nAllowedIPs=10.0.0.0/8\n", ":3: a peer needs PublicKey=, 44 characters of base64"},
		{head + "[Peer]\nPublicKey=x\n", ":4: PublicKey=x: expected 44 characters of base64, as wg pubkey prints them"},
		{peer + "[Peer]\nPublicKey=" + public + "\n", ":6: PublicKey=" + public + " stands twice"},
		{peer + "PresharedKey=" + other[2:] + "\n", ":5: PresharedKey= is not a key: expected 44 characters of base64, as wg genkey prints them"},
		{peer + "Endpoint=vpn\n", ":5: Endpoint=vpn: expected HOST:PORT, such as vpn.example.org:51820 or [2001:db8::1]:51820"},
		{peer + "AllowedIPs=x\n", ":5: AllowedIPs=x: expected networks, such as 10.0.0.0/8, 2001:db8::/32"},
		{peer + "AllowedIPs=10.0.0.0/8\n[Peer]\nPublicKey=" + other + "\nAllowedIPs=10.1.1.1/8\n", ":8: AllowedIPs=10.0.0.0/8 is that of the peer in line 3; a network has one peer"},
		{peer + "PersistentKeepalive=65536\n", ":5: PersistentKeepalive=65536: expected a number from 0 to 65535"},
		{peer + "Address=10.0.0.1\n", ":5: unknown key Address=; expected one of AllowedIPs, Endpoint, PersistentKeepalive, PresharedKey, PublicKey"},
	} {
		_, _, err := provided(t, "[Link wg0]\nKind=wireguard\nConfigFile="+config+"\n", c.text)
		if err == nil {
			t.Errorf("Provided of %q: no error; want %s", c.text, c.want)
			continue
		}
		said := err.Error()
		if p, ok := errors.AsType[*problem.Error](err); ok && p.Hint != "" {
			said += "\n" + p.Hint
		}
		if !strings.HasPrefix(said, config+c.want) || strings.Contains(said, private[2:20]) || strings.Contains(said, other[2:20]) {
			t.Errorf("Provided of %q = %s\nwant %s", c.text, said, c.want)
		}
		for section, fields := range quickSections {
			for name := range fields {
				if strings.Contains(c.want, ": "+name+"=") {
					tested[section+name] = true
				}
			}
		}
	}
	for section, fields := range quickSections {
		for name := range fields {
			if !tested[section+name] {
				t.Errorf("%s= in section %s has no wrong value here", name, section)
			}
		}
	}
	_, _, err := provided(t, "[Domain]\nKind=vrf\nTable=7\n[Link wg0]\nKind=wireguard\nConfigFile="+config+"\n", head+"DNS=10.0.0.1\n")
	if want := config + ":3: DNS= of a vrf stands in the domain's own file, where rdgen sees it"; err == nil || err.Error() != want {
		t.Errorf("DNS= for a vrf = %v; want %s", err, want)
	}
}
