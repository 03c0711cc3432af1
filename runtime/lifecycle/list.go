package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"rdgen/parallel"
	"rdgen/runtime/conf"
	"rdgen/runtime/dhcp"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// Entry is one domain of List.
type Entry struct {
	ID   string `json:"id"`
	Kind string `json:"kind,omitempty"`
	// State is up, down, partial (something is missing), foreign (made by
	// somebody else), unknown (to all but root), or error.
	State string `json:"state"`
	Table uint32 `json:"table,omitempty"`
	// Links are the members of a VRF, or the links of a namespace but lo.
	Links []string `json:"links"`
	// Interfaces are the same, with what they are.
	Interfaces []Interface `json:"interfaces"`
	// Refused is how many packets were refused to the sockets of a VRF, since a service entered it:
	// they were to leave by, or came by, a link of another domain.
	Refused *uint32 `json:"refused,omitempty"`
	// Publishes are the ports that its file publishes.
	Publishes []Published `json:"publishes,omitempty"`
	// Leases are those of DHCP, of each link that asks for one.
	Leases      []Leased `json:"leases,omitempty"`
	File        string   `json:"file,omitempty"`
	Description string   `json:"description,omitempty"`
	Error       string   `json:"error,omitempty"`
}

// Interface is a link of a domain. Its Kind is "" for hardware.
type Interface struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind,omitempty"`
	Up        bool     `json:"up"`
	Addresses []string `json:"addresses"`
	// Peer and Outer are the link at the other side and the ID of its domain, "" for the
	// default one, as the domain's file has them.
	Peer  string `json:"peer,omitempty"`
	Outer string `json:"outer,omitempty"`
	// Masquerade: what goes out by it is translated in the outer domain.
	Masquerade bool `json:"masquerade,omitempty"`
	// Traffic is what went over it since it was made.
	Traffic
	// Peers are those of a wireguard link.
	Peers []Peer `json:"peers,omitempty"`
}

// Traffic is what went over a link.
type Traffic = rtnl.Traffic

// Peer is a peer of a wireguard link: its public key, and when the last handshake with it was,
// "" for never. Age is how many seconds that is ago.
type Peer struct {
	Key       string `json:"key"`
	Handshake string `json:"handshake,omitempty"`
	Age       int64  `json:"age,omitempty"`
}

// Heard says when there was something of it.
func (p Peer) Heard() string {
	if p.Handshake == "" {
		return "no handshake"
	}
	return fmt.Sprintf("handshake %v ago", time.Duration(p.Age)*time.Second)
}

// peers returns what the peers of a wireguard link are heard of. Who may not know is told
// nothing.
func (w *work) peers(name string) (list []Peer, err error) {
	have, err := w.Peers(name)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, p := range have {
		one := Peer{Key: p.PublicKey}
		if !p.Handshake.IsZero() {
			one.Handshake, one.Age = p.Handshake.Format(time.RFC3339), int64(time.Since(p.Handshake)/time.Second)
		}
		list = append(list, one)
	}
	return list, err
}

// Published is a port of a namespace that the outer domain's addresses have.
type Published struct {
	Protocol string `json:"protocol"`
	// Listen is a port, or an address and a port, of the outer domain, and Connect where
	// the service listens.
	Listen  string `json:"listen"`
	Connect string `json:"connect"`
	Link    string `json:"link"`
}

// published returns the ports that a file publishes, each once.
func published(f *conf.File) (list []Published) {
	for _, s := range f.Publishes {
		listen := s.Listen.String()
		if !s.Listen.Addr().IsValid() {
			listen = strconv.Itoa(int(s.Listen.Port()))
		}
		list = append(list, Published{s.Protocol, listen, s.Connect.String(), s.Link.String()})
	}
	return list
}

// Leased is a lease of a link, and when it ends as the clock has it now; "" for never. A link
// that has no lease now has no address.
type Leased struct {
	Link    string `json:"link"`
	Address string `json:"address,omitempty"`
	Server  string `json:"server,omitempty"`
	Expires string `json:"expires,omitempty"`
}

