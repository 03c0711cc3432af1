package systemd

import (
	"path"
	"slices"
	"strings"
	"sync"
)

// Order says that a unit is started before another one, where both are to be started.
type Order struct {
	First, Then string
	// Set is the line that says so. It has no file where systemd adds the order by itself.
	Set Setting
}

// orders are the orders of units that are started together, such as with the machine.
type orders struct {
	// started are these units; one that nothing starts holds nothing back. The value is
	// whether it has the orders that systemd adds by default.
	started map[string]bool
	// then has the orders by the unit that is the first one.
	then map[string][]Order
}

func (o *orders) add(list ...Order) {
	for _, order := range list {
		o.then[order.First] = append(o.then[order.First], order)
	}
}

// layers are orders that hold together.
type layers []*orders

func (l layers) started(name string) (defaults, ok bool) {
	for _, o := range l {
		if defaults, ok := o.started[name]; ok {
			return defaults, true
		}
	}
	return false, false
}

func (l layers) then(name string) (list []Order) {
	for _, o := range l {
		list = append(list, o.then[name]...)
	}
	return list
}

// boots are what is started with the machine, by whatever default.target is.
var boots = strings.Fields("default.target graphical.target multi-user.target basic.target sysinit.target network-pre.target network.target")

// earlyTargets are reached before a domain's unit is started: a unit that is
// ordered before one of them can wait for no domain.
var earlyTargets = []string{"sysinit.target", "network-pre.target", "local-fs.target", "local-fs-pre.target", "swap.target"}

// Early returns the orders by which a unit is started before the unit of a domain, the first
// is of the unit itself; nil if nothing says so. domain is the name of that unit. With ""
// only the unit's own orders count, and those of what is started with it, so that the last one
// is an order before an early target.
//
// Together with After= of the domain they would be a circle, and systemd breaks a circle by
// leaving a unit of it out. What counts are the orders of the unit, of what is started with
// it, and of what is started with the machine, from either side: Before= of the one is After=
// of the other. And so do those that systemd adds, see [Units.implied]. A unit counts also
// where nothing but a chain of Before= from the unit speaks of it: something else may start it.
func (us *Units) Early(u *Unit, domain string) []Order {
	var all layers
	if domain != "" {
		all = layers{us.boot(), us.ofDomain(domain)}
	}
	all = append(all, us.startedWith(all, true, u))
	came := map[string]Order{}
	for queue := []string{u.Name}; len(queue) > 0; queue = queue[1:] {
		for _, o := range all.then(queue[0]) {
			_, started := all.started(o.Then)
			goal := o.Then == domain || slices.Contains(earlyTargets, o.Then)
			if _, seen := came[o.Then]; seen || o.Then == u.Name || !started && !goal {
				continue
			}
			came[o.Then] = o
			if goal {
				return trace(came, u.Name, o.Then)
			}
			queue = append(queue, o.Then)
		}
	}
	return nil
}

// trace returns the orders from one unit to another; came has the last one to each.
func trace(came map[string]Order, from, to string) (path []Order) {
	for at := to; at != from; at = came[at].First {
		path = append(path, came[at])
	}
	slices.Reverse(path)
	return path
}

// readBoot reads the orders of what is started with the machine.
func (us *Units) readBoot() *orders {
	var roots []*Unit
	for _, name := range boots {
		if unit := us.ordered(name); unit != nil {
			roots = append(roots, unit)
		}
	}
	return us.startedWith(nil, false, roots...)
}

// ofDomain returns the orders of a domain's unit, and of what is started with it.
func (us *Units) ofDomain(name string) *orders {
	make := sync.OnceValue(func() *orders {
		unit := us.ordered(name)
		if unit == nil { // rdgen writes it, where it is not installed
			settings, _ := us.DropIns(name)
			unit = &Unit{Name: name, Settings: append(Read(path.Join(Etc, Rdomain), RdomainService), settings...)}
		}
		return us.startedWith(layers{us.boot()}, false, unit)
	})
	once, _ := us.domains.LoadOrStore(name, make)
	return once.(func() *orders)()
}

