// Package identify says in which routing domain a process is. It believes the kernel:
// the process's namespace, and the programs that run when its cgroup makes a
// socket; not what some file says about how the process was started.
package identify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/netns"
	"rdgen/runtime/rtnl"
)

// Location is where a process is: its domain.
type Location struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	// ID is the domain's ID, "" for the default domain, or where Note says that
	// there is none. Where Unknown is set, it is what is known: the namespace.
	ID    string `json:"id"`
	Netns string `json:"netns,omitempty"`
	VRF   string `json:"vrf,omitempty"`
	// Unnamed is true in a namespace that is neither named nor that of rdomain:
	// some container's.
	Unnamed bool `json:"unnamed,omitempty"`
	// Outlived is the ID of a domain that was taken down while this process ran in
	// it: it still is in what the domain was, whatever has its name now.
	Outlived string `json:"outlived,omitempty"`
	// Gone: the link that its sockets are bound to does not exist any more.
	Gone bool `json:"gone,omitempty"`
	// Leaves: nothing keeps its sockets in its VRF; Note has it too.
	Leaves bool `json:"leaves,omitempty"`
	// Delegated says who, other than root, can take it out of its VRF; Note has it too.
	Delegated string `json:"delegated,omitempty"`
	// Note says what is odd, or what could not be seen.
	Note string `json:"note,omitempty"`
	// Unknown says why it is not known whether the process is in a VRF, and in
	// which; "" if it is known.
	Unknown string `json:"unknown,omitempty"`
}

// Looker looks at processes. It remembers what processes of one namespace or one
// cgroup have in common, so it is to be used for one look and not kept.
type Looker struct {
	names map[netns.ID]string
	// first is the namespace of the default domain, and firstOf a process of it.
	first   netns.ID
	firstOf string
	bound   map[string]binding
	// root is the root of the cgroup2 hierarchy, -1 before it was asked for or
	// where it cannot be had, for the reason rootErr.
	root    int
	rootErr error
	// past are domains that are down, and were not empty then.
	past []Past
}

// binding is what happens to a socket that a process of a cgroup makes.
type binding struct {
	ifindex uint32
	note    string
	unknown string // why ifindex is not known
	// leaves: nothing keeps the socket there (enter.Kept).
	leaves bool
	// delegated is Location.Delegated.
	delegated string
}

// New reads the names of all namespaces. The default domain is what the caller is in; where that
// is a domain's namespace, as in the session of who logged in there, it is what pid 1 is in. The
// caller closes the Looker.
func New() (*Looker, error) {
	self, err := netns.Self()
	if err != nil {
		return nil, err
	}
	defer self.Close()
	l := &Looker{names: map[netns.ID]string{}, first: self.ID(), firstOf: "thread-self", bound: map[string]binding{}, root: -1}
	names, err := netns.Names()
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(names) {
		if id, err := netns.Lookup(n.String()); err == nil {
			l.names[id] = n.String()
		}
	}
	if l.names[l.first] == "" {
		return l, nil
	}
	// Who may not look at pid 1 may look at no other's process.
	if ns, err := netns.OpenPath("/proc/1/ns/net"); err == nil {
		l.first, l.firstOf = ns.ID(), "1"
		ns.Close()
	}
	return l, nil
}

// Default returns a process of the default domain, as a folder of /proc: thread-self, or 1.
func (l *Looker) Default() string { return l.firstOf }

// Close closes what was opened to look.
func (l *Looker) Close() {
	if l.root >= 0 {
		unix.Close(l.root)
	}
}

// Process returns the domain of a process. The error matches fs.ErrNotExist if
// there is no such process, and fs.ErrPermission if the caller may not look at it:
// processes of other users need CAP_SYS_PTRACE. Their VRF needs CAP_NET_ADMIN and
// CAP_BPF; without them, Location.Unknown is set.
func (l *Looker) Process(pid int) (Location, error) {
	at := Location{PID: pid, Command: command(pid)}
	proc := "/proc/" + strconv.Itoa(pid)
	ns, err := netns.OpenPath(proc + "/ns/net")
	if errors.Is(err, fs.ErrNotExist) && hidden(pid) {
		return at, fmt.Errorf("%s is hidden (hidepid= of its mount): %w", proc, fs.ErrPermission)
	}
	if err != nil {
		return at, err
	}
	defer ns.Close()
	var named bool
	if at.Netns, named = l.names[ns.ID()]; !named && ns.ID() != l.first {
		at.Unnamed = true
		if err := l.remembered(&at, ns); err != nil {
			return at, err
		}
		at.note(fmt.Sprintf("in a network namespace without a name (net:[%d])", ns.ID().Ino))
	}
	cgroup, err := os.ReadFile(proc + "/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(proc) // a kernel without cgroups has no such file
	}
	if err != nil {
		return at, err
	}
	if path, ok := enter.CgroupOf(string(cgroup)); ok {
		if err := l.vrf(&at, ns, path); err != nil {
			return at, err
		}
	}
	if !at.Unnamed {
		at.ID = domain.SpellID(at.Netns, at.VRF)
	}
	return at, nil
}

