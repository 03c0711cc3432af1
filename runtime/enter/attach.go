package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
)

// loadBind loads the program that binds new sockets to the link ifindex.
func loadBind(ifindex uint32) (int, error) { return load(bpf.Bind(ifindex, domain.VRFMark)) }

func load(p bpf.Program) (int, error) {
	prog, err := bpf.Load(p)
	if err != nil {
		return -1, &Error{domain.ExitTemporary, err.Error(), err}
	}
	return prog, nil
}

// attachBeside attaches prog to a cgroup that may have programs of others, and
// in the place of the one that an earlier start attached: the kernel allows 64
// in a cgroup and refuses the next. If two starts at once left two, one goes.
func attachBeside(cgroup, prog int) error {
	ours, err := attachedNamed(bpf.SockCreate, cgroup, bpf.BindName)
	if err != nil {
		return err
	}
	defer bpf.Close(ours)
	if len(ours) == 0 {
		return bpf.SockCreate.AttachBeside(cgroup, prog)
	}
	err = bpf.SockCreate.Replace(cgroup, ours[0], prog)
	for _, fd := range ours[1:] {
		if err == nil {
			err = bpf.SockCreate.Detach(cgroup, fd)
		}
	}
	return err
}

// attachGuard attaches the guard to cgroup, which is path, if it has none yet. Two
// starts at once may leave two, which do the same.
func attachGuard(cgroup int, path string) error {
	there, err := attachedNamed(bpf.SockCreate, cgroup, bpf.GuardName)
	if err != nil {
		return attachError(path, err)
	}
	bpf.Close(there)
	if len(there) > 0 {
		return nil
	}
	prog, err := load(bpf.Guard(domain.VRFMark))
	if err != nil {
		return err
	}
	defer unix.Close(prog)
	if err := bpf.SockCreate.AttachBeside(cgroup, prog); err != nil {
		return attachError(path, err)
	}
	return nil
}

func attachError(path string, err error) error {
	e := unable("attach the VRF's program to cgroup "+path, err)
	if err == unix.EPERM {
		e.Text += " (no CAP_NET_ADMIN, or a program attached there or above allows no other)"
	}
	return e
}

// attachedNamed opens the programs of that name that are attached to cgroup
// itself.
func attachedNamed(hook bpf.Hook, cgroup int, name string) (ours []int, err error) {
	progs, err := hook.Attached(cgroup)
	for _, fd := range progs {
		var info bpf.Info
		if err == nil {
			info, err = bpf.Read(fd)
		}
		if err == nil && info.Name == name {
			ours = append(ours, fd)
		} else {
			unix.Close(fd)
		}
	}
	if err != nil {
		bpf.Close(ours)
		return nil, err
	}
	return ours, nil
}
