package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
)

// enterVRF binds every socket that the program will open to c.VRF, by a program
// attached to a cgroup, and makes sure that it did.
//
// Without c.Cgroup the process joins a cgroup that `ip vrf` knows a VRF by. With it,
// that cgroup is one that the init system puts the service into later: the program
// is attached there, and the process joins it only to look.
func enterVRF(c domain.Command) error {
	index, err := vrfIndex(c.VRF)
	if err != nil {
		return err
	}
	root, err := CgroupRoot()
	if err != nil {
		return err
	}
	own, err := ownCgroup()
	if err != nil {
		return err
	}
	prog, err := loadBind(index)
	if err != nil {
		return err
	}
	h := hierarchy{root: root, own: own}
	if c.Cgroup != "" {
		return h.bindOther(c.Cgroup, prog, c.VRF, index)
	}
	netns, err := netnsName(c.Netns)
	if err != nil {
		return err
	}
	guarded, path := vrfCgroup(own, netns, c.VRF.String(), isNetns)
	return h.bindOwn(guarded, path, prog, c.VRF, index)
}

// hierarchy is the cgroup2 hierarchy and the process's own place in it.
type hierarchy struct {
	root int    // a descriptor of its root directory
	own  string // the path of the process's cgroup, "/" for the root
}

// bindOwn joins path, below guarded, for good. Like iproute2 it attaches without
// flags: the program replaces the one of the last start, which may name an
// ifindex that is gone. An `ip vrf exec` from inside replaces it in turn, by one
// that lets MPTCP pass and marks nothing, for all that are in the cgroup; what
// guarded has is not replaced.
func (h hierarchy) bindOwn(guarded, path string, prog int, v domain.LinkName, index uint32) error {
	above, err := makeCgroup(h.root, guarded)
	if err != nil {
		return err
	}
	if err := attachGuard(above, guarded); err != nil {
		return err
	}
	if err := keep(above, guarded, index); err != nil {
		return err
	}
	dir, err := makeCgroup(h.root, path)
	if err != nil {
		return err
	}
	if err := bpf.SockCreate.Attach(dir, prog); err != nil {
		return attachError(path, err)
	}
	if err := join(dir, path); err != nil {
		return err
	}
	return checkBound(v, index)
}

// bindOther attaches to path, joins it to look, and goes back.
func (h hierarchy) bindOther(path string, prog int, v domain.LinkName, index uint32) error {
	back, err := OpenCgroup(h.root, h.own)
	if err != nil {
		return unable("open cgroup "+h.own, err)
	}
	dir, err := makeCgroup(h.root, path)
	if err != nil {
		return err
	}
	if err := attachBeside(dir, prog); err != nil {
		return attachError(path, err)
	}
	if err := keep(dir, path, index); err != nil {
		return err
	}
	if err := join(dir, path); err != nil {
		return err
	}
	if err := checkBound(v, index); err != nil {
		return err
	}
	return join(back, h.own)
}

// vrfIndex returns the ifindex of v in the network namespace of the thread. It
// asks by ioctl(2): /sys/class/net shows the namespace of its mount.
func vrfIndex(v domain.LinkName) (uint32, error) {
	doing := "enter vrf " + v.String()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, unable(doing+": open a socket", err)
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(v.String())
	if err != nil {
		return 0, unable(doing, err)
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, unable(doing, err)
	}
	// ethtool(8) -i: the driver that every VRF has, and no other link.
	info, err := unix.IoctlGetEthtoolDrvinfo(s, v.String())
	if err == unix.EOPNOTSUPP {
		return 0, wrong(doing, v.String()+" is not a VRF")
	}
	if err != nil {
		return 0, unable(doing+": ask for its driver", err)
	}
	if driver := unix.ByteSliceToString(info.Driver[:]); driver != "vrf" {
		return 0, wrong(doing, v.String()+" is not a VRF (driver "+driver+")")
	}
	return ifr.Uint32(), nil
}
