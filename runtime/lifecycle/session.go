package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// session is the work on one domain: its sockets, and what was learned.
type session struct {
	h    *Host
	home *rtnl.Conn
	// netns is the name of the domain's namespace, "" for home's. ns and in
	// are nil while it does not exist.
	netns string
	ns    *netns.NS
	in    *rtnl.Conn
	// others are third namespaces, in which links have their other side.
	others map[string]*place
	// inputs are what the domain's file refers to.
	inputs *inputs
	// index has the ifindex of links that steps act on, by namespace and name,
	// so that a link that is renamed meanwhile is still the same one.
	index map[[2]string]int
	// rules are the namespace's changed rules; not nil while they are locked.
	// fresh is a copy from when they were locked.
	rules, fresh *record.Rules
	// half is true if an earlier up recorded that it is about to make the
	// namespace: a left-over file of its name is ours.
	half bool
	// wireguard are the links whose keys or peers were changed, as they were.
	wireguard map[[2]string]wgtypes.Config
	// timeout is the file's TimeoutSec=.
	timeout uint32
	// did are the steps done so far, and before is the record without them.
	did    []object.Step
	before *record.Record
}

// place is a third namespace; conn is nil if it does not exist.
type place struct {
	ns   *netns.NS
	conn *rtnl.Conn
}

// homeConn opens a socket in the namespace that rdomain runs in.
func (h *Host) homeConn() (*rtnl.Conn, error) { return rtnl.Open() }

// newSession opens the sockets for a domain in the namespace called name. That
// the namespace does not exist is no error.
func (h *Host) newSession(name domain.Netns) (*session, error) {
	home, err := h.homeConn()
	if err != nil {
		return nil, err
	}
	s := &session{h: h, home: home, netns: name.String(), index: map[[2]string]int{}, others: map[string]*place{},
		inputs: &inputs{}}
	if name.IsZero() {
		return s, nil
	}
	p, err := visit(name)
	if err != nil {
		s.close()
		return nil, err
	}
	s.ns, s.in = p.ns, p.conn
	return s, nil
}

// visit opens a namespace and a socket in it. That it does not exist is no
// error.
func visit(name domain.Netns) (*place, error) {
	ns, err := netns.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
		return &place{}, nil
	}
	if err != nil {
		return nil, err
	}
	p := &place{ns: ns}
	err = ns.Inside(func() (err error) {
		p.conn, err = rtnl.Open()
		return err
	})
	if err != nil {
		ns.Close()
		return nil, err
	}
	return p, nil
}

func (s *session) close() {
	s.home.Close()
	s.leave()
	for _, p := range s.others {
		if p.conn != nil {
			p.conn.Close()
			p.ns.Close()
		}
	}
}

// leave closes what keeps the domain's namespace alive.
func (s *session) leave() {
	if s.in != nil {
		s.in.Close()
		s.in = nil
	}
	if s.ns != nil {
		s.ns.Close()
		s.ns = nil
	}
}

// other returns a third namespace, which is opened when it is first asked for.
func (s *session) other(name string) (*place, error) {
	if p, ok := s.others[name]; ok && p.conn != nil {
		return p, nil
	}
	n, err := domain.ParseNetns(name)
	if err != nil {
		return nil, err
	}
	p, err := visit(n)
	if err == nil {
		s.others[name] = p
	}
	return p, err
}

// conn returns the socket for a namespace: the domain's, home's for "", or that
// of a third one.
func (s *session) conn(netns string) (*rtnl.Conn, error) {
	c := s.in
	switch netns {
	case "":
		return s.home, nil
	case s.netns:
	default:
		p, err := s.other(netns)
		if err != nil {
			return nil, err
		}
		c = p.conn
	}
	if c == nil {
		return nil, fmt.Errorf("network namespace %s: %w", netns, fs.ErrNotExist)
	}
	return c, nil
}

// open returns an open namespace. Its socket must have been asked for before.
func (s *session) open(netns string) *netns.NS {
	switch netns {
	case "":
		return s.h.home
	case s.netns:
		return s.ns
	}
	return s.others[netns].ns
}

// inside calls f on a thread in a namespace.
func (s *session) inside(netns string, f func() error) error {
	if netns == "" {
		return f()
	}
	if _, err := s.conn(netns); err != nil {
		return err
	}
	return s.open(netns).Inside(f)
}

