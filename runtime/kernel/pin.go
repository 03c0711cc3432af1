package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

func (s *Session) doPin(verb object.Verb, t object.Pin) error {
	if verb == object.Delete {
		return unpin(t.Pin())
	}
	if err := enter.MountBPF(); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Dir(t.Pin()), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.on(t.Netns, t.VRF.String(), func(_ *rtnl.Conn, index int) error {
		prog, err := bpf.Load(bpf.Bind(uint32(index), domain.VRFMark))
		if err != nil {
			return err
		}
		defer unix.Close(prog)
		return bpf.Pin(prog, t.Pin())
	})
}

// unpin takes a pinned program away, and the directory with the last one.
func unpin(path string) error {
	if err := bpf.Unpin(path); err != nil {
		return err
	}
	err := unix.Rmdir(filepath.Dir(path))
	if err != nil && err != unix.ENOTEMPTY && err != unix.ENOENT {
		return &fs.PathError{Op: "rmdir", Path: filepath.Dir(path), Err: err}
	}
	return nil
}

// KnowMembers tells the programs that keep sockets in a VRF which links d.VRF has
// now. With a d without a VRF it does so for all VRFs of the namespace that they
// know, of which some may be gone; it does nothing where the namespace is.
func (s *Session) KnowMembers(d domain.Domain) error {
	if d.VRF.IsZero() {
		if !d.Netns.IsZero() && !s.Exists() {
			return nil
		}
		return s.inside(d.Netns, func() error { return enter.KnowMembers(0) })
	}
	return s.on(d.Netns, d.VRF.String(), func(_ *rtnl.Conn, index int) error {
		return s.inside(d.Netns, func() error { return enter.KnowMembers(uint32(index)) })
	})
}

// Refused returns how many packets were refused to the sockets of d.VRF, nil where nobody counts
// them, and to all but root.
func (s *Session) Refused(d domain.Domain) (n *uint32, err error) {
	err = s.on(d.Netns, d.VRF.String(), func(_ *rtnl.Conn, index int) error {
		return s.inside(d.Netns, func() error {
			count, err := enter.Refused(uint32(index))
			n = &count
			return err
		})
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return n, err
}

// pinnedFor returns the ifindex that the program pinned at path binds to, 0 if
// nothing is pinned there, or something else than up pins now.
func pinnedFor(path string) uint32 {
	prog, err := bpf.Pinned(path)
	if err != nil {
		return 0
	}
	defer unix.Close(prog)
	info, err := bpf.Read(prog)
	if err != nil {
		return 0
	}
	ifindex, _ := bpf.BoundBy(info.Insns, domain.VRFMark)
	return ifindex
}
