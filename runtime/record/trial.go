package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// trial is what the name of the file ends in that says that a change of a domain is on trial.
const trial = ".try"

// Names that are no domain's: of the lock of all who begin and end trials, and of the file of
// one that is about to begin.
const (
	trialLock = "try,lock"
	trialNew  = "try,new"
)

// Trial is the file of a change that is on trial. It has a name for each domain that nobody has
// confirmed, and says how all was before. The process that keeps the trial holds its lock: where
// nobody holds that, the process is gone.
type Trial struct {
	s    *Store
	file *os.File
	info fs.FileInfo
}

// Before is how the domains of a trial were before it, and all that is known of them then.
type Before struct {
	Version int `json:"version"`
	// List are the domains of the trial, and Up all that were up.
	List []domain.ID `json:"list"`
	Up   []domain.ID `json:"up"`
	// Was are those that are brought up again, in that order.
	Was []Standing `json:"was"`
	// Needs are what each required.
	Needs map[domain.ID][]domain.ID `json:"needs"`
}

// Standing is a domain with what it was brought up with, nil where it has no file.
type Standing struct {
	ID  domain.ID `json:"id"`
	Was *Was      `json:"was"`
}

// State is how a domain is: whether it is up, and with what, nil where that is not known.
type State struct {
	Up  bool `json:"up"`
	Was *Was `json:"was"`
}

// Equal reports whether both are the same.
func (s State) Equal(o State) bool {
	return s.Up == o.Up && (s.Was == nil) == (o.Was == nil) && (s.Was == nil || s.Was.Equal(*o.Was))
}

// trialVersion is that of the form of Before.
const trialVersion = 1

// Begin says that a change of the domains of a list is on trial, and keeps it. It is for root
// alone, as Was is. If alone, which is called while nobody else begins or ends one, returns an
// error, it does nothing.
func (s *Store) Begin(b Before, alone func() error) (t *Trial, err error) {
	lock, err := s.lock(trialLock, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer lock.Remove()
	if err := errors.Join(alone(), s.remove(trialNew)); err != nil { // of one that was killed
		return nil, err
	}
	f, err := s.root.OpenFile(trialNew, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write %s/%s: %w", Dir, trialNew, err)
	}
	t = &Trial{s: s, file: f}
	b.Version = trialVersion
	if err = t.begin(b); err == nil {
		return t, nil
	}
	for _, id := range b.List {
		err = errors.Join(err, s.remove(id.String()+trial))
	}
	t.Close()
	return nil, errors.Join(err, s.remove(trialNew))
}

// begin locks and writes the file before it gives it its names.
func (t *Trial) begin(b Before) (err error) {
	if t.info, err = t.file.Stat(); err != nil {
		return err
	}
	if err := unix.Flock(int(t.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock %s/%s: %w", Dir, trialNew, err)
	}
	if err := t.write(b); err != nil {
		return err
	}
	for _, id := range b.List[1:] {
		if err := t.s.root.Link(trialNew, id.String()+trial); err != nil {
			return err
		}
	}
	return t.s.root.Rename(trialNew, b.List[0].String()+trial) // which a Watch is told of
}

func (t *Trial) write(v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = t.file.Write(append(data, '\n'))
	}
	return err
}

// Note adds how the trial has left the domains.
func (t *Trial) Note(left map[domain.ID]State) error { return t.write(left) }

// Trial opens the trial that a domain is on. The error matches fs.ErrNotExist if it is on none.
func (s *Store) Trial(id domain.ID) (*Trial, error) {
	f, err := s.root.OpenFile(id.String()+trial, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Trial{s, f, info}, nil
}

// Close gives the descriptor back, and the lock if it is held.
func (t *Trial) Close() { t.file.Close() }

// Same reports whether both are the same trial.
func (t *Trial) Same(o *Trial) bool { return os.SameFile(t.info, o.info) }

// Kept reports whether a process keeps the trial. Where that cannot be found out, one does.
func (t *Trial) Kept() bool {
	err := unix.Flock(int(t.file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil {
		t.Leave()
	}
	return err != nil
}

// Keep waits until no other process keeps the trial, and keeps it.
func (t *Trial) Keep() error {
	for {
		if err := unix.Flock(int(t.file.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}

// Leave has nobody keep the trial any more.
func (t *Trial) Leave() { _ = unix.Flock(int(t.file.Fd()), unix.LOCK_UN) }

// Read returns what Begin and Note wrote; left is nil if that was not noted, or not in full.
func (t *Trial) Read() (b Before, left map[domain.ID]State, err error) {
	d := json.NewDecoder(io.NewSectionReader(t.file, 0, math.MaxInt64))
	if err = d.Decode(&b); err == nil && b.Version != trialVersion {
		err = ofVersion(b.Version, trialVersion)
	}
	if err != nil {
		return b, nil, fmt.Errorf("what is on trial cannot be read: %w", plainly(err))
	}
	if d.Decode(&left) != nil {
		left = nil
	}
	return b, left, nil
}

// Marked reports whether a domain is on this trial. What cannot be found out is.
func (t *Trial) Marked(id domain.ID) bool {
	info, err := t.s.root.Lstat(id.String() + trial)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return os.SameFile(t.info, info)
}

// Unmark ends this trial of a domain, as that of a Store does.
func (t *Trial) Unmark(id domain.ID) error { return t.s.unmark(id, t.Marked) }

// Marked reports whether a change of a domain is on trial. What cannot be found out is.
func (s *Store) Marked(id domain.ID) bool {
	_, err := s.root.Lstat(id.String() + trial)
	return !errors.Is(err, fs.ErrNotExist)
}

// Unmark ends the trial of a domain. Of all who do so, who confirm it and who take it back, one
// has done it: the error of the others matches fs.ErrNotExist.
func (s *Store) Unmark(id domain.ID) error { return s.unmark(id, s.Marked) }

func (s *Store) unmark(id domain.ID, is func(domain.ID) bool) error {
	lock, err := s.lock(trialLock, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer lock.Remove()
	if !is(id) {
		return fmt.Errorf("%s%s: %w", id, trial, fs.ErrNotExist)
	}
	if err := s.root.Remove(id.String() + trial); err != nil {
		return fmt.Errorf("remove %s/%s%s: %w", Dir, id, trial, err)
	}
	return nil
}

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
