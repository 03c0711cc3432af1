package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
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
	if err := s.refuse(); err != nil {
		return err
	}
	return s.know(index)
}

// traceable is there with CONFIG_FUNCTION_TRACER, without which no program can be attached to a
// function of the kernel. To find that out by trying takes milliseconds at each start.
const traceable = "/proc/sys/kernel/ftrace_enabled"

// refuse attaches the programs of the whole machine, which are pinned beside the maps, unless
// somebody has. A kernel may have no place for them, and a container not the right.
func (s shared) refuse() error {
	if unix.Access(traceable, unix.F_OK) != nil {
		return nil
	}
	for _, p := range bpf.Refuse(domain.VRFMark) {
		link, err := openPinned(s.path+"/"+p.Digest(), func() (int, error) { return attachFunction(p) })
		if err == nil {
			unix.Close(link)
		} else if !unfit(err) && cause(err) != unix.EBUSY && cause(err) != unix.EPERM {
			return err
		}
	}
	return nil
}

// attachFunction attaches a program to its function of the kernel.
func attachFunction(p bpf.Program) (int, error) {
	prog, err := bpf.Load(p)
	if err != nil {
		return -1, err
	}
	defer unix.Close(prog)
	link, err := bpf.Attach(prog)
	if err != nil {
		return -1, &bpf.Error{Do: "attach " + p.Name + " to the kernel's " + p.Function, Err: err}
	}
	return link, nil
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
	switch cause(err) {
	case unix.EINVAL, unix.EACCES, unix.E2BIG, unix.ENOENT, unix.EOPNOTSUPP:
		return true
	}
	return false
}

// cause is the errno in an error.
func cause(err error) error {
	for {
		switch e := err.(type) {
		case *Error:
			err = e.Err
		case *bpf.Error:
			err = e.Err
		default:
			return err
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
