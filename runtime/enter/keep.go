package enter

import (
	"slices"

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
	for _, p := range bpf.Hold(s.Maps) {
		if err := s.keepBy(p, cgroup); err != nil {
			if e, ok := err.(*Error); ok {
				return e
			}
			return attachError(path, err)
		}
	}
	return s.know(index)
}

// keepBy attaches one program, unless it is there with these maps. Two starts at
// once may leave two, which do the same.
func (s shared) keepBy(p bpf.Program, cgroup int) error {
	there, err := attachedNamed(p.Hook, cgroup, p.Name)
	if err != nil {
		return err
	}
	defer bpf.Close(there)
	homes, err := bpf.MapID(s.Homes)
	if err != nil {
		return err
	}
	for _, fd := range there {
		if info, err := bpf.Read(fd); err == nil && slices.Contains(info.Maps, homes) {
			return nil
		}
	}
	prog, err := load(p)
	if err != nil {
		return err
	}
	defer unix.Close(prog)
	if len(there) > 0 { // with maps that are no longer pinned, so that nobody can tell it
		return p.Hook.Replace(cgroup, there[0], prog)
	}
	return p.Hook.AttachBeside(cgroup, prog)
}

// Kept reports whether the kernel runs the programs that keep sockets in their VRF
// for processes of a cgroup, an open directory of a cgroup2 mount. It needs CAP_NET_ADMIN and
// CAP_SYS_ADMIN, and returns the errno alone.
func Kept(cgroup int) (bool, error) {
	for _, p := range bpf.Hold(bpf.Maps{}) {
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
