package record

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
)

// Past is a domain that was taken down while processes ran in it.
type Past struct {
	ID domain.ID `json:"id"`
	// Netns is the namespace that it was, or lived in.
	Netns netns.ID `json:"netns"`
	// VRF is the ifindex of its device, 0 of a namespace.
	VRF int `json:"vrf,omitempty"`
}

// A name of the file that is no domain's record.
const pastName = "past"

// Pasts returns the domains that were taken down while processes ran in them, and that
// nobody has found empty since.
func (s *Store) Pasts() (list []Past, err error) {
	data, err := s.read(pastName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := unmarshal(data, &list); err != nil {
		return nil, broken(pastName, err)
	}
	return list, nil
}

// ChangePasts adds domains to those of Pasts, and takes out what keep is false for.
func (s *Store) ChangePasts(add []Past, keep func(Past) bool) error {
	lock, err := s.lock(pastName+",lock", unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer lock.Remove()
	was, err := s.Pasts()
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(append(was, add...), func(p Past) bool { return !keep(p) })
	if len(list) == 0 {
		return s.remove(pastName)
	}
	data, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return s.write(pastName, append(data, '\n'))
}
