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
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
)

// Dir is where the records are; it vanishes with the machine's next boot, as
// what they record does.
const Dir = "/run/rdomain"

// Record is what rdomain made for one domain.
type Record struct {
	// File is the domain's file, "" if it was made without one.
	File string `json:"file,omitempty"`
	// Netns and VRF name the domain.
	Netns string `json:"netns,omitempty"`
	VRF   string `json:"vrf,omitempty"`
	// Requires are the IDs of the domains that were brought up before.
	Requires []string `json:"requires,omitempty"`
	// Home is the namespace that rdomain ran in: the outside of the domain.
	Home netns.ID `json:"home"`
	// Made is the namespace, if rdomain made it.
	Made *Namespace `json:"made,omitempty"`
	// Links are those that rdomain made, the VRF first.
	Links []Link `json:"links,omitempty"`
	// Taken are links that existed and were moved in or enslaved.
	Taken []Taken `json:"taken,omitempty"`
	// Addresses and Routes are those that rdomain added, wherever.
	Addresses []object.Address `json:"addresses,omitempty"`
	Routes    []object.Route   `json:"routes,omitempty"`
	// Rules are those that rdomain added for this domain alone; those that VRFs
	// share are in Rules.
	Rules     []object.Rule     `json:"rules,omitempty"`
	Neighbors []object.Neighbor `json:"neighbors,omitempty"`
	// Peers are those of wireguard links, as they were set.
	Peers   []object.WireGuardPeer `json:"peers,omitempty"`
	Sysctls []Sysctl               `json:"sysctls,omitempty"`
	Files   []object.File          `json:"files,omitempty"`
	// Pin is the VRF's pinned program.
	Pin *object.Pin `json:"pin,omitempty"`
	// Complete is set when an up came to its end.
	Complete bool `json:"complete"`
}

// Namespace is a namespace that rdomain makes; its ID is zero until it exists.
type Namespace struct {
	Name string   `json:"name"`
	ID   netns.ID `json:"id"`
}

// Link is a link that rdomain makes; its Index is 0 until it exists.
type Link struct {
	object.Link
	Index int `json:"index,omitempty"`
	// PeerIndex is the ifindex of a veth's other end, outside. That end can
	// outlive the namespace's name: as long as a process is left inside.
	PeerIndex int `json:"peer_index,omitempty"`
	// OuterID is the namespace of the other side, where it is a third one:
	// a link does not survive it, or is of no use.
	OuterID netns.ID `json:"outer_id,omitzero"`
}

// Sysctl is a variable that rdomain set, with the value that it had.
type Sysctl struct {
	object.Sysctl
	Old string `json:"old"`
}

// Taken is a link that existed before, as it was, so that it can be given back.
type Taken struct {
	Name string `json:"name"`
	// From is the namespace it came from: "" for the one that rdomain runs in.
	From string `json:"from,omitempty"`
	// Index is its ifindex inside the domain, 0 until it is there.
	Index int    `json:"index,omitempty"`
	Up    bool   `json:"up,omitempty"`
	MTU   uint32 `json:"mtu"`
	MAC   string `json:"mac,omitempty"`
	// Master is the bridge or VRF that it was a member of, "" for none.
	Master string `json:"master,omitempty"`
	// Addresses and Routes are those that it had, and has in the domain too.
	Addresses []object.Address `json:"addresses,omitempty"`
	Routes    []object.Route   `json:"routes,omitempty"`
}

// Clone returns a copy that shares nothing that is changed in place.
func (r *Record) Clone() *Record {
	c := *r
	if r.Made != nil {
		made := *r.Made
		c.Made = &made
	}
	c.Links = append([]Link(nil), r.Links...)
	c.Taken = append([]Taken(nil), r.Taken...)
	c.Addresses = append([]object.Address(nil), r.Addresses...)
	c.Routes = append([]object.Route(nil), r.Routes...)
	c.Rules = append([]object.Rule(nil), r.Rules...)
	c.Neighbors = append([]object.Neighbor(nil), r.Neighbors...)
	c.Peers = append([]object.WireGuardPeer(nil), r.Peers...)
	c.Sysctls = append([]Sysctl(nil), r.Sysctls...)
	c.Files = append([]object.File(nil), r.Files...)
	return &c
}

// Empty reports whether the record records nothing that would have to be
// removed.
func (r *Record) Empty() bool {
	return r.Made == nil && r.Pin == nil &&
		len(r.Links)+len(r.Taken)+len(r.Addresses)+len(r.Routes)+len(r.Rules)+len(r.Neighbors)+
			len(r.Peers)+len(r.Sysctls)+len(r.Files) == 0
}

// Domain returns the domain that the record is about.
func (r *Record) Domain() (domain.Domain, error) { return domain.Parse(r.Netns, r.VRF) }

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

// Load returns the record of a domain. The error matches fs.ErrNotExist if
// there is none.
func (s *Store) Load(id domain.ID) (*Record, error) {
	name := id.String() + ".json"
	data, err := s.read(name)
	if err != nil {
		return nil, err
	}
	r := new(Record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", Dir, name, err)
	}
	if _, err := r.Domain(); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", Dir, name, err)
	}
	return r, nil
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