// startedWith returns the orders of units and of all that is started with them, less what is
// in others. chain is whether what they have in Before= is taken for started.
func (us *Units) startedWith(others layers, chain bool, units ...*Unit) *orders {
	o := &orders{map[string]bool{}, map[string][]Order{}}
	all := append(slices.Clone(others), o)
	wanted := map[string][]string{}
	take := func(unit *Unit) (next []string) {
		defaults, _, set := unit.Bool("Unit", "DefaultDependencies")
		o.started[unit.Name] = defaults || !set
		written := us.written(unit)
		o.add(written...)
		o.add(us.implied(unit, defaults || !set)...)
		next = us.pulled(unit)
		if path.Ext(unit.Name) == ".target" {
			wanted[unit.Name] = next
		}
		for _, order := range written {
			if chain && order.First == unit.Name && order.Then != "shutdown.target" {
				next = append(next, order.Then)
			}
		}
		return next
	}
	var queue []string
	for _, unit := range units {
		if _, known := all.started(unit.Name); !known {
			queue = append(queue, take(unit)...)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		if _, known := all.started(us.called(queue[0])); known {
			continue
		}
		if unit := us.ordered(queue[0]); unit != nil {
			queue = append(queue, take(unit)...)
		}
	}
	for target, names := range wanted {
		o.add(all.reached(target, names)...)
	}
	return o
}

// reached returns the orders of a target after what it wants. systemd adds them where both have
// orders by default, and nothing says the contrary (unit_add_default_target_dependency,
// src/core/unit.c).
func (l layers) reached(target string, wants []string) (list []Order) {
	defaults, _ := l.started(target)
	for _, name := range wants {
		contrary := slices.ContainsFunc(l.then(target), func(o Order) bool { return o.Then == name })
		if of, _ := l.started(name); defaults && of && !contrary {
			list = append(list, Order{First: name, Then: target})
		}
	}
	return list
}

// ordered reads a unit of any type; nil if there is none that can be started. A target of
// which the file is not there is taken for one that says nothing: links may want others for it.
func (us *Units) ordered(name string) *Unit {
	unit, _ := us.partly(name) // what can be read of it counts
	if unit == nil && path.Ext(name) == ".target" && us.file(name) == "" && ValidName(name) {
		settings, _ := us.DropIns(name)
		return &Unit{Name: name, Settings: settings}
	}
	return unit
}

// written returns the orders that a unit's own lines have.
func (us *Units) written(unit *Unit) (list []Order) {
	for _, key := range []string{"After", "Before"} {
		for _, set := range unit.All("Unit", key) {
			for _, word := range words([]Setting{set}) {
				order := Order{us.called(expandName(unit.Name, word)), unit.Name, set}
				if key == "Before" {
					order.First, order.Then = order.Then, order.First
				}
				list = append(list, order)
			}
		}
	}
	return list
}

// implied returns the orders that systemd adds for a unit by itself ("Implicit Dependencies"
// and "Default Dependencies" in the manual page of each type), as far as one can be part of a
// circle with a domain. defaults is whether it has the latter.
func (us *Units) implied(unit *Unit, defaults bool) (list []Order) {
	before := func(name string) { list = append(list, Order{First: unit.Name, Then: name}) }
	after := func(name string) { list = append(list, Order{First: name, Then: unit.Name}) }
	suffix := path.Ext(unit.Name)
	if slices.Contains([]string{".service", ".socket", ".timer", ".path"}, suffix) && defaults {
		after("sysinit.target")
	}
	switch suffix {
	case ".service":
		if defaults {
			after("basic.target")
		}
		if unit.Last("Service", "BusName") != "" {
			after("dbus.socket")
		}
	case ".socket", ".timer", ".path":
		if started := us.Started(unit.Name); started != "" {
			before(started)
		}
		if defaults {
			before(suffix[1:] + "s.target")
		}
	case ".mount", ".automount", ".swap":
		if target := mountedFor(unit); defaults && target != "" {
			before(target)
		}
	}
	return list
}

// mountedFor returns the target that waits for a mount, an automount or a swap; "" if none does.
func mountedFor(unit *Unit) string {
	suffix := path.Ext(unit.Name)
	options := strings.Split(unit.Last("Mount", "Options")+","+unit.Last("Swap", "Options"), ",")
	network := []string{"nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "ncpfs", "afs", "gfs", "gfs2", "ocfs2", "pvfs2", "orangefs", "sshfs", "fuse.sshfs"}
	switch {
	case slices.Contains(options, "nofail"):
		return ""
	case suffix == ".swap":
		return "swap.target"
	case slices.Contains(options, "_netdev") || slices.Contains(network, unit.Last("Mount", "Type")):
		return "remote-fs.target"
	}
	return "local-fs.target"
}
