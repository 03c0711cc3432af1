// Package record remembers below /run/rdomain what rdomain made, so that down
// removes that and nothing else, also after the domain's file was edited.
//
// What is about to be made is written down before, without an identity; the
// identity follows when it exists. So after a crash there is an entry for
// everything that may have been made.
package record

import (
	"encoding/json"
	"errors"
	"slices"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
)

// Record is what rdomain made for one domain: a list. To go through it backwards
// and to remove each entry, or give back what it replaced, is down.
type Record struct {
	// Version is that of the format. Save sets it, Load understands the older ones.
	Version int `json:"version"`
	// File is the domain's file, "" if it was made without one.
	File   string        `json:"file,omitempty"`
	Domain domain.Domain `json:"domain"`
	// Requires are the domains that were brought up before.
	Requires []domain.ID `json:"requires,omitempty"`
	// Home is the namespace that rdomain ran in: the outside of the domain.
	Home netns.ID `json:"home"`
	// Entries are in the order in which they were made. Rules that VRFs share are
	// in Rules instead.
	Entries []Entry `json:"entries"`
	// Leases are what DHCP servers gave links. What came of them is in Entries.
	Leases []object.Lease `json:"leases,omitempty"`
	// Complete is set when an up came to its end.
	Complete bool `json:"complete"`
}

// version is what Save writes. Version 1, which had a list for each kind of object
// and no number, is read too.
const version = 2

// Entry is one object that was made, changed or taken.
type Entry struct {
	// Object is it as it was made; a link that was taken is an object.Taken.
	Object object.Object
	// Made is its identity, zero until it exists.
	Made Identity
	// Old is what it replaced and what down gives back, of the same kind; nil if
	// down removes the object.
	Old object.Object
}

// Identity tells an object from a later one of the same name, as far as it has one.
type Identity struct {
	// Index is the ifindex of a link, in the domain.
	Index int `json:"index,omitempty"`
	// Peer is the ifindex of a veth's other end, outside. That end can outlive the
	// namespace's name: as long as a process is left inside.
	Peer int `json:"peer_index,omitempty"`
	// Netns is the namespace, of one that rdomain made.
	Netns netns.ID `json:"netns,omitzero"`
	// Outer is the namespace of a link's other side, where it is a third one: a
	// link does not survive it, or is of no use.
	Outer netns.ID `json:"outer,omitzero"`
}

// entryJSON is an Entry in JSON.
type entryJSON struct {
	Kind   string          `json:"kind"`
	Object json.RawMessage `json:"object"`
	Made   Identity        `json:"made,omitzero"`
	Old    json.RawMessage `json:"old,omitempty"`
}

// MarshalJSON writes the objects with their kind.
func (e Entry) MarshalJSON() ([]byte, error) {
	j := entryJSON{Kind: e.Object.Key().Kind, Made: e.Made}
	var err, oldErr error
	j.Object, err = json.Marshal(e.Object)
	if e.Old != nil {
		j.Old, oldErr = json.Marshal(e.Old)
	}
	if err := errors.Join(err, oldErr); err != nil {
		return nil, err
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var j entryJSON
	err := json.Unmarshal(data, &j)
	if err != nil {
		return err
	}
	e.Made = j.Made
	if e.Object, err = object.Unmarshal(j.Kind, j.Object); err != nil || j.Old == nil {
		return err
	}
	e.Old, err = object.Unmarshal(j.Kind, j.Old)
	return err
}

// Clone returns a copy whose list is its own.
func (r *Record) Clone() *Record {
	c := *r
	c.Entries = slices.Clone(r.Entries)
	return &c
}

// Empty reports whether nothing would have to be removed.
func (r *Record) Empty() bool { return len(r.Entries) == 0 }

// Find returns the entry of an object, so that it can be changed in place; nil if
// it is not recorded.
func (r *Record) Find(k object.Key) *Entry {
	for i := range r.Entries {
		if r.Entries[i].Object.Key() == k {
			return &r.Entries[i]
		}
	}
	return nil
}

// Put replaces the entry of the same object, or appends one. Resolver files come
// first: nobody may enter the namespace without them, neither before they are made
// nor after they are gone. Then comes the namespace, also one that is made again:
// what was in it must be gone before it goes.
func (r *Record) Put(e Entry) {
	if was := r.Find(e.Object.Key()); was != nil {
		*was = e
		return
	}
	at := len(r.Entries)
	switch e.Object.(type) {
	case object.File:
		at = 0
	case object.Netns:
		at = 0
		for at < len(r.Entries) && isFile(r.Entries[at]) {
			at++
		}
	}
	r.Entries = slices.Insert(r.Entries, at, e)
}

func isFile(e Entry) bool {
	_, ok := e.Object.(object.File)
	return ok
}

// Keep takes out of the list what keep is false for.
func (r *Record) Keep(keep func(Entry) bool) {
	r.Entries = slices.DeleteFunc(r.Entries, func(e Entry) bool { return !keep(e) })
}

// Minus returns what r records and old does not.
func (r *Record) Minus(old *Record) *Record {
	in := map[object.Key]bool{}
	for _, e := range old.Entries {
		in[e.Object.Key()] = true
	}
	c := r.Clone()
	c.Keep(func(e Entry) bool { return !in[e.Object.Key()] })
	return c
}

// Made returns the entry of the namespace, if rdomain made it; nil if not.
func (r *Record) Made() *Entry {
	return r.Find(object.Netns{Name: r.Domain.Netns}.Key())
}

// Of calls f with each recorded object of a type, in the order of making.
func Of[T object.Object](r *Record, f func(T, Identity)) {
	for _, e := range r.Entries {
		if o, ok := e.Object.(T); ok {
			f(o, e.Made)
		}
	}
}
