package record

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
)

// Forwarding is that rdomain had a namespace forward one family, and for whom. It is
// given back with the last of them.
type Forwarding struct {
	// ID is that of the namespace.
	ID netns.ID `json:"id"`
	// On reports whether it forwarded before; Links are those that did if not.
	On    bool     `json:"on,omitempty"`
	Links []string `json:"links,omitempty"`
	// Holders are the domains that need it.
	Holders []domain.ID `json:"holders"`
}

func forwardingName(id netns.ID, family string) string {
	return fmt.Sprintf("forwarding,%s,%d,%d", family, id.Dev, id.Ino)
}

// LockForwarding waits until nobody else changes the forwarding of a namespace.
func (s *Store) LockForwarding(id netns.ID, family string) (*Lock, error) {
	return s.lock(forwardingName(id, family)+".lock", unix.LOCK_EX)
}

// LoadForwarding returns what is recorded; the error matches fs.ErrNotExist if nothing
// is, or what is of a namespace that is gone and had the same inode number.
func (s *Store) LoadForwarding(id netns.ID, family string) (*Forwarding, error) {
	name := forwardingName(id, family) + ".json"
	data, err := s.read(name)
	if err != nil {
		return nil, err
	}
	f := new(Forwarding)
	if err := unmarshal(data, f); err != nil {
		return nil, broken(name, err)
	}
	if !f.ID.Same(id) {
		return nil, fmt.Errorf("%s: forwarding of another namespace: %w", name, fs.ErrNotExist)
	}
	return f, nil
}

// SaveForwarding writes the record. The caller holds LockForwarding.
func (s *Store) SaveForwarding(id netns.ID, family string, f *Forwarding) error {
	f.ID = id
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return s.write(forwardingName(id, family)+".json", append(data, '\n'))
}

// RemoveForwarding removes the record. The caller holds LockForwarding.
func (s *Store) RemoveForwarding(id netns.ID, family string) error {
	return s.remove(forwardingName(id, family) + ".json")
}

// Hold notes that a domain needs it.
func (f *Forwarding) Hold(id domain.ID) {
	if !slices.Contains(f.Holders, id) {
		f.Holders = append(f.Holders, id)
	}
}

// Release notes that a domain does not need it any more, and that those do not that are
// not up. It reports whether nobody is left.
func (f *Forwarding) Release(id domain.ID, up func(domain.ID) bool) (last bool) {
	f.Holders = slices.DeleteFunc(f.Holders, func(o domain.ID) bool { return o == id || !up(o) })
	return len(f.Holders) == 0
}