// hidden reports whether there is a process that /proc does not show: a signal
// still finds it.
func hidden(pid int) bool {
	_, err := os.Stat("/proc/" + strconv.Itoa(pid))
	return errors.Is(err, fs.ErrNotExist) && unix.Kill(pid, 0) != unix.ESRCH
}

// vrf finds the VRF of a process of a cgroup in the namespace ns.
func (l *Looker) vrf(at *Location, ns *netns.NS, cgroup string) error {
	b := l.binding(cgroup)
	at.note(b.note)
	switch {
	case b.ifindex != 0:
		if err := l.name(at, ns, b.ifindex); err != nil {
			return err
		}
		if at.VRF != "" && b.leaves {
			at.Leaves = true
			at.note("its sockets can leave the vrf: the programs of rdexec that keep them there are not attached")
		}
		if at.VRF != "" {
			at.Delegated = b.delegated
			at.note(b.delegated)
		}
	case b.unknown == "":
	case ipVRF(cgroup) != "":
		at.VRF = ipVRF(cgroup)
		at.note("the vrf is what the name of its cgroup says, as " + b.unknown)
	default:
		at.Unknown = b.unknown
	}
	return nil
}

func (at *Location) note(s string) {
	if s != "" && at.Note != "" {
		s = at.Note + "; " + s
	} else if s == "" {
		s = at.Note
	}
	at.Note = s
}

// name finds what an ifindex is called in the process's namespace.
func (l *Looker) name(at *Location, ns *netns.NS, ifindex uint32) error {
	return ns.Inside(func() error {
		c, err := rtnl.Open()
		if err != nil {
			return err
		}
		defer c.Close()
		link, err := c.LinkAt(int(ifindex))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			at.Gone = true
			l.gone(at, ns.ID(), ifindex)
			at.note(fmt.Sprintf("bound to ifindex %d, which does not exist (any more) in its namespace", ifindex))
			return nil
		case err != nil:
			return err
		case link.Kind != "vrf":
			at.note(fmt.Sprintf("bound to link %s, which is not a vrf", link.Name))
			return nil
		}
		at.VRF = link.Name
		return nil
	})
}

// binding looks at a cgroup, once.
func (l *Looker) binding(path string) binding {
	b, ok := l.bound[path]
	if !ok {
		b = l.look(path)
		l.bound[path] = b
	}
	return b
}

func (l *Looker) look(path string) binding {
	unknown := func(err error) binding {
		return binding{unknown: fmt.Sprintf("the programs of cgroup %s cannot be seen: %v", path, err)}
	}
	if l.root < 0 && l.rootErr == nil {
		l.root, l.rootErr = enter.CgroupRoot()
	}
	if l.rootErr != nil {
		return unknown(l.rootErr)
	}
	dir, err := enter.OpenCgroup(l.root, path)
	if err == unix.EXDEV {
		err = errors.New("it lies outside of this process's cgroup namespace")
	}
	if err != nil {
		return unknown(err)
	}
	defer unix.Close(dir)
	programs, err := effective(dir)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return binding{} // a kernel without CONFIG_CGROUP_BPF has none
	}
	if err != nil {
		return unknown(err)
	}
	kept, err := enter.Kept(dir)
	if err != nil {
		return unknown(err)
	}
	to, err := l.delegated(path)
	if err != nil {
		return unknown(err)
	}
	ifindex, known := bound(programs)
	if known {
		return binding{ifindex: ifindex, leaves: !kept, delegated: to}
	}
	var names []string
	for _, p := range programs {
		if !p.known {
			names = append(names, fmt.Sprintf("%d (%s)", p.id, p.name))
		}
	}
	b := binding{ifindex: ifindex, leaves: !kept, delegated: to, note: "its cgroup has a program that may bind it elsewhere: " + strings.Join(names, ", ")}
	if ifindex == 0 {
		b.note, b.unknown = "", b.note
	}
	return b
}

// ipVRF returns the VRF that a cgroup's path names in the way of `ip vrf exec`:
// .../vrf/NAME, perhaps with more below.
func ipVRF(path string) string {
	_, rest, ok := strings.Cut(path+"/", "/vrf/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func command(pid int) string {
	comm, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return strings.TrimSuffix(string(comm), "\n")
}
