package record

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"rdgen/atomicfile"
	"rdgen/runtime/domain"
)

// Beside the record of a domain are the text of its file when it was last brought up, and,
// while a change is on trial, a mark that says so.
const (
	was   = ".was"
	trial = ".try"
)

// SaveText writes down what a domain's file said when it was brought up, for root alone; of a
// domain that has no record, nothing. The caller holds the domain's lock.
func (s *Store) SaveText(id domain.ID, text []byte) error {
	if !s.Has(id) {
		return nil
	}
	name := id.String() + was
	err := atomicfile.Write(s.root, atomicfile.File{Name: name, Mode: 0o600, Data: text, Temp: name + temporary})
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", Dir, name, err)
	}
	return nil
}

// Text returns what SaveText wrote. The error matches fs.ErrNotExist if it did not.
func (s *Store) Text(id domain.ID) ([]byte, error) { return s.read(id.String() + was) }

// Forget removes what SaveText wrote. The caller holds the domain's lock.
func (s *Store) Forget(id domain.ID) error { return s.remove(id.String() + was) }

// Mark says that a change of a domain is on trial.
func (s *Store) Mark(id domain.ID) error { return s.write(id.String()+trial, nil) }

// Marked reports whether a change of a domain is on trial. What cannot be found out is.
func (s *Store) Marked(id domain.ID) bool {
	_, err := s.root.Lstat(id.String() + trial)
	return !errors.Is(err, fs.ErrNotExist)
}

// Unmark ends the trial.
func (s *Store) Unmark(id domain.ID) error { return s.remove(id.String() + trial) }

// Marks returns the domains that have a change on trial.
func (s *Store) Marks() (ids []domain.ID, err error) {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), trial); ok {
			if id, err := domain.ParseID(name); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids, err
}
