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

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
)

// Dir is where the records are; it vanishes with the machine's next boot, as
// what they record does.
const Dir = "/run/rdomain"

// longest is the longest ID that has a record: its file names end in ".json",
// ".lock" or ".json.new" and have at most NAME_MAX bytes.
const longest = 255 - len(".json.new")

// CheckID returns an error if the ID is too long to have a record.
func CheckID(id domain.ID) error {
	if n := len(id.String()); n > longest {
		return fmt.Errorf("domain name of %d bytes: rdomain can keep records of names of at most %d", n, longest)
	}
	return nil
}

// Store is the opened directory of records. All files are reached through its
// descriptor.
type Store struct{ fd int }

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
	fd, err := unix.Open(Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: Dir, Err: err}
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err != nil || st.Uid != 0 && int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: somebody else could write to it; it must be root's, mode 0755", Dir)
	}
	return &Store{fd}, nil
}

// Close closes the directory.
func (s *Store) Close() { unix.Close(s.fd) }

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

// broken is the error for a file that tells nobody what was made.
func broken(name string, err error) error {
	return problem.New(problem.Pos{File: Dir + "/" + name}, "cannot be read: %w", err).WithHint(
		"it says what to take down, and nothing else does: put the file back, or remove by hand\n" +
			"what was made (ip netns, ip link, ip rule, ip route), and then " + Dir + "/" + name)
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
		return nil, fmt.Errorf("it is of version %d, and this rdomain knows %d; the one that wrote it can take the domain down", head.Version, version)
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
	fd, err := unix.Openat(s.fd, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: Dir + "/" + name, Err: err}
	}
	f := os.NewFile(uintptr(fd), Dir+"/"+name)
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

func (s *Store) write(name string, data []byte) error {
	temporary := name + ".new"
	fail := func(op string, err error) error {
		return &fs.PathError{Op: op, Path: Dir + "/" + temporary, Err: err}
	}
	// Left by one that was killed; nobody else is writing, the lock is ours.
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC | unix.O_NOFOLLOW
	fd, err := unix.Openat(s.fd, temporary, flags, 0o644)
	if err == unix.EEXIST {
		if err := unix.Unlinkat(s.fd, temporary, 0); err != nil {
			return fail("unlink", err)
		}
		fd, err = unix.Openat(s.fd, temporary, flags, 0o644)
	}
	if err != nil {
		return fail("create", err)
	}
	for err == nil && len(data) > 0 {
		var n int
		if n, err = unix.Write(fd, data); err == unix.EINTR {
			err = nil
		}
		data = data[max(n, 0):]
	}
	unix.Close(fd)
	if err == nil {
		err = unix.Renameat(s.fd, temporary, s.fd, name)
	}
	if err != nil {
		_ = unix.Unlinkat(s.fd, temporary, 0)
		return fail("write", err)
	}
	return nil
}

// Remove removes the record of a domain, and what a killed Save left. The caller
// holds the domain's lock.
func (s *Store) Remove(id domain.ID) error { return s.remove(id.String() + ".json") }

func (s *Store) remove(name string) error {
	for _, name := range []string{name, name + ".new"} {
		if err := unix.Unlinkat(s.fd, name, 0); err != nil && err != unix.ENOENT {
			return &fs.PathError{Op: "unlink", Path: Dir + "/" + name, Err: err}
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