// id returns the identity of the domain's namespace, zero if there is none.
func (s *session) id() netns.ID {
	switch {
	case s.netns == "":
		return s.h.home.ID()
	case s.ns != nil:
		return s.ns.ID()
	}
	return netns.ID{}
}

// names are what a file and a record speak of.
type names struct {
	// links are by namespace.
	links      map[string][]string
	tables     []uint32
	vrf        string
	sysctls    []string
	neighbors  []string
	rules      bool
	outerRules []string
	wireguard  []string
	files      bool
}

func (n *names) link(netns string, names ...string) {
	n.links[netns] = append(n.links[netns], names...)
}

func (n *names) rulesOf(netns, in string) {
	if netns == in {
		n.rules = true
	} else if !slices.Contains(n.outerRules, netns) {
		n.outerRules = append(n.outerRules, netns)
	}
}

func (s *session) speaksOf(f *conf.File, r *record.Record) *names {
	n := &names{links: map[string][]string{}, vrf: r.VRF}
	n.link(s.netns, "lo")
	tables := map[uint32]bool{}
	if f != nil {
		n.file(f, s.netns, s.inputs.outers, tables)
	}
	n.link(s.netns, n.vrf)
	for _, l := range r.Links {
		n.link(s.netns, l.Name)
		n.link(l.Outer, l.Peer)
		if l.Kind == "wireguard" {
			n.wireguard = append(n.wireguard, l.Name)
		}
	}
	for _, t := range r.Taken {
		n.link(s.netns, t.Name)
		n.link(t.From, t.Name, t.Master)
		for _, route := range t.Routes {
			tables[route.Table] = true
		}
	}
	for _, a := range r.Addresses {
		n.link(a.Netns, a.Dev)
	}
	for _, route := range r.Routes {
		tables[route.Table] = true
	}
	for _, rule := range r.Rules {
		n.rulesOf(rule.Netns, s.netns)
	}
	for _, v := range r.Sysctls {
		n.sysctls = append(n.sysctls, v.Key)
	}
	for _, e := range r.Neighbors {
		n.link(s.netns, e.Dev)
		n.neighbors = append(n.neighbors, e.Dev)
	}
	for _, p := range r.Peers {
		n.link(s.netns, p.Link)
		n.wireguard = append(n.wireguard, p.Link)
	}
	n.files = n.files || len(r.Files) > 0
	for table := range tables {
		if table == 0 {
			table = object.MainTable
		}
		n.tables = append(n.tables, table)
	}
	return n
}

func (n *names) file(f *conf.File, in string, outers map[string]plan.Outer, tables map[uint32]bool) {
	n.vrf = f.Domain.VRF.String()
	for _, l := range f.Links {
		n.link(in, l.Name.String(), l.Bridge.String())
		if l.Kind == "" {
			if l.Name.String() != "lo" {
				n.link("", l.Name.String())
			}
			continue
		}
		if !object.HasOuter(l.Kind) {
			continue
		}
		outer := outers[l.Outer.ID.String()].Domain
		n.link(outer.Netns.String(), l.Peer.String(), l.PeerBridge.String(), l.Parent.String(), outer.VRF.String())
		if l.Kind == "wireguard" {
			n.wireguard = append(n.wireguard, l.Name.String())
			if !outer.VRF.IsZero() {
				n.rulesOf(outer.Netns.String(), in)
			}
		}
	}
	for _, route := range f.Routes {
		tables[route.Table] = true
	}
	if tables[f.Table] || f.Kind == conf.VRF {
		tables[f.Table] = true
	}
	for _, s := range f.Sysctls {
		n.sysctls = append(n.sysctls, s.Key)
	}
	for _, e := range f.Neighbors {
		n.link(in, e.Device.String())
		n.neighbors = append(n.neighbors, e.Device.String())
	}
	n.rules = n.rules || len(f.Rules) > 0
	n.files = len(f.DNS) > 0
}

