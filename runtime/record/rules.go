package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
)

// Rules are the routing policy rules that rdomain changed in one namespace. All
// VRFs of a namespace share them: they are taken back with the last one.
type Rules struct {
	// Netns is the name of the namespace, zero for the one rdomain runs in.
	Netns domain.NetnsName `json:"netns,omitzero"`
	// ID is that of the namespace.
	ID      netns.ID      `json:"id,omitzero"`
	Added   []object.Rule `json:"added,omitempty"`
	Deleted []object.Rule `json:"deleted,omitempty"`
}

// A namespace need not have a name, so the file's name has its inode number.
// "," is in no ID.
func rulesName(id netns.ID) string { return fmt.Sprintf("rules,%d,%d", id.Dev, id.Ino) }

// LockRules waits until nobody else changes the rules of a namespace.
func (s *Store) LockRules(id netns.ID) (*Lock, error) {
	return s.lock(rulesName(id)+".lock", unix.LOCK_EX)
}

// LoadRules returns what was changed in a namespace; the error matches
// fs.ErrNotExist if nothing was, or if what was changed is in a namespace that is gone
// and had the same inode number.
func (s *Store) LoadRules(id netns.ID) (*Rules, error) {
	data, err := s.read(rulesName(id) + ".json")
	if err != nil {
		return nil, err
	}
	r := new(Rules)
	if err := unmarshal(data, r); err != nil {
		return nil, broken(rulesName(id)+".json", err)
	}
	if len(r.Added)+len(r.Deleted) == 0 {
		return nil, broken(rulesName(id)+".json", errors.New("it records no rule"))
	}
	if (r.ID != netns.ID{} && !r.ID.Same(id)) {
		return nil, fmt.Errorf("%s: rules of another namespace: %w", rulesName(id), fs.ErrNotExist)
	}
	return r, nil
}

// SaveRules writes what was changed in a namespace. The caller holds LockRules.
func (s *Store) SaveRules(id netns.ID, r *Rules) error {
	r.ID = id
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.write(rulesName(id)+".json", append(data, '\n'))
}

// RemoveRules removes the file. The caller holds LockRules.
func (s *Store) RemoveRules(id netns.ID) error { return s.remove(rulesName(id) + ".json") }

// ForgetRules removes what is kept for a namespace that is gone, the lock's file
// too: nobody can ask for the lock of a namespace that has no name.
func (s *Store) ForgetRules(id netns.ID) error {
	if err := s.RemoveRules(id); err != nil {
		return err
	}
	for _, family := range []string{object.Family(false), object.Family(true)} {
		if err := errors.Join(s.RemoveForwarding(id, family), s.remove(forwardingName(id, family)+".lock")); err != nil {
			return err
		}
	}
	return s.remove(rulesName(id) + ".lock")
}
