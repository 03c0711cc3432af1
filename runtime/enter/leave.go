package enter

import (
	"strconv"
	"strings"

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
	return wrong(doing, bindsElsewhere(own, bound)+" (start it from outside of that cgroup)")
}

func bindsElsewhere(cgroup string, ifindex int) string {
	return "cgroup " + cgroup + " binds sockets to the link of number " + strconv.Itoa(ifindex) + ", which is one of another namespace"
}

// checkUnbound refuses a namespace where new sockets are bound to a VRF: of an earlier
// start of the service, which was in that VRF, a process is left. It keeps the cgroup,
// and with it the programs that keep that process in the VRF; so they must stay.
func checkUnbound(n domain.NetnsName) error {
	bound, err := boundTo()
	if err != nil || bound == 0 {
		return err
	}
	doing := "hold netns " + n.String()
	own, err := ownCgroup()
	if err != nil {
		return err
	}
	fact := bindsElsewhere(own, bound)
	left, err := outliving(own)
	if err != nil {
		return unable(doing+": "+fact+": read who is left in it", err)
	}
	if left == "" {
		left = "something"
	}
	return wrong(doing, fact+"; of an earlier start, in a VRF, is left: "+left+" (end it, and start again)")
}

// outliving returns the first processes in a cgroup, except this one and who has started
// it: "process 12 (sleep), process 15 (nginx)".
func outliving(cgroup string) (list string, err error) {
	root, err := CgroupRoot()
	if err != nil {
		return "", err
	}
	defer unix.Close(root)
	dir, err := OpenCgroup(root, cgroup)
	if err != nil {
		return "", err
	}
	defer unix.Close(dir)
	text, err := readFile("/proc/thread-self/fd/" + strconv.Itoa(dir) + "/cgroup.procs")
	if err != nil {
		return "", err
	}
	const most = 5
	count := 0
	for pid := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if pid == "" || pid == strconv.Itoa(unix.Getpid()) || pid == strconv.Itoa(unix.Getppid()) {
			continue
		}
		if count++; count > most {
			return list + " and more", nil
		}
		if list != "" {
			list += ", "
		}
		list += "process " + pid
		// A process chooses its own name, which may move a terminal.
		comm, err := readFile("/proc/" + pid + "/comm")
		comm = strings.TrimSuffix(comm, "\n")
		if err == nil && strings.IndexFunc(comm, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
			list += " (" + comm + ")"
		}
	}
	return list, nil
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
