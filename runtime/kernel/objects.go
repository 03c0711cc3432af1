package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/rtnl"
)

// readObjects reads what links have: on has links by the kind of what they may have.
// What is not read here belongs to a kind that the State has a place of its own for.
func (s *Session) readObjects(on map[string][]string, have *plan.State) error {
	c, err := s.Conn(s.Netns)
	if err != nil {
		return err
	}
	have.Objects = map[object.Key]object.Object{}
	for name, l := range have.Inside {
		for _, alt := range l.AltNames {
			a := object.AltName{Netns: s.Netns, Dev: name, Name: alt}
			have.Objects[a.Key()] = a
		}
	}
	if err := s.readVLANs(c, on[object.BridgeVLAN{}.Key().Kind], have); err != nil {
		return err
	}
	names := on[object.Neighbor{}.Key().Kind]
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		l, ok := have.Inside[name]
		if !ok {
			continue
		}
		list, err := c.Neighbors(l.Index)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, n := range list {
			n.Netns, n.Dev = s.Netns, name
			have.Objects[n.Key()] = n
		}
	}
	return nil
}

// readVLANs reads the VLANs of ports and bridges, if any is named.
func (s *Session) readVLANs(c *rtnl.Conn, names []string, have *plan.State) error {
	if len(names) == 0 {
		return nil
	}
	vlans, err := c.BridgeVLANs()
	for _, name := range names {
		l, ok := have.Inside[name]
		for _, v := range vlans[l.Index] {
			if v.Netns, v.Dev, v.Self = s.Netns, name, l.Kind == "bridge"; ok {
				have.Objects[v.Key()] = v
			}
		}
	}
	return err
}

// doOnLink adds, replaces or deletes an object that a link has.
func (s *Session) doOnLink(step object.Step) error {
	return s.on(step.Object.Key().Netns, step.Object.On(), func(c *rtnl.Conn, index int) error {
		switch t := step.Object.(type) {
		case object.Address:
			return c.Address(step.Verb, index, t)
		case object.AltName:
			return c.AltName(step.Verb, index, t.Name)
		case object.BridgeVLAN:
			return c.BridgeVLAN(step.Verb, index, t)
		case object.Neighbor:
			return c.Neighbor(step.Verb, index, t)
		}
		panic(fmt.Sprintf("kernel: no such thing as %T", step.Object))
	})
}
