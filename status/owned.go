package status

import (
	"slices"

	"rdgen/problem"
	"rdgen/runtime/process"
	"rdgen/services"
)

// owned are the processes of a service.
type owned struct {
	list []Seen
	// main is the pid that the init system knows, or is alike it: the one whose parent is
	// none of them.
	main int
	// restart is the command after which they are where the file says; again starts the
	// service once more by what the init system has already, "" where that is no other.
	restart, again string
	// reopen is the command that gives it other sockets, "" where it makes them itself.
	reopen string
	// recorded is where that has it started.
	recorded string
}

// PIDs returns the processes of a service.
func (o owned) PIDs() (pids []int) {
	for _, p := range o.list {
		pids = append(pids, p.PID)
	}
	return pids
}

// Owned finds the processes of a service: those of its cgroup, its supervisor's child, that of
// its pid file, and what they made.
func (m Machine) Owned(d Declared) (o owned) {
	is := map[int]bool{}
	byParent := map[int][]Seen{}
	for _, p := range m.Processes {
		byParent[p.Parent] = append(byParent[p.Parent], p)
	}
	var add func(p Seen)
	add = func(p Seen) {
		if is[p.PID] {
			return
		}
		is[p.PID] = true
		for _, child := range byParent[p.PID] {
			if unit := process.Unit(child.Cgroup); unit == process.Unit(p.Cgroup) || unit == "" {
				add(child) // in another cgroup it is another's
			}
		}
	}
	for _, t := range d.Traces {
		before := len(is)
		var seen []string
		main, supervisors := 0, m.supervisors(t)
		for _, p := range m.Processes {
			by, supervised := supervisors[p.Parent]
			switch {
			case supervised:
				main = p.PID
				if by.Dir != "" && o.again == "" {
					o.again = problem.Command("s6-svc", "-r", by.Dir)
				}
				add(p)
			case slices.ContainsFunc(t.PIDFiles, func(f services.PIDFile) bool { return names(f, p) }) && p.Supervises == "":
				if main == 0 {
					main = p.PID
				}
				add(p)
			case t.Of(process.Unit(p.Cgroup)) && !ofInit(p):
				add(p)
			}
			if is[p.PID] {
				seen = append(seen, process.Unit(p.Cgroup))
			}
		}
		if len(is) > before && o.restart == "" {
			o.main, o.restart, o.reopen, o.recorded = main, t.RestartOf(seen), t.ReopenOf(seen), t.Recorded
		}
	}
	for _, p := range m.Processes {
		if is[p.PID] || m.deserted(p, is) {
			o.list = append(o.list, p)
		}
	}
	if o.main == 0 {
		for _, p := range o.list {
			if !is[p.Parent] {
				o.main = p.PID
				break
			}
		}
	}
	return o
}

// supervisors returns those of a service, by their pids.
func (m Machine) supervisors(t services.Trace) map[int]Seen {
	found := map[int]Seen{}
	for _, p := range m.Processes {
		if t.Supervised != "" && p.Supervises == t.Supervised {
			found[p.PID] = p
		}
	}
	return found
}

// deserted reports whether a process is of the session of a service's main process, without
// having a parent of it: its parent has ended.
func (m Machine) deserted(p Seen, is map[int]bool) bool {
	return is[p.Session] && slices.ContainsFunc(m.Processes, func(l Seen) bool {
		return l.PID == p.Session && process.Unit(l.Cgroup) == process.Unit(p.Cgroup)
	})
}

// closesPAM reports whether a process is not the service's, but systemd's: beside that which
// systemd started it closes the PAM session when that has ended. It makes no connection of the
// service's, and no restart would have it elsewhere.
func (o owned) closesPAM(p Seen) bool {
	parent, ok := o.process(p.Parent)
	return ok && p.ClosesPAM && parent.Parent == 1
}

// ofInit reports whether a process of a service's cgroup is the init system's own.
func ofInit(p Seen) bool {
	return p.Supervises != "" || p.Command == "openrc-run" || p.Command == "openrc-run.sh"
}

// names reports whether a pid file is about a process: one that began after it was written
// has the number of another.
func names(f services.PIDFile, p Seen) bool {
	const written = 1e9 // a file system may know seconds
	return f.PID == p.PID && !p.Began.After(f.Written.Add(written))
}
