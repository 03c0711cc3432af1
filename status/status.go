// Package status says which service is where, and whether it should be: what the files of
// services and domains say, beside what the kernel and the init systems have. It reads
// nothing; what it is given, it compares.
package status

import (
	"slices"
	"strings"
	"time"

	"rdgen/runtime/domain"
	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
	"rdgen/runtime/process"
	"rdgen/services"
)

// Declared is a service that a file puts into a domain.
type Declared struct {
	Name   string
	Domain domain.Domain
	File   string
	Line   int
	// Changed is when the file was, as far as that is known.
	Changed time.Time
	// SocketsStay: the service is given sockets of the default domain, and that is meant.
	SocketsStay bool
	Traces      []services.Trace
	// Error is why the file cannot be followed, or "".
	Error string
}

// Seen is a process, and what the caller may see of it.
type Seen struct {
	process.Process
	At identify.Location
	// Unseen is why At, and what is below, are not known; or "".
	Unseen  string
	Listens []Listener
	// ClosesPAM: it is systemd's own, and waits for its parent (process.ClosesPAM).
	ClosesPAM bool
	// HostResolver: it looks up names by the host's file, although its domain has one.
	HostResolver bool
}

// Machine is all that there is to compare.
type Machine struct {
	Services  []Declared
	Domains   []lifecycle.Entry
	Processes []Seen
	// Waiting are the sockets that systemd has open for a socket unit, of the default domain and
	// of the namespaces that have a name.
	Waiting []Waiting
	// Unseen are sentences about what else of services could not be seen, and Notes about what
	// is of no service's concern.
	Unseen, Notes []string
}

// Waiting is a socket that systemd listens at for a socket unit.
type Waiting struct {
	Unit  string // "ssh.socket"
	Netns string // the name of its namespace, "" for the default one
	Listener
	// Bound: to a link, which may be a VRF.
	Bound bool
}

// Report is what is where. Its fields are those of rdgen-status(8), JSON.
type Report struct {
	Domains []Domain `json:"domains"`
	// Broken are the services of which the file cannot be followed.
	Broken []Broken `json:"broken"`
	// Unseen says what of the services could not be seen.
	Unseen []string `json:"unseen"`
	// Notes are worth knowing.
	Notes []string `json:"notes"`
	// Drift is the number of things that are where they should not be.
	Drift int `json:"drift"`
}

// Domain is a domain with the services that belong there.
type Domain struct {
	lifecycle.Entry
	Services []Service `json:"services"`
	// Others are the processes in it that belong to no service of a domain.
	Others []Other `json:"others"`
}

// Service is a service with its processes.
type Service struct {
	Name  string   `json:"name"`
	File  string   `json:"file"`
	Line  int      `json:"line"`
	Inits []string `json:"inits"`
	// State is running or stopped.
	State string `json:"state"`
	// Main is the process that the init system knows, 0 for none.
	Main      int       `json:"main,omitempty"`
	Processes []Process `json:"processes"`
	Drift     []Drift   `json:"drift"`
}

// Process is a process of a service.
type Process struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	// ID is where it is: the domain's ID, "" for the default domain; see Place.
	ID string `json:"id"`
	// Place says where it is, for people.
	Place   string     `json:"place"`
	Listens []Listener `json:"listens"`
	Note    string     `json:"note,omitempty"`
}

// Listener is where a process listens.
type Listener struct {
	Protocol string `json:"protocol"`
	Address  string `json:"address"`
	// Outside: the socket is in the default domain, or bound to no link, and the process is in
	// another domain.
	Outside bool `json:"outside,omitempty"`
	// Gone: the socket is bound to a device that is gone, and hears nothing.
	Gone bool `json:"gone,omitempty"`
}

// Other is a process in a domain that belongs to no service of a domain.
type Other struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	// Unit is the service that its cgroup says, or "".
	Unit string `json:"unit,omitempty"`
}

