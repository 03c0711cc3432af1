package identify

import (
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/enter"
)

// delegated says who can move a process of the cgroup own out of the VRF that holds it: a
// user who may write the cgroup.procs of a cgroup above those that have the programs. "" is
// for nobody but root.
//
// To move a process it needs the cgroup.procs of the first cgroup that both places
// have above them, and that of the target (kernel, cgroup-v2.rst, "Delegation Containment").
func (l *Looker) delegated(own string) (string, error) {
	held := ""
	for at := own; ; at = path.Dir(at) {
		holds, err := l.holds(at)
		if err != nil {
			return "", err
		}
		if holds {
			held = at
		}
		if at == "/" {
			break
		}
	}
	for at := held; at != "" && at != "/"; {
		at = path.Dir(at)
		dir, err := enter.OpenCgroup(l.root, at)
		if err != nil {
			return "", err
		}
		var st unix.Stat_t
		err = unix.Fstatat(dir, "cgroup.procs", &st, 0)
		unix.Close(dir)
		switch {
		case err != nil:
			return "", err
		case st.Uid != 0:
			return fmt.Sprintf("user %d can take it out of the vrf: cgroup %s is delegated to him", st.Uid, at), nil
		case st.Mode&0o022 != 0:
			return fmt.Sprintf("others than root can take it out of the vrf: they may write cgroup.procs of cgroup %s", at), nil
		}
	}
	return "", nil
}

// holds reports whether the cgroup itself has the program that notes where a socket is at
// home.
func (l *Looker) holds(cgroup string) (bool, error) {
	dir, err := enter.OpenCgroup(l.root, cgroup)
	if err != nil {
		return false, err
	}
	defer unix.Close(dir)
	fds, err := bpf.SockCreate.Attached(dir)
	if err != nil {
		return false, err
	}
	defer bpf.Close(fds)
	return slices.ContainsFunc(fds, func(fd int) bool {
		info, err := bpf.Read(fd)
		return err == nil && info.Name == bpf.HomeName
	}), nil
}
