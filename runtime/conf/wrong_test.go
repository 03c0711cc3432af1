package conf

import (
	"strconv"
	"strings"
	"testing"
)

// Every key has a wrong value: the message has the file, the line, the key, and
// what was expected.
func TestWrongValues(t *testing.T) {
	wg := "[Link w]\nKind=wireguard\nPrivateKeyFile=/k\n"
	peer := wg + "[WireGuardPeer w]\n"
	rule := "[RoutingPolicyRule]\nPriority=1\nTable=7\n"
	neighbor := "[Neighbor]\nDevice=a\nAddress=10.0.0.1\nLinkLayerAddress=02:00:00:00:00:01\n"
	const pub = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
	tested := map[string]bool{}
	for _, c := range []struct{ section, key, before, value, want string }{
		{"Domain", "Kind", "", "vm", "Kind=vm: expected netns or vrf"},
		{"Domain", "Table", "Kind=vrf\n", "ten", "Table=ten: no table has that name in /etc/iproute2/rt_tables or rt_tables.d/*.conf; expected a number from 1 to 4294967295, or such a name"},
		{"Domain", "Table", "Kind=vrf\n", "main", "Table=main is the kernel's own (253 default, 254 main, 255 local); expected another number"},
		{"Domain", "Netns", "Kind=vrf\nTable=1\n", "a/b", `netns name "a/b" contains "/"; letters, digits, "_", "." and "-" are allowed`},
		{"Domain", "Name", "", "a b", `netns name "a b" contains " "; letters, digits, "_", "." and "-" are allowed`},
		{"Domain", "Description", "", `"x"`, "Description= begins with a quote; write the value without quotes"},
		{"Domain", "Managed", "", "maybe", "Managed=maybe: expected yes or no"},
		{"Domain", "Requires", "", "a/b", `Requires=a/b: netns name "a/b" contains "/"; letters, digits, "_", "." and "-" are allowed`},
		{"Domain", "Requires", "", "x", "Requires=x: a domain cannot require itself"},
		{"Domain", "Requires", "", "a a", "Requires=a stands twice"},
		{"Domain", "RequiresLink", "", "a:b", `link name "a:b" contains ":"; letters, digits, "_", "." and "-" are allowed`},
		{"Domain", "RequiresLink", "", "a b a", "RequiresLink=a stands twice"},
		{"Domain", "TimeoutSec", "", "1min", "TimeoutSec=1min: expected a number from 0 to 3600"},
		{"Domain", "DNS", "", "dns.example.org", "DNS=dns.example.org: expected addresses, such as 10.0.0.53 or 2001:db8::53"},
		{"Domain", "DNS", "", "10.0.0.1 10.0.0.1", "DNS=10.0.0.1 stands twice"},
		{"Domain", "DNS", "Managed=no\n", "10.0.0.1", "Managed=no makes nothing, so there can be no DNS="},
		{"Domain", "Domains", "DNS=10.0.0.1\n", "a..b", "Domains=a..b: expected names of domains, each once, such as example.org"},
		{"Domain", "Domains", "", "example.org", "Domains= needs DNS=, a resolver to ask"},
		{"Domain", "Firewall", "", "a.nft", "Firewall=a.nft: expected the path of a file, such as /etc/rdomain/private.nft"},
		{"Domain", "Firewall", "", "/etc/a b", "Firewall=/etc/a b: expected the path of a file, such as /etc/rdomain/private.nft"},
		{"Domain", "Firewall", "Kind=vrf\nTable=1\n", "/a", "Firewall= is for Kind=netns; a vrf has no rules of its own, those of its namespace are for all"},
		{"Domain", "Firewall", "Managed=no\n", "/a", "Managed=no makes nothing, so there can be no Firewall="},
		{"Domain", "AllowUsers", "", "alice root", "AllowUsers=root: root may enter every domain, and no user becomes root by it"},
		{"Domain", "AllowUsers", "", "00", "AllowUsers=00: root may enter every domain, and no user becomes root by it"},
		{"Domain", "AllowUsers", "", "alice,bob", "AllowUsers=alice,bob: expected names or numbers with a space between them, such as alice bob"},
		{"Domain", "AllowUsers", "", "*", "AllowUsers=*: expected names or numbers with a space between them, such as alice bob"},
		{"Domain", "AllowGroups", "", "a b a", "AllowGroups=a stands twice"},
		{"Domain", "Domains", "DNS=10.0.0.1\n", "a b c d e f g", "Domains=: expected at most 6 names with 255 characters, which is what resolvers take"},

		{"Link a", "Kind", "", "wlan", "Kind=wlan: expected one of " + strings.Join(LinkKinds, ", ") + ", or no Kind= for a link that exists already"},
		{"Link a", "ReResolveSec", "Kind=wireguard\nPrivateKeyFile=/k\n", "often", "ReResolveSec=often: expected a number from 0 to 86400"},
		{"Link a", "AlternativeName", "", "up/link", "AlternativeName=up/link: expected names of at most 127 letters, digits, \"_\", \".\" and \"-\""},
		{"Link a", "AlternativeName", "", "isp1 isp1", "AlternativeName=isp1 stands twice, first in line 2"},
		{"Link a", "Bond", "", "a:b", `link name "a:b" contains ":"; letters, digits, "_", "." and "-" are allowed`},
		{"Link a", "Bond", "Kind=bond\n", "b", "Bond= is for the members of a bond, and no bond is one"},
		{"Link a", "Address", "Bond=b\n", "10.0.0.1/24", "Address= and Bond= exclude each other: the bond has it, not its members"},
		{"Link a", "Mode", "Kind=bond\n", "lacp", "Mode=lacp: expected one of balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb"},
		{"Link a", "MIIMonitorSec", "Kind=bond\n", "1min", "MIIMonitorSec=1min: expected seconds or milliseconds, up to 10 seconds, such as 0.1 or 100ms"},
		{"Link a", "MIIMonitorSec", "Kind=bond\n", "0.0001", "MIIMonitorSec=0.0001: expected seconds or milliseconds, up to 10 seconds, such as 0.1 or 100ms"},
		{"Link a", "MIIMonitorSec", "Kind=bond\nMode=802.3ad\n", "0", "Mode=802.3ad needs MIIMonitorSec=; a member without a carrier would get its share"},
		{"Link a", "TransmitHashPolicy", "Kind=bond\n", "layer4", "TransmitHashPolicy=layer4: expected one of layer2, layer2+3, layer3+4, encap2+3, encap3+4, vlan+srcmac"},
		{"Link a", "LACPTransmitRate", "Kind=bond\nMode=802.3ad\n", "1s", "LACPTransmitRate=1s: expected one of slow, fast"},
		{"Link a", "LACPTransmitRate", "Kind=bond\n", "fast", "LACPTransmitRate= is for Mode=802.3ad"},
		{"Link a", "VLANFiltering", "Kind=bridge\n", "on", "VLANFiltering=on: expected yes or no"},
		{"Link a", "DefaultPVID", "Kind=bridge\n", "0", "DefaultPVID=0: expected a number from 1 to 4094"},
		{"Link a", "DefaultPVID", "Kind=bridge\n", "1", "DefaultPVID= needs VLANFiltering=yes"},
		{"Link a", "IPv6AcceptRA", "", "2", "IPv6AcceptRA=2: expected one of yes, no"},
		{"Link lo", "IPv6AcceptRA", "", "yes", "IPv6AcceptRA= is for a link to other hosts"},
		{"Link a", "RequiredForOnline", "", "later", "RequiredForOnline=later: expected yes or no"},
		{"Link a", "RequiredForOnline", "Kind=dummy\n", "no", "RequiredForOnline= is for a link that exists already, without Kind="},
		{"Link lo", "RequiredForOnline", "", "no", "RequiredForOnline= is for a link that somebody makes; lo comes with the namespace"},
		{"Link a", "DHCP", "", "both", "DHCP=both: expected one of yes, ipv4, ipv6, no"},
		{"Link a", "DHCP", "Kind=tun\n", "ipv4", "DHCP= is for a link with an Ethernet address of its own"},
		{"Link a", "Port", "Kind=macsec\nParent=b\nEncrypt=yes\n", "0", "Port=0: expected a number from 1 to 65535"},
		{"Link a", "Encrypt", "Kind=macsec\nParent=b\n", "on", "Encrypt=on: expected yes or no"},
		{"Link a", "Outer", "Kind=gre\nLocal=10.0.0.1\n", "a@b@c", `Outer=a@b@c: netns name "b@c" contains "@"; letters, digits, "_", "." and "-" are allowed`},
		{"Link a", "Outer", "Kind=dummy\n", "b", "Outer= is for Kind=" +
			"veth, vlan, macvlan, macvtap, ipvlan, vxlan, geneve, gre, gretap, ip6gre, ip6gretap, ipip, sit, ip6tnl, vti, vti6, xfrm, macsec or wireguard"},
		{"Link a", "Parent", "Kind=vlan\nId=1\n", "..", `link name ".." is a directory, not a name`},
		{"Link a", "Peer", "Kind=veth\n", "", "Peer= has no value; leave the line out if none is meant"},
		{"Link a", "Address", "", "10.0.0.1", "Address=10.0.0.1: expected ADDRESS/LENGTH, such as 10.0.0.2/24 or 2001:db8::2/64"},
		{"Link a", "PeerAddress", "Kind=veth\nPeer=b\n", "::/0", "PeerAddress=::/0: expected the address of a host"},
		{"Link a", "PeerRoute", "Kind=veth\nPeer=b\n", "10.1.0.0/x", "PeerRoute=10.1.0.0/x: expected NETWORK/LENGTH, such as 10.1.0.0/16"},
		{"Link a", "PeerRoute", "Kind=veth\nPeer=b\n", "10.1.0.1/16", "PeerRoute=10.1.0.1/16: has bits set behind the length; expected 10.1.0.0/16"},
		{"Link a", "PeerRoute", "Kind=veth\nPeer=b\nAddress=10.0.0.2/30\n", "10.1.0.0/16", "PeerRoute=10.1.0.0/16 needs an Address= and a PeerAddress= of its family: it leads from the one to the other"},
		{"Link a", "Masquerade", "Kind=veth\nPeer=b\n", "true", "Masquerade=true: expected one of yes, ipv4, ipv6, both, no"},
		{"Link a", "Masquerade", "Kind=veth\nPeer=b\n", "yes", "Masquerade=yes is for the families of Address=, and there is none; say ipv4, ipv6 or both"},
		{"Link a", "PeerBridge", "Kind=veth\nPeer=b\nMasquerade=ipv4\n", "br", "PeerBridge= and Masquerade= exclude each other: a port of a bridge forwards to the bridge"},
		{"Link a", "Masquerade", "Kind=dummy\n", "ipv4", "Masquerade= is for Kind=veth"},
		{"Link a", "Bridge", "", "a%d", `link name "a%d" contains "%"; letters, digits, "_", "." and "-" are allowed`},
		{"Link a", "PeerBridge", "Kind=veth\nPeer=b\n", "x y", `link name "x y" contains " "; letters, digits, "_", "." and "-" are allowed`},
		{"Link a", "PeerBridge", "Kind=veth\nPeer=b\nPeerAddress=10.0.0.1/8\n", "br", "PeerBridge= and PeerAddress= exclude each other: a port of a bridge has no addresses"},
		{"Link a", "MTUBytes", "", "1K", "MTUBytes=1K: expected a number from 68 to 65535"},
		{"Link a", "MACAddress", "", "none", "MACAddress=none: expected six bytes, such as 02:00:5e:10:00:01"},
		{"Link a", "Id", "Kind=vlan\nParent=b\n", "4095", "Id=4095: expected a number from 1 to 4094"},
		{"Link a", "Id", "Kind=vxlan\nVNI=1\n", "1", "Id= is for Kind=vlan or geneve"},
		{"Link a", "Id", "Kind=geneve\nRemote=10.0.0.2\n", "16777216", "Id=16777216: expected a number from 0 to 16777215"},
		{"Link a", "Remote", "Kind=geneve\nId=1\n", "239.1.1.1", "Remote=239.1.1.1: expected an address, such as 192.0.2.1 or 2001:db8::1"},
		{"Link a", "InterfaceId", "Kind=xfrm\n", "0", "InterfaceId=0: expected a number from 1 to 4294967295"},
		{"Link a", "Protocol", "Kind=vlan\nParent=b\nId=1\n", "802.1p", "Protocol=802.1p: expected 802.1q or 802.1ad"},
		{"Link a", "Mode", "Kind=macvlan\nParent=b\n", "L2", "Mode=L2: expected one of bridge, private, vepa, passthru"},
		{"Link a", "Mode", "Kind=ipvlan\nParent=b\n", "bridge", "Mode=bridge: expected one of l2, l3, l3s"},
		{"Link a", "Mode", "Kind=ip6tnl\nLocal=::1\n", "sit", "Mode=sit: expected one of any, ip6ip6, ipip6"},
		{"Link a", "VNI", "Kind=vxlan\n", "16777216", "VNI=16777216: expected a number from 0 to 16777215"},
		{"Link a", "Local", "Kind=gre\n", "2001:db8::1", "Local=2001:db8::1: expected an address, such as 192.0.2.1"},
		{"Link a", "Local", "Kind=vxlan\nVNI=1\n", "239.1.1.1", "Local=239.1.1.1: expected an address, such as 192.0.2.1 or 2001:db8::1"},
		{"Link a", "Remote", "Kind=ip6gre\n", "192.0.2.1", "Remote=192.0.2.1: expected an address, such as 2001:db8::1"},
		{"Link a", "Remote", "Kind=vxlan\nVNI=1\nLocal=10.0.0.1\n", "::1", "Remote=::1: expected an address of the same family as Local=10.0.0.1"},
		{"Link a", "Remote", "Kind=vxlan\nVNI=1\n", "239.1.1.1", "Remote=239.1.1.1 is a group, which needs Parent=, the link to reach it by"},
		{"Link a", "TTL", "Kind=sit\nLocal=10.0.0.1\n", "256", "TTL=256: expected a number from 0 to 255"},
		{"Link a", "Key", "Kind=gre\nLocal=10.0.0.1\n", "0x1", "Key=0x1: expected a number from 0 to 4294967295"},
		{"Link a", "Key", "Kind=ipip\nLocal=10.0.0.1\n", "1", "Key= is for Kind=gre, gretap, ip6gre, ip6gretap, vti or vti6"},
		{"Link a", "Key", "Kind=vti\nLocal=10.0.0.1\n", "0", "Key=0: expected a number from 1 to 4294967295"},
		{"Link a", "TTL", "Kind=vti\nLocal=10.0.0.1\n", "64", "TTL= is for Kind=vxlan, geneve, gre, gretap, ip6gre, ip6gretap, ipip, sit or ip6tnl"},
		{"Link a", "DestinationPort", "Kind=vxlan\nVNI=1\n", "0", "DestinationPort=0: expected a number from 1 to 65535"},
		{"Link a", "MacLearning", "Kind=vxlan\nVNI=1\n", "on", "MacLearning=on: expected yes or no"},
		{"Link a", "User", "Kind=tun\n", "-1", "User=-1: expected a name or a number"},
		{"Link a", "User", "Kind=tap\n", "4294967295", "User=4294967295: expected a name or a number"},
		{"Link a", "Group", "Kind=tap\n", "a:b", "Group=a:b: expected a name or a number"},
		{"Link a", "MultiQueue", "Kind=tun\n", "1", "MultiQueue=1: expected yes or no"},
		{"Link a", "PacketInfo", "Kind=tun\n", "true", "PacketInfo=true: expected yes or no"},
		{"Link a", "VNetHeader", "Kind=tun\n", "off", "VNetHeader=off: expected yes or no"},
		{"Link a", "PrivateKeyFile", "Kind=wireguard\n", pub, "PrivateKeyFile=: expected the path of a file, such as /etc/wireguard/wg0.key"},
		{"Link a", "PrivateKeyFile", "Kind=wireguard\n", "/etc/../x", "PrivateKeyFile=: expected the path of a file, such as /etc/wireguard/wg0.key"},
		{"Link a", "PrivateKeyFile", "Kind=wireguard\n", "/etc/x y", "PrivateKeyFile=: expected the path of a file, such as /etc/wireguard/wg0.key"},
		{"Link a", "ConfigFile", "Kind=wireguard\n", "wg0.conf", "ConfigFile=: expected the path of a file, such as /etc/wireguard/wg0.conf"},
		{"Link a", "ConfigFile", "Kind=wireguard\n", pub, "ConfigFile=: expected the path of a file, such as /etc/wireguard/wg0.conf"},
		{"Link a", "PrivateKeyFile", "Kind=wireguard\nConfigFile=/c\n", "/k", "PrivateKeyFile= and ConfigFile= exclude each other: that file has it"},
		{"Link a", "ListenPort", "Kind=wireguard\nConfigFile=/c\n", "1", "ListenPort= and ConfigFile= exclude each other: that file has it"},
		{"Link a", "FirewallMark", "Kind=wireguard\nConfigFile=/c\n", "1", "FirewallMark= and ConfigFile= exclude each other: that file has it"},
		{"WireGuardPeer w", "PublicKey", "[Link w]\nKind=wireguard\nConfigFile=/c\n", pub, "\x00the peers of w are in its ConfigFile=, line 3"},
		{"Link a", "ListenPort", "Kind=wireguard\nPrivateKeyFile=/k\n", "auto", "ListenPort=auto: expected a number from 1 to 65535"},
		{"Link a", "FirewallMark", "Kind=wireguard\nPrivateKeyFile=/k\n", "0", "FirewallMark=0: expected a number from 1 to 4294967295"},

		{"WireGuardPeer w", "PublicKey", wg, "abc", "PublicKey=abc: expected 44 characters of base64, as wg pubkey prints them"},
		{"WireGuardPeer w", "PublicKey", peer + "PublicKey=" + pub + "\n", pub, "PublicKey=" + pub + " stands twice, first in line 5"},
		{"WireGuardPeer w", "PresharedKeyFile", wg, "psk", "PresharedKeyFile=: expected the path of a file, such as /etc/wireguard/wg0.key"},
		{"WireGuardPeer w", "Endpoint", wg, "vpn.example.org", "Endpoint=vpn.example.org: expected HOST:PORT, such as vpn.example.org:51820 or [2001:db8::1]:51820"},
		{"WireGuardPeer w", "Endpoint", wg, "10.0.0.256:1", "Endpoint=10.0.0.256:1: expected HOST:PORT, such as vpn.example.org:51820 or [2001:db8::1]:51820"},
		{"WireGuardPeer w", "Endpoint", wg, "a:65536", "Endpoint=a:65536: expected HOST:PORT, such as vpn.example.org:51820 or [2001:db8::1]:51820"},
		{"WireGuardPeer w", "AllowedIPs", wg, "10.0.0.0/8, x", "AllowedIPs=x: expected networks, such as 10.0.0.0/8, 2001:db8::/32"},
		{"WireGuardPeer w", "AllowedIPs", wg, "10.0.0.1/8", "AllowedIPs=10.0.0.1/8: has bits set behind the length; expected 10.0.0.0/8"},
		{"WireGuardPeer w", "AllowedIPs", wg, "::/0, ::/0", "AllowedIPs=::/0 stands twice"},
		{"WireGuardPeer w", "PersistentKeepalive", wg, "25s", "PersistentKeepalive=25s: expected a number from 1 to 65535"},
		{"WireGuardPeer a", "PublicKey", "[Link a]\nKind=dummy\n", pub, "\x00there is no [Link a] with Kind=wireguard above"},

		{"Address", "Device", "Address=10.0.0.1\nPeer=10.0.0.2\n", "a", "Device=a: there is no [Link] of that name, nor one with it as Peer="},
		{"Address", "Address", "", "10.0.0.1/24", "Address=10.0.0.1/24: expected one address; the length of the network is that of Peer="},
		{"Address", "Address", "", "0.0.0.0", "Address=0.0.0.0: expected the address of a host, such as 10.0.0.1 or 2001:db8::1"},
		{"Address", "Peer", "", "far", "Peer=far: expected the address of a host, such as 10.0.0.1 or 2001:db8::1"},
		{"Address", "Peer", "Device=a\nAddress=10.0.0.1\n", "fd00::1", "Peer=fd00::1: expected an address of the same family as Address=10.0.0.1"},
		{"Address", "Peer", "Device=a\nAddress=10.0.0.1\n", "10.0.0.1", "Peer=10.0.0.1 is the link's own Address=; expected that of its other end"},
		{"BridgeVLAN", "Device", "VLAN=1\n", "a", "Device=a: there is no [Link] of that name"},
		{"BridgeVLAN", "VLAN", "", "10-", "VLAN=10-: expected numbers from 1 to 4094, or two with a dash, such as 10 20-29"},
		{"BridgeVLAN", "EgressUntagged", "", "4095", "EgressUntagged=4095: expected numbers from 1 to 4094, or two with a dash, such as 10 20-29"},
		{"BridgeVLAN", "PVID", "", "none", "PVID=none: expected a number from 1 to 4094"},
		{"Route", "Destination", "", "10.0.0.0", "Destination=10.0.0.0: expected default or NETWORK/LENGTH, such as 10.1.0.0/16"},
		{"Route", "Gateway", "", "gw", "Gateway=gw: expected an address, such as 10.0.0.1 or 2001:db8::1"},
		{"Route", "Gateway", "Destination=::/0\n", "10.0.0.1", "Gateway=10.0.0.1: expected an address of the same family as Destination=::/0"},
		{"Route", "Gateway", "Destination=10.0.0.0/8\n", "fe80::1", "Gateway=fe80::1 needs Device=: such an address is on every link"},
		{"Route", "MultiPathRoute", "", "10.0.0.1 heavy", "MultiPathRoute=10.0.0.1 heavy: expected ADDRESS[@LINK] [WEIGHT], such as 10.0.0.1 or fe80::1@eth0 20, with a weight from 1 to 256"},
		{"Route", "MultiPathRoute", "", "gw@a", "MultiPathRoute=gw@a: expected ADDRESS[@LINK] [WEIGHT], such as 10.0.0.1 or fe80::1@eth0 20, with a weight from 1 to 256"},
		{"Route", "MultiPathRoute", "", "10.0.0.1@a/b", `link name "a/b" contains "/"; letters, digits, "_", "." and "-" are allowed`},
		{"Route", "MultiPathRoute", "Destination=10.0.0.0/8\n", "10.0.0.1", "MultiPathRoute= is for several gateways, each in a line; write Gateway= for one"},
		{"Route", "MultiPathRoute", "Destination=10.0.0.0/8\nMultiPathRoute=10.0.0.1 2\n", "10.0.0.1", "MultiPathRoute=10.0.0.1 stands twice; a weight says which has a larger share"},
		{"Route", "MultiPathRoute", "Destination=::/0\nMultiPathRoute=fd00::1\n", "10.0.0.1", "MultiPathRoute=10.0.0.1: expected an address of the same family as Destination=::/0"},
		{"Route", "MultiPathRoute", "Destination=default\nMultiPathRoute=fd00::1\n", "fe80::1", "MultiPathRoute=fe80::1 needs @LINK: such an address is on every link"},
		{"Route", "Device", "Destination=10.0.0.0/8\nMultiPathRoute=10.0.0.1\nMultiPathRoute=10.0.0.2\n", "a", "Device= and MultiPathRoute= exclude each other"},
		{"Route", "MultiPathRoute", "Destination=10.0.0.0/8\nType=throw\nMultiPathRoute=10.0.0.1\n", "10.0.0.2", "MultiPathRoute= is not for Type=throw"},
		{"Route", "GatewayOnLink", "", "1", "GatewayOnLink=1: expected yes or no"},
		{"Route", "GatewayOnLink", "Destination=default\nDevice=a\n", "yes", "GatewayOnLink= needs Gateway= and Device="},
		{"Route", "Device", "", "a b", `link name "a b" contains " "; letters, digits, "_", "." and "-" are allowed`},
		{"Route", "PreferredSource", "", "10.0.0.1/8", "PreferredSource=10.0.0.1/8: expected an address of the domain, such as 10.0.0.2 or 2001:db8::2"},
		{"Route", "PreferredSource", "Destination=10.0.0.0/8\nDevice=a\n", "::1", "PreferredSource=::1: expected an address of the same family as Destination=10.0.0.0/8"},
		{"Route", "Metric", "", "low", "Metric=low: expected a number from 0 to 4294967295"},
		{"Route", "MTUBytes", "", "0", "MTUBytes=0: expected a number from 68 to 65535"},
		{"Route", "MTUBytes", "Destination=10.0.0.0/8\nType=blackhole\n", "1400", "MTUBytes= is not for Type=blackhole"},
		{"Route", "MTUBytes", "Destination=10.0.0.0/8\nType=local\n", "1400", "MTUBytes= is not for Type=local"},
		{"Route", "Device", "Destination=10.0.0.0/8\nType=throw\n", "a", "Device= is not for Type=throw"},
		{"Route", "Table", "", "isp2", "Table=isp2: no table has that name in /etc/iproute2/rt_tables or rt_tables.d/*.conf; expected a number from 1 to 4294967295, or such a name"},
		{"Route", "Table", "", "local", "Table=local is the kernel's own (local); expected another number"},
		{"Route", "Type", "", "nat", "Type=nat: expected one of " + strings.Join(RouteTypes, ", ")},

		{"RoutingPolicyRule", "Priority", "", "0", "Priority=0: expected a number from 1 to 4294967295"},
		{"RoutingPolicyRule", "Family", "", "inet", "Family=inet: expected ipv4, ipv6 or both"},
		{"RoutingPolicyRule", "Family", "Priority=1\nTable=7\nFrom=10.0.0.0/8\n", "ipv6", "Family=ipv6: the rule has the network 10.0.0.0/8"},
		{"RoutingPolicyRule", "From", "", "10.0.0.1/8", "From=10.0.0.1/8: has bits set behind the length; expected 10.0.0.0/8"},
		{"RoutingPolicyRule", "To", "", "0.0.0.0/0", "To=0.0.0.0/0: expected NETWORK/LENGTH, such as 10.1.0.0/16"},
		{"RoutingPolicyRule", "To", "Priority=1\nTable=7\nFrom=10.0.0.0/8\n", "::1", "To=::1/128: expected a network of the same family as From=10.0.0.0/8"},
		{"RoutingPolicyRule", "FirewallMark", "", "7/x", "FirewallMark=7/x: expected MARK or MARK/MASK, such as 7 or 0x10/0xf0"},
		{"RoutingPolicyRule", "FirewallMark", "", "3/2", "FirewallMark=3/2: expected MARK or MARK/MASK, such as 7 or 0x10/0xf0"},
		{"RoutingPolicyRule", "User", "", "a:b", "User=a:b: expected a name, a number or two with a dash, such as 1000-1999"},
		{"RoutingPolicyRule", "User", "", "7-6", "User=7-6: expected a name, a number or two with a dash, such as 1000-1999"},
		{"RoutingPolicyRule", "User", "", "4294967295", "User=4294967295: expected a name, a number or two with a dash, such as 1000-1999"},
		{"RoutingPolicyRule", "IPProtocol", "", "http", "IPProtocol=http: expected one of ah, dccp, esp, gre, icmp, ipv6-icmp, sctp, tcp, udp, udplite, or a number from 1 to 255"},
		{"RoutingPolicyRule", "SourcePort", "", "0", "SourcePort=0: expected a port, 1 to 65534, or two with a dash, such as 5000-5099"},
		{"RoutingPolicyRule", "DestinationPort", "", "80,443", "DestinationPort=80,443: expected a port, 1 to 65534, or two with a dash, such as 5000-5099"},
		{"RoutingPolicyRule", "IncomingInterface", "", "a/b", `link name "a/b" contains "/"; letters, digits, "_", "." and "-" are allowed`},
		{"RoutingPolicyRule", "OutgoingInterface", "", "a/b", `link name "a/b" contains "/"; letters, digits, "_", "." and "-" are allowed`},
		{"RoutingPolicyRule", "Table", "Priority=1\n", "255", "Table=255 is the kernel's own (local); expected another number"},
		{"RoutingPolicyRule", "Table", "Priority=1\nType=blackhole\n", "7", "Table= is not for Type=blackhole"},
		{"RoutingPolicyRule", "SuppressPrefixLength", "Priority=1\nTable=7\n", "129", "SuppressPrefixLength=129: expected a number from 0 to 128"},
		{"RoutingPolicyRule", "SuppressPrefixLength", "Priority=1\nTable=7\n", "33", "SuppressPrefixLength=33: expected a number from 0 to 32"},
		{"RoutingPolicyRule", "InvertRule", "", "not", "InvertRule=not: expected yes or no"},
		{"RoutingPolicyRule", "Type", "", "goto", "Type=goto: expected one of table, unreachable, blackhole, prohibit"},

		{"Publish", "Listen", publishing, "http", "Listen=http: expected PORT or ADDRESS:PORT, such as 80, 192.0.2.1:80 or [2001:db8::1]:80"},
		{"Publish", "Listen", publishing, "0.0.0.0:80", "Listen=0.0.0.0:80: expected PORT or ADDRESS:PORT, such as 80, 192.0.2.1:80 or [2001:db8::1]:80"},
		{"Publish", "Listen", publishing, "127.0.0.1:80", "Listen=127.0.0.1:80: an address of loopback is reached by nobody else"},
		{"Publish", "Listen", publishing + "[Publish]\nListen=80\n", "192.0.2.1:80", "Listen=80 is published already, in line 6"},
		{"Publish", "Listen", "[Link a]\nKind=veth\nPeer=b\nAddress=10.0.0.2/24\n", "80", "\x00[Publish] needs an Address= and a PeerAddress= of the family in [Link a]: the answers go from the one to the other"},
		{"Publish", "Listen", "[Link a]\nKind=dummy\n", "80", "\x00[Publish] needs a [Link] with Kind=veth, by which the port is reached"},
		{"Publish", "Connect", "Listen=80\n", "10.0.0.9:80", "Connect=10.0.0.9:80: expected an Address= of one veth"},
		{"Publish", "Connect", "Listen=80\n", "0", "Connect=0: expected PORT or ADDRESS:PORT, such as 80, 192.0.2.1:80 or [2001:db8::1]:80"},
		{"Publish", "Protocol", publishing, "sctp", "Protocol=sctp: expected one of tcp, udp"},
		{"Neighbor", "Device", "", "a b", `link name "a b" contains " "; letters, digits, "_", "." and "-" are allowed`},
		{"Neighbor", "Address", "", "ff02::1", "Address=ff02::1: expected the address of a host, such as 10.0.0.1 or 2001:db8::1"},
		{"Neighbor", "LinkLayerAddress", "", "10.0.0.1", "LinkLayerAddress=10.0.0.1: expected six bytes, such as 02:00:5e:10:00:01"},
	} {
		name, _, _ := strings.Cut(c.section, " ")
		tested[name+" "+c.key] = true
		text := "[" + c.section + "]\n" + c.before
		if strings.HasPrefix(c.before, "[") {
			text = c.before + "[" + c.section + "]\n"
		}
		line := strings.Count(text, "\n") + 1
		text += c.key + "=" + c.value + "\n"
		want, head := strings.CutPrefix(c.want, "\x00")
		if head { // the message is about the section
			line--
		}
		_, err := parse(t, "x", text)
		if w := "/etc/rdomain/x.conf:" + strconv.Itoa(line) + ": " + want; err == nil || err.Error() != w {
			t.Errorf("Parse(%q) = %v\nwant %s", text, err, w)
		}
	}
	for section, names := range keys {
		for name := range names {
			if !tested[section+" "+name] {
				t.Errorf("%s= in section [%s] has no wrong value here", name, section)
			}
		}
	}
	for _, c := range []struct{ text, want string }{
		{"[Link a]\nKind=vlan\nId=1\n", ":1: Kind=vlan needs Parent=, the link below"},
		{"[Link a]\nKind=vlan\nParent=b\n", ":1: Kind=vlan needs Id=, its number, 1 to 4094"},
		{"[Link a]\nKind=vxlan\n", ":1: Kind=vxlan needs VNI=, its number, 0 to 16777215"},
		{"[Link a]\nKind=geneve\nRemote=10.0.0.2\n", ":1: Kind=geneve needs Id=, its number, 0 to 16777215"},
		{"[Link a]\nKind=geneve\nId=1\n", ":1: Kind=geneve needs Remote=, the address of its other end"},
		{"[Link a]\nKind=macvtap\n", ":1: Kind=macvtap needs Parent=, the link below"},
		{"[Link a]\nKind=vti6\n", ":1: Kind=vti6 needs Local= or Remote=, an address of the outer domain"},
		{"[Link a]\nKind=xfrm\n", ":1: Kind=xfrm needs InterfaceId=, the if_id of the IPsec policies that use it"},
		{"[Link a]\nKind=wireguard\n", ":1: Kind=wireguard needs PrivateKeyFile=, the path of its private key, or ConfigFile=, a file of wg-quick"},
		{"[Link a]\nKind=gre\n", ":1: Kind=gre needs Local= or Remote=, an address of the outer domain"},
		{peer, ":4: a peer needs PublicKey=, 44 characters of base64"},
		{"[RoutingPolicyRule]\nTable=7\n", ":1: a rule needs Priority=, a number from 1 to 4294967295"},
		{"[RoutingPolicyRule]\nPriority=7\n", ":1: a rule needs Table= or another Type="},
		{rule + rule, ":4: the same rule stands twice, first in line 1"},
		{rule + "Family=both\n" + rule + "Family=ipv6\n", ":5: the same rule stands twice, first in line 1"},
		{neighbor + "[Route]\nDestination=10.9.0.0/24\nDevice=a\n" + strings.Replace(neighbor, ":01", ":02", 1),
			":8: neighbour 10.0.0.1 stands twice, first in line 1"},
		{"[Neighbor]\nDevice=a\nAddress=10.0.0.1\n", ":1: a neighbour needs Device=, Address= and LinkLayerAddress="},
		{"[Sysctl]\nkernel.hostname=x\n", ":2: kernel.hostname: expected a variable of the network, such as net.ipv4.ip_forward"},
		{"[Sysctl]\nnet.ipv4..x=1\n", ":2: net.ipv4..x: expected a variable of the network, such as net.ipv4.ip_forward"},
		{"[Sysctl]\nnet/../kernel/hostname=x\n", ":2: net/../kernel/hostname: expected a variable of the network, such as net.ipv4.ip_forward"},
		{"[Sysctl]\nnet.ipv4.ip_forward=\n", ":2: net.ipv4.ip_forward= has no value; leave the line out if none is meant"},
		{"[Sysctl]\nnet.ipv4.ip_forward=1\nnet/ipv4/ip_forward=0\n", ":3: net/ipv4/ip_forward= stands twice, first in line 2"},
		{"[Sysctl]\nnet.ipv4.ip_forward\n", `:2: expected KEY=VALUE, found "net.ipv4.ip_forward"`},
		{"[Domain]\nnet.ipv4.ip_forward=1\n", `:2: expected KEY=VALUE, found "net.ipv4.ip_forward=1"`},
		{peer + "PublicKey=" + pub + "\nAllowedIPs=10.0.0.0/8\n[WireGuardPeer w]\nPublicKey=" + strings.Replace(pub, "x", "y", 1) +
			"\nAllowedIPs=10.0.0.0/8\n", ":9: AllowedIPs=10.0.0.0/8 is that of the peer in line 4; a network has one peer"},
	} {
		_, err := parse(t, "x", c.text)
		if want := "/etc/rdomain/x.conf" + c.want; err == nil || err.Error() != want {
			t.Errorf("Parse(%q) = %v\nwant %s", c.text, err, want)
		}
	}
}

// publishing is a link by which a port can be published.
const publishing = "[Link a]\nKind=veth\nPeer=b\nAddress=10.0.0.2/24\nPeerAddress=10.0.0.1/24\n"