// read asks the kernel for what the file and the record speak of, and no more:
// a list of all links would cost more with every domain there is.
func (s *session) read(f *conf.File, r *record.Record) (*plan.State, error) {
	n := s.speaksOf(f, r)
	have := &plan.State{ID: s.id(), Exists: s.netns == "" || s.in != nil, Outers: s.inputs.outers,
		Keys: s.inputs.prints, Users: s.inputs.users, Groups: s.inputs.groups,
		Inside: map[string]plan.Link{}, Outside: map[string]plan.Link{}, Others: map[string]map[string]plan.Link{},
		IDs: map[string]netns.ID{}}
	if !have.Exists {
		_, err := netns.Lookup(s.netns)
		have.Stale = errors.Is(err, netns.ErrNotNamespace)
	}
	if s.netns == "" {
		have.Inside = have.Outside
	}
	for place, list := range n.links {
		if place == s.netns && !have.Exists {
			continue
		}
		into := have.At(place, s.netns)
		if into == nil {
			into = map[string]plan.Link{}
			have.Others[place] = into
		}
		if _, err := s.conn(place); place != "" && place != s.netns && errors.Is(err, fs.ErrNotExist) {
			continue // it is gone, with what was in it
		}
		if err := s.links(place, list, into); err != nil {
			return nil, err
		}
		if p, third := s.others[place]; third && p.ns != nil {
			have.IDs[place] = p.ns.ID()
		}
	}
	if have.Exists {
		if err := s.renamed(r, have); err != nil {
			return nil, err
		}
		if err := s.routes(n.tables, have); err != nil {
			return nil, err
		}
	}
	if f != nil {
		if err := s.candidates(f, have); err != nil {
			return nil, err
		}
	}
	return have, s.readRest(f, n, have)
}

// renamed finds recorded links that bear another name by now: a link that was
// moved in must not die with its namespace because somebody renamed it. An
// ifindex is given anew only after the link is gone, so kind and address are
// compared too.
func (s *session) renamed(r *record.Record, have *plan.State) error {
	c, err := s.conn(s.netns)
	if err != nil {
		return err
	}
	have.Renamed = map[string]string{}
	find := func(name string, index int, same func(rtnl.Link) bool) error {
		if _, ok := have.Inside[name]; ok || index == 0 {
			return nil
		}
		l, err := c.LinkAt(index)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !same(l) {
			return nil
		}
		if err != nil {
			return err
		}
		addresses, err := c.Addresses(index)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		have.Renamed[name] = l.Name
		l.Name, l.Up = name, false // it is set down to be renamed
		have.Inside[name] = plan.Link{Link: l, Addresses: addresses}
		s.index[[2]string{s.netns, name}] = index
		s.index[[2]string{s.netns, have.Renamed[name]}] = index
		return nil
	}
	if r.Made != nil && r.Made.ID != s.id() {
		return nil // another namespace, other numbers
	}
	for _, l := range r.Links {
		if err := find(l.Name, l.Index, func(now rtnl.Link) bool { return now.Kind == l.Kind }); err != nil {
			return err
		}
	}
	for _, t := range r.Taken {
		if err := find(t.Name, t.Index, func(now rtnl.Link) bool { return now.MAC == t.MAC }); err != nil {
			return err
		}
	}
	return nil
}

// readRest reads what few domains have.
func (s *session) readRest(f *conf.File, n *names, have *plan.State) (err error) {
	if n.vrf != "" || n.rules || len(n.outerRules) > 0 {
		if have.IPv6, err = s.ipv6(); err != nil {
			return err
		}
	}
	switch {
	case n.vrf != "" && have.Exists:
		err = s.vrf(n.vrf, have)
	case n.vrf != "" || n.rules && !have.Exists:
		// To print what would be done in a namespace that is yet to be made.
		have.Rules = plan.NewRules(have.IPv6)
	case n.rules:
		have.Rules, err = s.rulesOf(s.netns)
	}
	if err != nil {
		return err
	}
	have.OuterRules = map[string][]object.Rule{}
	for _, netns := range n.outerRules {
		if have.OuterRules[netns], err = s.rulesOf(netns); err != nil {
			return err
		}
	}
	if err := s.readSysctls(n.sysctls, have); err != nil {
		return err
	}
	if have.Exists {
		if err := s.neighbors(n.neighbors, have); err != nil {
			return err
		}
		if err := s.readWireGuard(n.wireguard, have); err != nil {
			return err
		}
	}
	if n.files {
		return s.readFiles(have)
	}
	return nil
}

