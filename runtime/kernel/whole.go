package kernel

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/dump"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// Whole reads all that the kernel has of the domain that f is about, but the links in skip,
// by name, of which it notes what is said there.
func (s *Session) Whole(id domain.ID, f *conf.File, r *record.Record, skip map[string]string) (*dump.State, error) {
	c, err := s.Conn(s.Netns)
	if err != nil {
		return nil, err
	}
	w := &whole{Session: s, conn: c, f: f, byIndex: map[int]rtnl.Link{}, taken: taken(r), state: &dump.State{ID: id, Domain: f.Domain, Search: f.Search}}
	for _, server := range f.DNS {
		w.state.DNS = append(w.state.DNS, server.Addr)
	}
	all, err := c.Links("")
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		w.byIndex[l.Index] = l
	}
	if slices.ContainsFunc(all, func(l rtnl.Link) bool { return l.VLANFiltering }) {
		if w.vlans, err = c.BridgeVLANs(); err != nil {
			return nil, err
		}
	}
	ends := map[string]bool{} // ends of veths whose other one is in the file
	for _, l := range w.inOrder(all) {
		why, skipped := skip[l.Name]
		if ends[l.Name] || skipped && why == "" || !w.ours(l) {
			continue
		}
		if skipped {
			w.state.Notes = append(w.state.Notes, why)
			continue
		}
		one, err := w.link(l)
		if err != nil {
			return nil, err
		}
		if l.Kind == "veth" && l.LinkNetns < 0 {
			ends[one.Peer] = true
		}
		w.state.Links = append(w.state.Links, one)
	}
	for _, step := range []func() error{w.own, w.rules, w.routes, w.sysctls} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return w.state, nil
}

// taken returns the links that rdomain took and did not make.
func taken(r *record.Record) map[string]bool {
	list := map[string]bool{}
	for _, e := range r.Entries {
		if t, ok := e.Object.(object.Taken); ok {
			list[t.Name] = true
		}
	}
	return list
}

// whole is the reading of a domain.
type whole struct {
	*Session
	conn    *rtnl.Conn
	f       *conf.File
	byIndex map[int]rtnl.Link
	taken   map[string]bool
	vlans   map[int][]object.BridgeVLAN
	state   *dump.State
}

// named returns a link of the domain's own file, the zero Link if it has none of the name.
func (w *whole) named(name string) (l conf.Link) {
	for _, o := range w.f.Links {
		if o.Name.String() == name {
			return o
		}
	}
	return l
}

// inOrder puts links that the domain's file makes first, so that of a veth with both ends in
// one namespace the same end is named.
func (w *whole) inOrder(all []rtnl.Link) []rtnl.Link {
	named := func(l rtnl.Link) bool { return !w.named(l.Name).Name.IsZero() }
	return slices.SortedStableFunc(slices.Values(all), func(a, b rtnl.Link) int {
		switch {
		case named(a) == named(b):
			return strings.Compare(a.Name, b.Name)
		case named(a):
			return -1
		}
		return 1
	})
}

// vrfOf returns the VRF that a link is a member of, or a port of a bridge that is one; "" for
// none.
func (w *whole) vrfOf(l rtnl.Link) string {
	for range len(w.byIndex) {
		master, ok := w.byIndex[l.Master]
		if !ok {
			return ""
		}
		if master.Kind == "vrf" {
			return master.Name
		}
		l = master
	}
	return ""
}

// ours reports whether a link is the domain's. A VRF of the namespace is a domain of its own.
func (w *whole) ours(l rtnl.Link) bool {
	vrf := w.f.Domain.VRF.String()
	switch {
	case vrf != "" && l.Name == vrf:
		w.state.Table = l.Table
		return false
	case l.Kind == "vrf" && vrf == "":
		w.state.Notes = append(w.state.Notes, "vrf "+l.Name+" is a domain of its own: rdomain dump "+l.Name+"@"+w.f.Domain.Netns.String())
		return false
	}
	return w.vrfOf(l) == vrf && l.Kind != "vrf"
}

