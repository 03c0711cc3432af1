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

	"rdgen/runtime/netns"
	"rdgen/runtime/rtnl"
)

// Location is where a process is: its domain.
type Location struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	// ID is the domain's ID, "" for the default domain, or where Note says
	// that there is none.
	ID    string `json:"id"`
	Netns string `json:"netns,omitempty"`
	VRF   string `json:"vrf,omitempty"`
	// Unnamed is true in a namespace that is neither named nor that of rdomain:
	// some container's.
	Unnamed bool `json:"unnamed,omitempty"`
	// Note says what is odd, or what could not be seen.
	Note string `json:"note,omitempty"`
}

// Looker looks at processes. It remembers what processes of one namespace or one
// cgroup have in common, so it is to be used for one look and not kept.
type Looker struct {
	names   map[netns.ID]string
	self    netns.ID
	cgroup2 string // "" if it is not mounted
	bound   map[string]binding
	// Blind says, after the first process, why the programs of cgroups cannot
	// be seen; "" if they can. Only what ip-vrf(8) has put into a VRF is seen
	// then.
	Blind string
}

type binding struct {
	ifindex uint32
	note    string
	// byPath: the cgroup's name is all there is to go by.
	byPath bool
}

// New reads the names of all namespaces.
func New() (*Looker, error) {
	self, err := netns.Self()
	if err != nil {
		return nil, err
	}
	defer self.Close()
	l := &Looker{names: map[netns.ID]string{}, self: self.ID(), bound: map[string]binding{}}
	names, err := netns.Names()
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(names) {
		if id, err := netns.Lookup(n.String()); err == nil {
			l.names[id] = n.String()
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	l.cgroup2 = mountOf(string(mounts), "cgroup2")
	return l, nil
}

// mountOf returns the first mount point of a file system type in the text of
// /proc/self/mounts.
func mountOf(mounts, fstype string) string {
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == fstype {
			return f[1]
		}
	}
	return ""
}

// Process returns the domain of a process. The error matches fs.ErrNotExist if there
// is no such process. It needs CAP_SYS_PTRACE for processes of other users.
func (l *Looker) Process(pid int) (Location, error) {
	at := Location{PID: pid, Command: command(pid)}
	proc := "/proc/" + strconv.Itoa(pid)
	ns, err := netns.OpenPath(proc + "/ns/net")
	if err != nil {
		return at, err
	}
	defer ns.Close()
	var named bool
	if at.Netns, named = l.names[ns.ID()]; !named && ns.ID() != l.self {
		at.Unnamed = true
		at.Note = fmt.Sprintf("in a network namespace without a name (net:[%d])", ns.ID().Ino)
	}
	cgroup, err := os.ReadFile(proc + "/cgroup")
	if err != nil {
		return at, err
	}
	path := unified(string(cgroup))
	b := l.binding(path)
	at.note(b.note)
	switch {
	case b.ifindex != 0:
		if err := at.name(ns, b.ifindex); err != nil {
			return at, err
		}
	case b.byPath:
		at.VRF = ipVRF(path)
	}
	if !at.Unnamed {
		at.ID = id(at.Netns, at.VRF)
	}
	return at, nil
}

func id(netns, vrf string) string {
	switch {
	case vrf == "":
		return netns
	case netns == "":
		return vrf
	}
	return vrf + "@" + netns
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
func (at *Location) name(ns *netns.NS, ifindex uint32) error {
	return ns.Inside(func() error {
		c, err := rtnl.Open()
		if err != nil {
			return err
		}
		defer c.Close()
		l, err := c.LinkAt(int(ifindex))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			at.note(fmt.Sprintf("bound to ifindex %d, which does not exist (any more) in its namespace", ifindex))
			return nil
		case err != nil:
			return err
		case l.Kind != "vrf":
			at.note(fmt.Sprintf("bound to link %s, which is not a vrf", l.Name))
			return nil
		}
		at.VRF = l.Name
		return nil
	})
}

// binding returns what happens to a socket that a process of a cgroup makes.
func (l *Looker) binding(path string) binding {
	b, ok := l.bound[path]
	if !ok {
		b = l.look(path)
		l.bound[path] = b
	}
	return b
}

func (l *Looker) look(path string) binding {
	switch {
	case l.cgroup2 == "":
		return binding{} // no cgroup2, no cgroup programs
	case path == "":
		return binding{note: "in no cgroup of version 2"}
	}
	fd, err := unix.Open(l.cgroup2+path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return binding{note: fmt.Sprintf("cannot look at its cgroup %s: %v", path, err), byPath: true}
	}
	defer unix.Close(fd)
	programs, err := effective(fd)
	if err != nil {
		l.Blind = err.Error()
		return binding{byPath: true}
	}
	ifindex, known := bound(programs)
	if known {
		return binding{ifindex: ifindex}
	}
	var names []string
	for _, p := range programs {
		if !p.known {
			names = append(names, fmt.Sprintf("%d (%s)", p.id, p.name))
		}
	}
	return binding{ifindex: ifindex, note: "its cgroup has a program that may bind it elsewhere: " + strings.Join(names, ", ")}
}

// unified returns the path of a process's version 2 cgroup from the text of
// /proc/PID/cgroup, "" if it has none.
func unified(cgroup string) string {
	for line := range strings.Lines(cgroup) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path
		}
	}
	return ""
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

// Processes returns the processes for which keep is true, by pid. Those that end
// meanwhile are left out; unseen is the number of those that may not be looked
// at.
func (l *Looker) Processes(keep func(Location) bool) (list []Location, unseen int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		at, err := l.Process(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) {
			unseen++
			continue
		}
		if err != nil {
			return nil, unseen, err
		}
		if keep(at) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b Location) int { return a.PID - b.PID })
	return list, unseen, nil
}
