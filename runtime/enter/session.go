package enter

import (
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// EnterParent puts the process that has started this one, and all that it will start, into the
// VRF d: a login, when its session begins. What it has open stays what it is. It joins the
// cgroup that it would join by Exec, below its own, so that no other session is bound.
//
// The parent runs as root, as what opens a session does, and is in the cgroup of this process:
// one that has ended meanwhile left this process to another parent.
func EnterParent(d domain.Domain) error {
	runtime.LockOSThread()
	parent := unix.Getppid()
	doing := "put process " + strconv.Itoa(parent) + " into vrf " + d.VRF.String()
	if !d.Netns.IsZero() {
		if err := checkNetns(d.Netns); err != nil {
			return err
		}
	}
	own, err := sessionCgroup(parent, doing, keeperOfSessions())
	if err != nil {
		return err
	}
	index, err := vrfIndex(d.VRF)
	if err != nil {
		return err
	}
	root, err := CgroupRoot()
	if err != nil {
		return err
	}
	prog, err := loadBind(index)
	if err != nil {
		return err
	}
	netns, err := netnsName(d.Netns)
	if err != nil {
		return err
	}
	guarded, path := vrfCgroup(own, netns, d.VRF.String(), isNetns)
	if err := (hierarchy{root: root, own: own}).bindOwn(guarded, path, prog, d.VRF, index); err != nil {
		return err
	}
	dir, err := OpenCgroup(root, path)
	if err != nil {
		return unable("open cgroup "+path, err)
	}
	fd, err := unix.Openat(dir, "cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(fd, strconv.AppendInt(nil, int64(parent), 10))
	}
	if err != nil {
		return unable(doing, err)
	}
	at, err := cgroupOf(parent)
	switch {
	case err != nil:
		return unable(doing, err)
	case at != path || unix.Getppid() != parent:
		return wrong(doing, "it is in cgroup "+at)
	}
	return nil
}

// sessions is who keeps the sessions of a machine. Its PAM module moves what opens one into a
// cgroup of the session's.
type sessions struct {
	module string                    // "" where nobody does
	holds  func(cgroups string) bool // by the text of /proc/PID/cgroup
}

// keeperOfSessions is systemd's logind, or elogind where that runs.
func keeperOfSessions() sessions {
	switch {
	case exists("/run/systemd/system"):
		return sessions{"pam_systemd", inSession}
	case exists("/run/systemd/seats"):
		return sessions{"pam_elogind", func(cgroups string) bool {
			return inSessionOf(cgroups, func(id string) bool { return exists("/run/systemd/sessions/" + id) })
		}}
	}
	return sessions{}
}

// sessionCgroup returns the cgroup of this process and of its parent. Where somebody keeps sessions
// it is that of one: what is in another one is moved by the keeper's module when that comes.
func sessionCgroup(parent int, doing string, keeper sessions) (string, error) {
	status, err := readFile("/proc/" + strconv.Itoa(parent) + "/status")
	if err != nil {
		return "", unable(doing, err)
	}
	_, line, _ := strings.Cut(status, "\nUid:\t")
	if ids := strings.SplitN(line, "\t", 3); parent <= 1 || len(ids) < 3 || ids[1] != "0" {
		return "", wrong(doing, "it does not run as root, so it opens no session")
	}
	if _, err := CgroupRoot(); err != nil { // the kernel shows cgroups from then on
		return "", err
	}
	own, err := ownCgroup()
	if err != nil {
		return "", err
	}
	cgroups, err := readFile("/proc/" + strconv.Itoa(parent) + "/cgroup")
	at, _ := CgroupOf(cgroups)
	switch {
	case err != nil:
		return "", unable(doing, err)
	case at != own:
		return "", wrong(doing, "it is in cgroup "+at+", and this process is in "+own)
	case keeper.module != "" && !keeper.holds(cgroups):
		return "", wrong(doing, "cgroup "+own+" is not one of a session; the line has to stand behind that of "+keeper.module+", which moves it")
	}
	return own, nil
}

// inSession reports whether a cgroup is one of a session of systemd-logind.
func inSession(cgroups string) bool {
	path, _ := CgroupOf(cgroups)
	for name := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(name, "session-") && strings.HasSuffix(name, ".scope") {
			return true
		}
	}
	return false
}

// inSessionOf reports whether a cgroup is one of a session of elogind, which calls it as the
// session: in cgroup2, or where that is not its own, in a hierarchy without controllers.
func inSessionOf(cgroups string, known func(id string) bool) bool {
	for line := range strings.SplitSeq(cgroups, "\n") {
		_, path, ok := strings.Cut(line, ":name=elogind:")
		if !ok {
			path, _ = CgroupOf(line)
		}
		for name := range strings.SplitSeq(path, "/") {
			if name != "" && known(name) {
				return true
			}
		}
	}
	return false
}

func cgroupOf(pid int) (string, error) {
	text, err := readFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return "", err
	}
	path, _ := CgroupOf(text)
	return path, nil
}
