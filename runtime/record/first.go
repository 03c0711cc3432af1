package record

import (
	"encoding/json"
	"fmt"
	"slices"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
)

// parseFirst reads a record of version 1: a list for each kind of object, called as
// the kind in the plural. Lists say nothing of the order between them, so the order
// is that in which up makes the kinds.
func parseFirst(data []byte) (*Record, error) {
	var head struct {
		File     string
		Netns    domain.NetnsName
		VRF      domain.LinkName
		Requires []domain.ID
		Home     netns.ID
		Made     *struct {
			Name domain.NetnsName
			ID   netns.ID
		}
		Pin      json.RawMessage
		Complete bool
	}
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &lists); err != nil {
		return nil, err
	}
	known := []string{"file", "netns", "vrf", "requires", "home", "made", "pin", "complete"}
	r := &Record{Version: version, File: head.File, Domain: domain.Domain{Netns: head.Netns, VRF: head.VRF},
		Requires: head.Requires, Home: head.Home, Complete: head.Complete}
	if head.Made != nil {
		r.Put(Entry{Object: object.Netns{Name: head.Made.Name}, Made: Identity{Netns: head.Made.ID}})
	}
	if head.Pin != nil {
		if err := r.putFirst("pin", head.Pin); err != nil {
			return nil, err
		}
	}
	plural := map[string]string{"address": "addresses", "taken": "taken"}
	for _, kind := range object.Kinds() {
		name, ok := plural[kind]
		if !ok {
			name = kind + "s"
		}
		known = append(known, name)
		var list []json.RawMessage
		if lists[name] == nil {
			continue
		}
		if err := json.Unmarshal(lists[name], &list); err != nil {
			return nil, err
		}
		for _, data := range list {
			if err := r.putFirst(kind, data); err != nil {
				return nil, err
			}
		}
	}
	for name := range lists {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%q is not known here", name)
		}
	}
	return r, nil
}

// putFirst adds an object as version 1 wrote it: its identity, or the value that it
// had before, stood among its own members.
func (r *Record) putFirst(kind string, data []byte) error {
	o, err := object.Unmarshal(kind, data)
	if err != nil {
		return err
	}
	var more struct {
		Index     int
		PeerIndex int      `json:"peer_index"`
		OuterID   netns.ID `json:"outer_id"`
		Old       string
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return err
	}
	e := Entry{Object: o}
	switch t := o.(type) {
	case object.Taken:
		t.Netns = r.Domain.Netns
		e = Entry{Object: t, Made: Identity{Index: more.Index}}
	case object.Link:
		e.Made = Identity{Index: more.Index, Peer: more.PeerIndex, Outer: more.OuterID}
	case object.Sysctl:
		old := t
		old.Value = more.Old
		e.Old = old
	case object.Route:
		// The end of a VRF's table is there before anything is in the table.
		if t.Type != "unicast" {
			at := slices.IndexFunc(r.Entries, func(e Entry) bool { _, ok := e.Object.(object.Link); return ok })
			if at >= 0 {
				r.Entries = slices.Insert(r.Entries, at, e)
				return nil
			}
		}
	}
	r.Put(e)
	return nil
}
