package conf

import (
	"fmt"
	"net/netip"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// writer writes lines KEY=VALUE, and leaves out what is not given.
type writer struct{ strings.Builder }

func (w *writer) line(key string, value any) {
	switch s := fmt.Sprint(value); value {
	case "", uint32(0), uint16(0):
	default:
		if s != "" {
			fmt.Fprintf(w, "%s=%s\n", key, s)
		}
	}
}

// addrPort writes a port, and an address if there is one.
func addrPort(a netip.AddrPort) any {
	if a.Addr().IsValid() {
		return a
	}
	return a.Port()
}

func (w *writer) flag(key string, set bool) {
	if set {
		w.line(key, "yes")
	}
}

func (w *writer) addr(key string, a netip.Addr) {
	if a.IsValid() {
		w.line(key, a)
	}
}

// String writes the file out in its canonical form, which Parse reads as an
// equal File.
func (f *File) String() string {
	w := new(writer)
	fmt.Fprintf(w, "[Domain]\nKind=%s\n", f.Kind)
	if f.Kind == VRF {
		w.line("Table", f.Table)
		w.line("Netns", f.Domain.Netns)
		w.line("Name", f.Domain.VRF)
	} else {
		w.line("Name", f.Domain.Netns)
	}
	w.line("Description", f.Description)
	if !f.Managed {
		w.line("Managed", "no")
	}
	for _, r := range f.Requires {
		w.line("Requires", r.ID)
	}
	for _, d := range f.RequiresLinks {
		w.line("RequiresLink", d.Name)
	}
	if f.Timeout != DefaultTimeout {
		fmt.Fprintf(w, "TimeoutSec=%d\n", f.Timeout)
	}
	for _, s := range f.DNS {
		w.line("DNS", s.Addr)
	}
	w.line("Domains", strings.Join(f.Search, " "))
	w.line("Firewall", f.Firewall)
	if len(f.Sysctls) > 0 {
		w.WriteString("\n[Sysctl]\n")
	}
	for _, s := range f.Sysctls {
		fmt.Fprintf(w, "%s=%s\n", s.Path, s.Value)
	}
	for _, l := range f.Links {
		l.write(w, f.Objects)
	}
	for _, l := range f.Links {
		for dev, list := range map[domain.LinkName][]Address{l.Name: l.Addresses, l.Peer: l.PeerAddresses} {
			for _, a := range list {
				if a.Peer.IsValid() {
					fmt.Fprintf(w, "\n[Address]\nDevice=%s\nAddress=%s\nPeer=%s\n", dev, a.Prefix, a.Peer)
				}
			}
		}
	}
	for _, r := range f.Routes {
		r.write(w)
	}
	for _, r := range f.Rules {
		r.write(w)
	}
	for _, s := range f.Publishes {
		w.WriteString("\n[Publish]\n")
		w.line("Listen", addrPort(s.Listen))
		w.line("Connect", s.Connect)
		w.line("Protocol", s.Protocol)
	}
	vlans := map[string][]object.BridgeVLAN{}
	for _, o := range f.Objects {
		if v, ok := o.Object.(object.BridgeVLAN); ok {
			vlans[v.Dev] = append(vlans[v.Dev], v)
		}
		n, ok := o.Object.(object.Neighbor)
		if !ok {
			continue
		}
		fmt.Fprintf(w, "\n[Neighbor]\nDevice=%s\nAddress=%s\nLinkLayerAddress=%s\n", n.Dev, n.Address, n.MAC)
	}
	for dev, list := range vlans {
		fmt.Fprintf(w, "\n[BridgeVLAN]\nDevice=%s\n", dev)
		for _, v := range list {
			fmt.Fprintf(w, "VLAN=%d\n", v.ID)
			if v.PVID {
				fmt.Fprintf(w, "PVID=%d\n", v.ID)
			}
			if v.Untagged {
				fmt.Fprintf(w, "EgressUntagged=%d\n", v.ID)
			}
		}
	}
	return w.String()
}

func (l Link) write(w *writer, objects []Object) {
	fmt.Fprintf(w, "\n[Link %s]\n", l.Name)
	for _, o := range objects {
		if a, ok := o.Object.(object.AltName); ok && a.Dev == l.Name.String() {
			w.line("AlternativeName", a.Name)
		}
	}
	w.line("Kind", l.Kind)
	w.line("Outer", l.Outer.ID)
	w.line("Peer", l.Peer)
	w.line("Parent", l.Parent)
	w.line(l.PortKey(), l.Bridge)
	w.flag("VLANFiltering", l.VLANFiltering)
	w.line("DefaultPVID", l.DefaultPVID)
	if l.Kind == "bond" {
		fmt.Fprintf(w, "MIIMonitorSec=%dms\n", l.Monitor)
		w.line("TransmitHashPolicy", l.Hash)
		if l.FastLACP {
			w.line("LACPTransmitRate", "fast")
		}
	}
	w.line("PeerBridge", l.PeerBridge)
	for _, a := range l.Addresses {
		if !a.Peer.IsValid() {
			w.line("Address", a.Prefix)
		}
	}
	for _, a := range l.PeerAddresses {
		if !a.Peer.IsValid() {
			w.line("PeerAddress", a.Prefix)
		}
	}
	w.line("Masquerade", l.Masquerade)
	for _, a := range l.PeerRoutes {
		w.line("PeerRoute", a.Prefix)
	}
	if l.Later {
		w.line("RequiredForOnline", "no")
	}
	w.line("MTUBytes", l.MTU)
	w.line("MACAddress", l.MAC)
	if l.Kind == "vxlan" {
		fmt.Fprintf(w, "VNI=%d\n", l.ID)
		w.line("DestinationPort", l.Port)
		if l.NoLearning {
			w.line("MacLearning", "no")
		}
	} else {
		w.line("Id", l.ID)
	}
	w.line("Protocol", l.Protocol)
	w.line("Mode", l.Mode)
	w.addr("Local", l.Local)
	w.addr("Remote", l.Remote)
	if _, ok := kinds[l.Kind]["TTL"]; ok {
		fmt.Fprintf(w, "TTL=%d\n", l.TTL)
	}
	if l.Keyed {
		fmt.Fprintf(w, "Key=%d\n", l.GREKey)
	}
	w.line("User", l.User)
	w.line("Group", l.Group)
	w.flag("MultiQueue", l.MultiQueue)
	w.flag("PacketInfo", l.PacketInfo)
	w.flag("VNetHeader", l.VNetHeader)
	w.line("PrivateKeyFile", l.KeyFile)
	w.line("ConfigFile", l.ConfigFile)
	w.line("ListenPort", l.ListenPort)
	w.line("FirewallMark", l.Mark)
	for _, p := range l.Peers {
		fmt.Fprintf(w, "\n[WireGuardPeer %s]\nPublicKey=%s\n", l.Name, p.PublicKey)
		w.line("PresharedKeyFile", p.PresharedKeyFile)
		w.line("Endpoint", p.Endpoint)
		for _, a := range p.AllowedIPs {
			w.line("AllowedIPs", a)
		}
		w.line("PersistentKeepalive", p.Keepalive)
	}
}

func (r Route) write(w *writer) {
	fmt.Fprintf(w, "\n[Route]\nDestination=%s\n", r.Destination)
	w.addr("Gateway", r.Gateway)
	for _, h := range r.Hops {
		at := h.Gateway.String()
		if h.Dev != "" {
			at += "@" + h.Dev
		}
		fmt.Fprintf(w, "MultiPathRoute=%s %d\n", at, h.Weight)
	}
	w.flag("GatewayOnLink", r.OnLink)
	w.line("Device", r.Device)
	w.addr("PreferredSource", r.Source)
	w.line("Metric", r.Metric)
	w.line("MTUBytes", r.MTU)
	if r.Table != lastReserved { // the default of Type=local
		w.line("Table", r.Table)
	}
	w.line("Type", r.Type)
}

func (r Rule) write(w *writer) {
	fmt.Fprintf(w, "\n[RoutingPolicyRule]\nPriority=%d\n", r.Pref)
	switch {
	case r.IPv4 && r.IPv6:
		w.line("Family", "both")
	case r.IPv6:
		w.line("Family", "ipv6")
	}
	w.flag("InvertRule", r.Not)
	if r.From.IsValid() {
		w.line("From", r.From)
	}
	if r.To.IsValid() {
		w.line("To", r.To)
	}
	if r.Mask != 0 {
		fmt.Fprintf(w, "FirewallMark=%d/%d\n", r.Mark, r.Mask)
	} else {
		w.line("FirewallMark", r.Mark)
	}
	w.line("IncomingInterface", r.In)
	w.line("OutgoingInterface", r.Out)
	w.line("User", r.User)
	if !r.UIDs.IsZero() {
		w.line("User", r.UIDs)
	}
	w.line("IPProtocol", uint32(r.IPProtocol))
	if !r.SourcePorts.IsZero() {
		w.line("SourcePort", r.SourcePorts)
	}
	if !r.DestinationPorts.IsZero() {
		w.line("DestinationPort", r.DestinationPorts)
	}
	w.line("Table", r.Table)
	if r.SuppressPrefixLength != 0 {
		fmt.Fprintf(w, "SuppressPrefixLength=%d\n", r.SuppressPrefixLength-1)
	}
	w.line("Type", r.Type)
}