// Broken is a service of which the file cannot be followed.
type Broken struct {
	Service string `json:"service"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Error   string `json:"error"`
}

// Wrong reports whether something is where it should not be, or may be.
func (r Report) Wrong() bool { return r.Drift+len(r.Broken)+len(r.Unseen) > 0 }

// Of compares.
func Of(m Machine) Report {
	r := Report{Domains: []Domain{}, Broken: []Broken{}, Unseen: append([]string{}, m.Unseen...), Notes: append([]string{}, m.Notes...)}
	for _, e := range m.Domains {
		r.Domains = append(r.Domains, Domain{Entry: e, Services: []Service{}, Others: []Other{}})
	}
	owned := map[int]bool{}
	for _, d := range m.Services {
		if d.Error != "" {
			r.Broken = append(r.Broken, Broken{d.Name, d.File, d.Line, d.Error})
			continue
		}
		s, unseen := m.service(d, owned)
		r.Unseen = append(r.Unseen, unseen...)
		r.Drift += len(s.Drift)
		at := r.domain(d.Domain.ID())
		at.Services = append(at.Services, s)
	}
	for _, p := range m.Processes {
		if id := p.At.ID; p.Unseen == "" && id != "" && !owned[p.PID] {
			at := r.domain(id)
			at.Others = append(at.Others, Other{p.PID, p.Command, process.Unit(p.Cgroup)})
		}
	}
	return r
}

// domain returns the domain of an ID; one that nobody knows is down.
func (r *Report) domain(id string) *Domain {
	at := slices.IndexFunc(r.Domains, func(d Domain) bool { return d.ID == id })
	if at < 0 {
		at, _ = slices.BinarySearchFunc(r.Domains, id, func(d Domain, id string) int { return strings.Compare(d.ID, id) })
		e := lifecycle.Entry{ID: id, State: "down", Links: []string{}, Interfaces: []lifecycle.Interface{}}
		r.Domains = slices.Insert(r.Domains, at, Domain{Entry: e, Services: []Service{}, Others: []Other{}})
	}
	return &r.Domains[at]
}

// service is one service, and what could not be seen of it.
func (m Machine) service(d Declared, all map[int]bool) (s Service, unseen []string) {
	s = Service{Name: d.Name, File: d.File, Line: d.Line, Inits: []string{}, State: "stopped", Processes: []Process{}, Drift: []Drift{}}
	for _, t := range d.Traces {
		s.Inits = append(s.Inits, t.Init)
	}
	own := m.Owned(d)
	defer func() { s.Drift = append(s.Drift, m.waiting(d, own)...) }()
	if len(own.list) == 0 {
		return s, nil
	}
	s.State, s.Main = "running", own.main
	if own.reopen != "" && len(m.astray(d)) > 0 {
		own.restart = own.reopen // else its sockets would stay where they are
	}
	for _, p := range own.list {
		all[p.PID] = true
		at := Process{PID: p.PID, Command: p.Command, ID: p.At.ID, Place: place(p), Listens: append([]Listener{}, p.Listens...), Note: p.At.Note}
		closesPAM := own.closesPAM(p)
		if closesPAM {
			at.Place += ", as systemd's own process that closes the PAM session"
		}
		s.Processes = append(s.Processes, at)
		if why := unknown(p); why != "" {
			unseen = append(unseen, said(d.Name, p.PID, p.Command)+": "+why)
			continue
		}
		if !closesPAM {
			s.Drift = append(s.Drift, own.drift(d, p)...)
		}
	}
	return s, unseen
}

// place says where a process is.
func place(p Seen) string {
	switch at := p.At; {
	case unknown(p) != "":
		return "not known"
	case at.Outlived != "":
		return "what " + at.Outlived + " was"
	case at.Unnamed:
		return "a network namespace without a name"
	case at.Gone:
		return "a vrf that is gone"
	case at.ID == "":
		return "the default domain"
	default:
		return at.ID
	}
}

// unknown is why it is not known where a process is, or "".
func unknown(p Seen) string {
	if p.Unseen != "" {
		return p.Unseen
	}
	return p.At.Unknown
}
