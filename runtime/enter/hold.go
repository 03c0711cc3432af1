package enter

import (
	"runtime"
	"strings"

	"rdgen/runtime/domain"
)

// Hold binds every socket that will be opened in the systemd unit of the calling
// process to d.VRF, and then does what Check does. The caller is a command of the unit that
// runs before its first program, in d.Netns.
//
// systemd attaches a pinned program (BPFProgram=) by itself, but takes it off
// the running service at each daemon-reload, for a moment, and for good if the
// pin is gone by then (seen on systemd 252, 257 and 262). What is attached here
// is not known to systemd, and stays as long as the unit's cgroup.
//
// A process that is in no cgroup of a unit is refused: the program would bind
// others too. So is a namespace in which a VRF of an earlier start binds, see checkUnbound.
func Hold(d domain.Domain) error {
	if d.VRF.IsZero() {
		if err := Check(d); err != nil {
			return err
		}
		return checkUnbound(d.Netns)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if !d.Netns.IsZero() {
		if err := checkNetns(d.Netns); err != nil {
			return err
		}
	}
	index, err := vrfIndex(d.VRF)
	if err != nil {
		return err
	}
	own, err := ownCgroup()
	if err != nil {
		return err
	}
	unit, ok := unitCgroup(own)
	if !ok {
		return wrong("hold vrf "+d.VRF.String(), "cgroup "+own+" is not one of a systemd service or socket")
	}
	root, err := CgroupRoot()
	if err != nil {
		return err
	}
	dir, err := OpenCgroup(root, unit)
	if err != nil {
		return unable("open cgroup "+unit, err)
	}
	prog, err := loadBind(index)
	if err != nil {
		return err
	}
	if err := attachBeside(dir, prog); err != nil {
		return attachError(unit, err)
	}
	if err := keep(dir, unit, index); err != nil {
		return err
	}
	return checkBound(d.VRF, index)
}

// unitCgroup returns the cgroup of the unit that a process in the cgroup own
// belongs to. With Delegate= its commands are in one below, called ".control".
func unitCgroup(own string) (path string, ok bool) {
	path = strings.TrimSuffix(own, "/.control")
	return path, strings.HasSuffix(path, ".service") || strings.HasSuffix(path, ".socket")
}