// own notes addresses of the VRF itself.
func (w *whole) own() error {
	for _, l := range w.byIndex {
		if l.Kind != "vrf" || l.Name != w.f.Domain.VRF.String() {
			continue
		}
		list, err := w.conn.Addresses(l.Index)
		for _, a := range dump.Unusual(list) {
			w.state.Notes = append(w.state.Notes, "the VRF itself has the address "+a.Prefix.String()+", which a dummy link in it can have")
		}
		return err
	}
	return nil
}

// link reads what a link has, and where its other side is.
func (w *whole) link(l rtnl.Link) (dump.Link, error) {
	own := w.named(l.Name)
	one := dump.Link{Link: l, Taken: w.taken[l.Name], GivenMAC: own.MAC != "" && own.MAC == l.MAC}
	accept := "net/ipv6/conf/" + l.Name + "/accept_ra"
	have := &plan.State{Exists: true}
	err := w.ReadSysctls([]string{accept}, have)
	if one.AcceptRA = map[string]string{"0": "no", "2": "yes"}[have.Sysctls[accept]]; err != nil {
		return one, err
	}
	if one.Addresses, err = w.conn.Addresses(l.Index); err != nil {
		return one, err
	}
	if one.Neighbors, err = w.conn.Neighbors(l.Index); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return one, err
	}
	switch master, ok := w.byIndex[l.Master]; {
	case ok && master.Kind == "bridge":
		one.Bridge = master.Name
		w.portOf(master, &one)
	case ok && master.Kind == "bond":
		one.Bridge, one.Bonded = master.Name, true
	case ok && master.Kind != "vrf":
		one.Notes = append(one.Notes, "is a port of "+master.Name+", of kind "+master.Kind+": somebody else has to make it one")
	}
	if l.Kind == "bridge" {
		w.portOf(l, &one)
	}
	if l.Kind == "wireguard" {
		return one, w.wireGuard(&one)
	}
	if object.HasOuter(l.Kind) && !one.Taken {
		err = w.otherSide(&one)
	}
	return one, err
}

// portOf gives a link the VLANs that it has in a bridge, or the bridge itself has.
func (w *whole) portOf(bridge rtnl.Link, one *dump.Link) {
	if bridge.VLANFiltering {
		one.VLANs, one.UsualVLAN = w.vlans[one.Index], bridge.DefaultPVID
	}
}

// otherSide finds the namespace of a link's other side by its number, and what is there.
func (w *whole) otherSide(one *dump.Link) error {
	outer, found := w.Netns, true
	if one.LinkNetns >= 0 {
		var err error
		if outer, found, err = w.numbered(one.LinkNetns); err != nil {
			return err
		}
	}
	if !found {
		one.Lost = "its other side is in a namespace without a name"
		return nil
	}
	if !outer.IsZero() {
		one.Outer = outer.String()
	}
	at := one.Below + one.Link.Peer // it has one of the two
	if at == 0 {
		return nil
	}
	c, err := w.Conn(outer)
	if err != nil {
		return err
	}
	other, err := c.LinkAt(at)
	if errors.Is(err, fs.ErrNotExist) {
		one.Lost = "its other side is not found"
		return nil
	}
	if err != nil || one.Kind != "veth" {
		one.Parent = other.Name
		return err
	}
	return w.peer(one, c, outer, other)
}

// peer reads the other end of a veth.
func (w *whole) peer(one *dump.Link, c *rtnl.Conn, outer domain.NetnsName, other rtnl.Link) (err error) {
	one.Peer = other.Name
	if one.PeerAddresses, err = c.Addresses(other.Index); err != nil || other.Master == 0 {
		return err
	}
	master, err := c.LinkAt(other.Master)
	switch {
	case err != nil:
		return err
	case master.Kind == "bridge":
		one.PeerBridge, one.PeerAddresses = master.Name, nil
	case master.Kind != "vrf":
		one.Notes = append(one.Notes, "its other end is a port of "+master.Name+", of kind "+master.Kind)
	case outer.IsZero():
		one.Outer = master.Name
	default:
		one.Outer = master.Name + "@" + outer.String()
	}
	return nil
}

