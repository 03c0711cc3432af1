package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/atomicfile"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
)

// Dir is where the records are; it vanishes with the machine's next boot, as
// what they record does.
const Dir = "/run/rdomain"

// temporary is what the name of a file that is being written ends in.
const temporary = ".new"

// Store is the opened directory of records. All files are reached through its
// descriptor.
type Store struct {
	// Waiting is called after a second of waiting for a lock, with its file and who
	// holds it; nil says nothing.
	Waiting func(file, holder string)

	root *os.Root
	dir  *os.File // the same directory, for locks
}

// Open opens the directory and makes it if need be, mode 0755.
func Open() (*Store, error) {
	if err := os.Mkdir(Dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return open()
}

// OpenExisting opens the directory if there is one; the error matches
// fs.ErrNotExist if not.
func OpenExisting() (*Store, error) { return open() }

func open() (*Store, error) {
	root, err := os.OpenRoot(Dir)
	if err != nil {
		return nil, err
	}
	dir, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	s := &Store{root: root, dir: dir}
	var named, opened unix.Stat_t
	err = errors.Join(unix.Lstat(Dir, &named), unix.Fstat(int(dir.Fd()), &opened))
	// A symbolic link in its place leads to what is somebody else's.
	if err != nil || named.Ino != opened.Ino || named.Dev != opened.Dev ||
		opened.Uid != 0 && int(opened.Uid) != os.Geteuid() || opened.Mode&0o022 != 0 {
		s.Close()
		return nil, fmt.Errorf("%s: somebody else could write to it; it must be root's, mode 0755", Dir)
	}
	return s, nil
}

// Close closes the directory.
func (s *Store) Close() {
	s.dir.Close()
	s.root.Close()
}

// Load returns the record of a domain. The error matches fs.ErrNotExist if there is
// none. A record that cannot be understood is an error that says what to do: what
// it records must not be lost.
func (s *Store) Load(id domain.ID) (*Record, error) {
	name := id.String() + ".json"
	data, err := s.read(name)
	if err != nil {
		return nil, err
	}
	r, err := parse(data)
	if err != nil {
		return nil, broken(name, err)
	}
	return r, nil
}

// Has reports whether a domain has a record, good or bad. What cannot be found out is one.
func (s *Store) Has(id domain.ID) bool {
	_, err := s.root.Lstat(id.String() + ".json")
	return !errors.Is(err, fs.ErrNotExist)
}

// broken is the error for a file that tells nobody what was made.
func broken(name string, err error) error {
	return problem.New(problem.Pos{File: Dir + "/" + name}, "cannot be read: %w", plainly(err)).WithHint(
		"it says what to take down, and nothing else does: put the file back, or remove by hand\n" +
			"what was made (ip netns, ip link, ip rule, ip route), and then " + Dir + "/" + name)
}

// plainly is an error of json without types of Go.
func plainly(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("it has a JSON %s where something else belongs", wrong.Value)
	}
	return err
}

// ofVersion is the error for a file that another rdomain wrote.
func ofVersion(has, knows int) error {
	return fmt.Errorf("it is of version %d, and this rdomain knows %d", has, knows)
}

func parse(data []byte) (*Record, error) {
	var head struct {
		Version int       `json:"version"`
		Home    *netns.ID `json:"home"`
	}
	if err := unmarshal(data, &head); err != nil {
		return nil, err
	}
	switch {
	case head.Home == nil || *head.Home == netns.ID{}:
		return nil, errors.New("it is not a record: it does not say in which namespace rdomain ran")
	case head.Version == 0:
		return parseFirst(data)
	case head.Version != version:
		return nil, fmt.Errorf("%w; the one that wrote it can take the domain down", ofVersion(head.Version, version))
	}
	r := new(Record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	if r.Entries == nil {
		return nil, errors.New("it has no list of what was made")
	}
	return r, nil
}

// unmarshal is json.Unmarshal, which says "unexpected end of JSON input" of an
// empty file.
func unmarshal(data []byte, v any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	return json.Unmarshal(data, v)
}

func (s *Store) read(name string) ([]byte, error) {
	f, err := s.root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", Dir, name, err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Save writes the record of a domain, mode 0644: another file that takes its
// place by rename, so that a reader, and who comes after a crash, sees the old
// or the new one. The caller holds the domain's lock.
func (s *Store) Save(id domain.ID, r *Record) error {
	r.Version = version
	if r.Entries == nil {
		r.Entries = []Entry{}
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.write(id.String()+".json", append(data, '\n'))
}

// write replaces a file. What a writer that was killed left under the temporary name
// is removed: the lock is ours, so nobody else is writing.
func (s *Store) write(name string, data []byte) error {
	err := atomicfile.Write(s.root, atomicfile.File{Name: name, Mode: 0o644, Data: data, Temp: name + temporary})
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", Dir, name, err)
	}
	return nil
}

// Remove removes the record of a domain, and what a killed Save left. The caller
// holds the domain's lock.
func (s *Store) Remove(id domain.ID) error {
	return errors.Join(s.remove(id.String()+".json"), s.Forget(id))
}

func (s *Store) remove(name string) error {
	for _, name := range []string{name, name + temporary} {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s/%s: %w", Dir, name, err)
		}
	}
	return nil
}

// IDs returns the domains that have a record.
func (s *Store) IDs() ([]domain.ID, error) {
	entries, err := os.ReadDir(Dir)
	if err != nil {
		return nil, err
	}
	var ids []domain.ID
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok && e.Type().IsRegular() {
			if id, err := domain.ParseID(name); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}