// leased returns what the links that ask for leases have.
func leased(f *conf.File, leases []object.Lease) (list []Leased) {
	now := dhcp.Uptime()
	for _, l := range f.Links {
		for _, by := range l.Asked() {
			if by == object.Routers {
				continue // resolvers, and no address
			}
			one := Leased{Link: l.Name.String()}
			if lease, ok := l.Leased(leases, by, now); ok {
				one.Address = lease.Address.String()
				if lease.Server.IsValid() {
					one.Server = lease.Server.String()
				}
				if lease.End != 0 {
					one.Expires = time.Now().Add(time.Duration(lease.End-now) * time.Second).Format(time.RFC3339)
				}
			}
			list = append(list, one)
		}
	}
	return list
}

// List returns all domains: those with a file, those that are recorded, all
// namespaces that have a name, and the VRFs of the namespace that rdomain runs
// in; by ID. workers is how many are looked at at once.
func (h *Host) List(workers int) ([]Entry, error) {
	ids, err := h.all()
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(ids))
	parallel.Each(len(ids), workers, func(i int) { entries[i] = h.entry(ids[i]) })
	return entries, nil
}

// Others says which namespaces List leaves out, for no domain can have their names; "" for none.
func Others() (note string, err error) {
	names, err := netns.Others()
	const most = 5
	for i, n := range names {
		switch {
		case i == most:
			note += fmt.Sprintf(" and %d more", len(names)-most)
		case i < most:
			note += fmt.Sprintf(" %q", n)
		}
	}
	if note != "" {
		note = "not listed is what is in " + netns.Run + " by a name that no domain can have:" + note
	}
	return note, err
}

// Recorded returns the domains that are up, as far as rdomain made anything for
// them.
func (h *Host) Recorded() ([]domain.ID, error) {
	if h.store == nil {
		return nil, nil
	}
	return h.store.IDs()
}

func (h *Host) all() ([]domain.ID, error) {
	ids, err := Files()
	if err != nil {
		return nil, err
	}
	// Domains that a file of another name defines are that file's.
	defined := map[string]bool{}
	for _, id := range ids {
		if f, err := conf.Read(id); err == nil && f.Domain.ID() != id.String() {
			defined[f.Domain.ID()] = true
		}
	}
	if h.store != nil {
		recorded, err := h.store.IDs()
		if err != nil {
			return nil, err
		}
		ids = append(ids, recorded...)
	}
	names, err := netns.Names()
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if id, err := domain.ParseID(n.String()); err == nil && !defined[n.String()] {
			ids = append(ids, id)
		}
	}
	c, err := rtnl.Open()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	vrfs, err := c.Links("vrf")
	if err != nil {
		return nil, err
	}
	for _, v := range vrfs {
		if id, err := domain.ParseID(v.Name); err == nil && !defined[v.Name] {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b domain.ID) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(ids), nil
}

func (h *Host) entry(id domain.ID) Entry {
	e := Entry{ID: id.String(), Links: []string{}, Interfaces: []Interface{}}
	v, err := h.look(id)
	if errors.Is(err, fs.ErrPermission) { // what its file says is known all the same
		e.State, e.Error = "unknown", "only root can look inside"
		if f, err := conf.Read(id); err == nil {
			e.Kind, e.Description, e.Table, e.File = string(f.Kind), f.Description, f.Table, f.Path
		}
		return e
	}
	if err != nil {
		e.State, e.Error = "error", err.Error()
		return e
	}
	e.Kind, e.Description = string(v.f.Kind), v.f.Description
	if v.file != nil {
		e.File = v.f.Path
	}
	e.Links = append(e.Links, v.links...)
	e.Interfaces = append(e.Interfaces, v.interfaces...)
	e.Refused = v.refused
	if v.exists() && v.kind == ours {
		e.Leases = leased(v.f, v.r.Leases)
	}
	e.Publishes = published(v.f)
	e.Table = v.f.Table
	if vrf, ok := v.have.Inside[v.f.Domain.VRF.String()]; ok && e.Table == 0 {
		e.Table = vrf.Table
	}
	steps, err := v.steps()
	if err != nil {
		e.Error = err.Error()
	} else if h.isAbandoned(v.id) {
		e.Error = abandoned + "; " + wayOut(v.id)
	}
	switch {
	case !v.exists() && v.r.Empty() && !v.have.Stale:
		e.State = "down"
	case v.kind != ours:
		e.State = "foreign"
	case len(steps) > 0 || err != nil:
		e.State = "partial"
	default:
		e.State = "up"
	}
	return e
}
