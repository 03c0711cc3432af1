package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
)

// keep attaches the programs that keep sockets in their VRF to cgroup, which is
// path, and tells them the links of the VRF index. What an earlier start attached
// stays: sockets of others in the cgroup are on record there.
func keep(cgroup int, path string, index uint32) error {
	s, err := openShared()
	if err != nil {
		return err
	}
	defer s.close()
	plain := bpf.Hold(s.Maps, false)
	for i, p := range bpf.Hold(s.Maps, true) {
		if err := s.keepBy(p, plain[i], cgroup); err != nil {
			if e, ok := err.(*Error); ok {
				return e
			}
			return attachError(path, err)
		}
	}
	return s.know(index)
}

// keepBy attaches one program, or plain where the kernel does not take that, unless it is
// there. Another of its name is of another version of rdexec, or has maps that are no
// longer pinned, so that nobody can tell it. Two starts at once may leave two, which do
// the same.
func (s shared) keepBy(p, plain bpf.Program, cgroup int) error {
	prog, err := s.open(p)
	if unfit(err) {
		prog, err = s.open(plain)
	}
	if err != nil {
		return err
	}
	defer unix.Close(prog)
	there, err := attachedNamed(p.Hook, cgroup, p.Name)
	if err != nil {
		return err
	}
	defer bpf.Close(there)
	own, err := bpf.Read(prog)
	if err != nil {
		return err
	}
	for _, fd := range there {
		if info, err := bpf.Read(fd); err == nil && info.ID == own.ID {
			return nil
		}
	}
	if len(there) > 0 {
		return p.Hook.Replace(cgroup, there[0], prog)
	}
	return p.Hook.AttachBeside(cgroup, prog)
}

// unfit reports whether an error says that the kernel will never take a program: a program
// that holds less must not take its place because memory was short once.
func unfit(err error) bool {
	for {
		switch e := err.(type) {
		case *Error:
			err = e.Err
		case *bpf.Error:
			err = e.Err
		default:
			return err == unix.EINVAL || err == unix.EACCES || err == unix.E2BIG || err == unix.ENOENT || err == unix.EOPNOTSUPP
		}
	}
}

// open opens the program, which is pinned beside the maps, and loads it if nobody has.
func (s shared) open(p bpf.Program) (int, error) {
	homes, err := bpf.MapID(s.Homes)
	if err != nil {
		return -1, err
	}
	members, err := bpf.MapID(s.Members)
	if err != nil {
		return -1, err
	}
	return openPinned(s.path+"/"+p.Digest(homes, members), func() (int, error) { return bpf.Load(p) })
}

// Kept reports whether the kernel runs the programs that keep sockets in their VRF
// for processes of a cgroup, an open directory of a cgroup2 mount. It needs CAP_NET_ADMIN and
// CAP_SYS_ADMIN, and returns the errno alone.
func Kept(cgroup int) (bool, error) {
	for _, p := range bpf.Hold(bpf.Maps{}, false) {
		progs, err := p.Hook.Effective(cgroup)
		found := false
		for _, fd := range progs {
			if info, err := bpf.Read(fd); err == nil && info.Name == p.Name {
				found = true
			}
		}
		bpf.Close(progs)
		if err != nil || !found {
			return false, err
		}
	}
	return true, nil
}