// numbered finds the namespace that has a number in the domain's.
func (w *whole) numbered(number int) (name domain.NetnsName, found bool, err error) {
	if id, err := w.conn.NumberOf(w.home.Fd()); err != nil || id == number {
		return name, err == nil, err
	}
	names, err := netns.Names()
	if err != nil {
		return name, false, err
	}
	for _, n := range names {
		ns, err := netns.Open(n)
		if err != nil {
			continue // it is gone meanwhile, or is no namespace
		}
		id, err := w.conn.NumberOf(ns.Fd())
		ns.Close()
		if err != nil || id == number {
			return n, err == nil, err
		}
	}
	return name, false, nil
}

// wireGuard reads a wireguard link. Its keys stay here.
func (w *whole) wireGuard(one *dump.Link) error {
	d, err := w.device(w.Netns, one.Name)
	if err != nil {
		return err
	}
	own := w.named(one.Name)
	one.Outer = own.Outer.ID.String() // which the kernel does not tell
	one.WireGuard = dump.WireGuard{KeyFile: string(own.KeyFile), Port: uint16(d.ListenPort), Mark: uint32(d.FirewallMark)}
	for _, p := range d.Peers {
		peer := dump.Peer{PublicKey: p.PublicKey.String(), Preshared: p.PresharedKey != (wgtypes.Key{}),
			AllowedIPs: prefixes(p.AllowedIPs), Keepalive: uint16(p.PersistentKeepaliveInterval / time.Second)}
		if p.Endpoint != nil {
			peer.Endpoint = p.Endpoint.String()
		}
		for _, o := range own.Peers {
			if o.PublicKey == peer.PublicKey {
				peer.KeyFile, peer.Endpoint = string(o.PresharedKeyFile), o.Endpoint
			}
		}
		one.Peers = append(one.Peers, peer)
	}
	slices.SortFunc(one.Peers, func(a, b dump.Peer) int { return strings.Compare(a.PublicKey, b.PublicKey) })
	return nil
}

// rules reads the rules of a namespace, or those of one that look up a VRF's table.
func (w *whole) rules() error {
	list, err := w.rulesOf(w.Netns)
	for _, r := range list {
		if w.state.Table == 0 || r.Table == w.state.Table && !r.L3mdev {
			w.state.Rules = append(w.state.Rules, r)
		}
	}
	return err
}

// routes reads the routes of a VRF's table, or of all tables of a namespace but those of its VRFs.
func (w *whole) routes() (err error) {
	tables := map[uint32]bool{w.state.Table: true}
	if w.state.Table == 0 {
		if tables, err = w.conn.Tables(); err != nil {
			return err
		}
		for _, l := range w.byIndex {
			if l.Kind == "vrf" {
				delete(tables, l.Table)
			}
		}
	}
	have := &plan.State{}
	if err := w.Session.Routes(tables, have); err != nil {
		return err
	}
	w.state.Routes = have.Routes
	slices.SortStableFunc(w.state.Routes, func(a, b rtnl.Route) int { return int(a.Table) - int(b.Table) })
	return nil
}

// forwarding are the variables of a namespace that are written if they are not 0.
var forwarding = []string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"}

func (w *whole) sysctls() error {
	if w.state.Table != 0 {
		return nil
	}
	have := &plan.State{Exists: true}
	if err := w.ReadSysctls(forwarding, have); err != nil {
		return err
	}
	for _, path := range forwarding {
		if v := have.Sysctls[path]; v != "" && v != "0" {
			w.state.Sysctls = append(w.state.Sysctls, object.Sysctl{Path: path, Value: v})
		}
	}
	return nil
}