// rulesOf returns the rules of both families; none of a namespace that is gone.
func (s *session) rulesOf(netns string) (list []object.Rule, err error) {
	c, err := s.conn(netns)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, v6 := range []bool{false, true} {
		var rules []object.Rule
		if err == nil {
			rules, err = c.Rules(v6)
		}
		list = append(list, rules...)
	}
	return list, err
}

func (s *session) neighbors(devices []string, have *plan.State) error {
	conn, err := s.conn(s.netns)
	if err != nil {
		return err
	}
	slices.Sort(devices)
	for _, name := range slices.Compact(devices) {
		l, ok := have.Inside[name]
		if !ok {
			continue
		}
		list, err := conn.Neighbors(l.Index)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, n := range list {
			n.Dev = name
			have.Neighbors = append(have.Neighbors, n)
		}
	}
	return nil
}

// links looks up links by name, with their addresses.
func (s *session) links(netns string, names []string, into map[string]plan.Link) error {
	conn, err := s.conn(netns)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, done := into[name]; done || name == "" {
			continue
		}
		l, err := conn.Link(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
		addresses, err := conn.Addresses(l.Index)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went between the two questions, with its namespace
		}
		if err != nil {
			return err
		}
		into[name] = plan.Link{Link: l, Addresses: addresses}
		s.index[[2]string{netns, name}] = l.Index
	}
	return nil
}

// candidates reads the routes of links that the file wants to take and that are
// not yet where it wants them.
func (s *session) candidates(f *conf.File, have *plan.State) error {
	for _, l := range f.Links {
		name := l.Name.String()
		if l.Kind != "" || name == "lo" {
			continue
		}
		for netns, links := range map[string]map[string]plan.Link{s.netns: have.Inside, "": have.Outside} {
			now, ok := links[name]
			if !ok || now.Routes != nil {
				continue
			}
			conn, err := s.conn(netns)
			if err != nil {
				return err
			}
			if now.Master != 0 {
				master, err := conn.LinkAt(now.Master)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				now.MasterName, now.MasterKind = master.Name, master.Kind
			}
			now.Routes, err = conn.Routes(0, now.Index)
			if errors.Is(err, fs.ErrNotExist) {
				delete(links, name)
				continue
			}
			if err != nil {
				return err
			}
			links[name] = now
		}
	}
	return nil
}

// routes reads the routes of tables in the domain's namespace.
func (s *session) routes(tables []uint32, have *plan.State) error {
	conn, err := s.conn(s.netns)
	if err != nil {
		return err
	}
	byIndex := map[int]string{}
	for name, l := range have.Inside {
		byIndex[l.Index] = name
	}
	for _, table := range tables {
		routes, err := conn.Routes(table, 0)
		if err != nil {
			return err
		}
		for _, r := range routes {
			name, known := byIndex[r.Index]
			if !known && r.Index != 0 {
				if l, err := conn.LinkAt(r.Index); err == nil {
					name, byIndex[r.Index] = l.Name, l.Name
				}
			}
			r.Dev = name
			have.Routes = append(have.Routes, r)
		}
	}
	return nil
}

// vrf reads what only matters for VRFs.
func (s *session) vrf(name string, have *plan.State) error {
	conn, err := s.conn(s.netns)
	if err != nil {
		return err
	}
	if have.VRFs, err = conn.Links("vrf"); err != nil {
		return err
	}
	if have.Rules, err = s.rulesOf(s.netns); err != nil {
		return err
	}
	have.Pinned = pinnedFor(plan.PinOf(s.netns, name).Path)
	return nil
}

// ipv6 reports whether a new link of the domain's namespace can have IPv6
// addresses. What /proc/sys/net shows is the reading thread's namespace.
func (s *session) ipv6() (bool, error) {
	var yes bool
	look := func() error {
		off, err := os.ReadFile("/proc/sys/net/ipv6/conf/default/disable_ipv6")
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a kernel without IPv6
		}
		yes = strings.TrimSpace(string(off)) == "0"
		return err
	}
	if s.ns == nil {
		return yes, look()
	}
	err := s.ns.Inside(look)
	return yes, err
}
