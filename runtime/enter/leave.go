package enter

import (
	"strconv"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// leaveVRF takes the process out of the VRF that it was started in. Sockets would be bound
// to that VRF's number, which in the namespace is another link or none.
//
// It can leave a cgroup that was made for a VRF alone. Where the whole service is in one it
// cannot, without leaving the service: that is refused.
func leaveVRF(n domain.NetnsName) error {
	bound, err := boundTo()
	if err != nil || bound == 0 {
		return err
	}
	doing := "enter netns " + n.String() + " from inside a VRF"
	own, err := ownCgroup()
	if err != nil {
		return err
	}
	if outside, ok := outsideVRF(own, isNetns); ok {
		root, err := CgroupRoot()
		if err != nil {
			return err
		}
		defer unix.Close(root)
		dir, err := OpenCgroup(root, outside)
		if err != nil {
			return unable(doing+": open cgroup "+outside, err)
		}
		defer unix.Close(dir)
		if err := join(dir, outside); err != nil {
			return err
		}
		if bound, err = boundTo(); err != nil || bound == 0 {
			return err
		}
	}
	return wrong(doing, "cgroup "+own+" binds sockets to the link of number "+strconv.Itoa(bound)+
		", which is one of another namespace (start it from outside of that cgroup)")
}

// boundTo returns the ifindex of the link that a new socket is bound to, 0 for none.
func boundTo() (int, error) {
	const doing = "see whether sockets are bound: "
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, unable(doing+"open one", err)
	}
	defer unix.Close(s)
	bound, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX)
	if err != nil {
		return 0, unable(doing+"read SO_BINDTOIFINDEX", err)
	}
	return bound, nil
}
