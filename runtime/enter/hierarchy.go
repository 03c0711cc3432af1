package enter

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

// CgroupRoot opens the root of the cgroup2 hierarchy, as the calling thread's cgroup
// namespace has it: where it is usually mounted, else wherever it is. The caller
// closes it. A mount that shows a part of the hierarchy alone, as a container may
// have, is not used.
//
// Where there is no mount, it is mounted for this descriptor alone; nobody else sees
// that. It needs CAP_SYS_ADMIN. A new mount sets the options of all (nsdelegate among
// them: kernel, cgroup-v2.rst), so it gets those that they have.
func CgroupRoot() (int, error) {
	if fd, ok := usualCgroup2(); ok {
		return fd, nil
	}
	const mountinfo = "/proc/thread-self/mountinfo"
	text, err := readFile(mountinfo)
	if err != nil {
		return -1, unable("read "+mountinfo, err)
	}
	mounts := cgroup2Mounts(text)
	for _, m := range mounts {
		if fd, ok := m.open(); ok {
			return fd, nil
		}
	}
	if len(mounts) == 0 { // this mount namespace has none; the host may have
		text, _ = readFile("/proc/1/mountinfo")
		mounts = cgroup2Mounts(text)
	}
	options := ""
	if len(mounts) > 0 {
		options = mounts[0].options
	}
	fd, err := mountCgroup2(options)
	if err != nil {
		return -1, unable("mount cgroup2, whose root is mounted nowhere", err)
	}
	return fd, nil
}

// The inode numbers of the first cgroup namespace (PROC_CGROUP_INIT_INO,
// include/linux/proc_ns.h) and of the root of a hierarchy (kernfs_create_root).
const (
	firstCgroupNS = 0xEFFFFFFB
	rootCgroup    = 1
)

// usualCgroup2 is CgroupRoot without reading the table of mounts, which may be long.
func usualCgroup2() (int, bool) {
	var st unix.Stat_t
	if unix.Stat("/proc/thread-self/ns/cgroup", &st) != nil || st.Ino != firstCgroupNS {
		return -1, false
	}
	for _, path := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		fd, ok := openCgroup2(path)
		if !ok {
			continue
		}
		if unix.Fstat(fd, &st) == nil && st.Ino == rootCgroup {
			return fd, true
		}
		unix.Close(fd)
	}
	return -1, false
}

func openCgroup2(path string) (int, bool) {
	fd, err := unix.Open(path, dirFlags, 0)
	if err != nil {
		return -1, false
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return fd, true
	}
	unix.Close(fd)
	return -1, false
}

// cgroup2Mount is a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type cgroup2Mount struct {
	id      string
	root    string // the part that is mounted, as the reader's cgroup namespace has it
	path    string
	options string // of the file system, which all its mounts share
}

// open opens the mount, if all of the hierarchy is mounted there, and if no later
// mount hides it.
func (m cgroup2Mount) open() (int, bool) {
	if m.root != "/" {
		return -1, false
	}
	fd, ok := openCgroup2(m.path)
	if !ok {
		return -1, false
	}
	info, err := readFile("/proc/thread-self/fdinfo/" + strconv.Itoa(fd))
	if err != nil || !strings.Contains(info, "\nmnt_id:\t"+m.id+"\n") {
		unix.Close(fd)
		return -1, false
	}
	return fd, true
}

// cgroup2Mounts returns the mounts of cgroup2 in the text of /proc/PID/mountinfo.
func cgroup2Mounts(mountinfo string) []cgroup2Mount {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var mounts []cgroup2Mount
	for line := range strings.SplitSeq(mountinfo, "\n") {
		mount, fs, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(mount), strings.Fields(fs)
		if len(f) > 4 && len(g) > 2 && g[0] == "cgroup2" {
			mounts = append(mounts, cgroup2Mount{f[0], unescape.Replace(f[3]), unescape.Replace(f[4]), g[2]})
		}
	}
	return mounts
}

// mountCgroup2 mounts cgroup2 with the options of another mount.
func mountCgroup2(options string) (int, error) {
	fs, err := unix.Fsopen("cgroup2", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	for option := range strings.SplitSeq(options, ",") {
		// What the kernel shows, but takes from nobody, is refused (seclabel).
		if option != "" && option != "rw" && option != "ro" {
			_ = unix.FsconfigSetFlag(fs, option)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(mount)
	// The descriptor of a mount is O_PATH, which bpf(2) does not take.
	return unix.Openat(mount, ".", dirFlags, 0)
}

// CgroupOf returns the path of a process's cgroup in the cgroup2 hierarchy, from the
// text of /proc/PID/cgroup. ok is false if the text has none: then cgroup2 was never
// mounted since the machine booted (proc_cgroup_show, kernel/cgroup/cgroup.c), and no
// cgroup has a program. A path that begins with "/.." lies outside of the reader's
// cgroup namespace.
func CgroupOf(text string) (path string, ok bool) {
	for line := range strings.SplitSeq(text, "\n") {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return path, true
		}
	}
	return "", false
}

// ownCgroup returns the path of the thread's process in the cgroup2 hierarchy. The
// kernel shows it once CgroupRoot was called.
func ownCgroup() (string, error) {
	const file = "/proc/thread-self/cgroup"
	text, err := readFile(file)
	if err != nil {
		return "", unable("read "+file, err)
	}
	const doing = "find this process's cgroup"
	path, ok := CgroupOf(text)
	if !ok {
		return "", wrong(doing, file+" has no line for cgroup2")
	}
	if outside(path) {
		return "", wrong(doing, path+" lies outside of its cgroup namespace")
	}
	return path, nil
}

// outside reports whether a cgroup lies outside of the reader's cgroup namespace.
func outside(path string) bool { return path == "/.." || strings.HasPrefix(path, "/../") }

// OpenCgroup opens the cgroup path below the root that CgroupRoot opened. It
// returns the errno alone.
func OpenCgroup(root int, path string) (int, error) {
	if outside(path) {
		return -1, unix.EXDEV
	}
	return unix.Openat(root, "."+path, dirFlags, 0)
}
