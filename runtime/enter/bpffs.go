package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
)

// bpffs is where the BPF file system is mounted everywhere.
const bpffs = "/sys/fs/bpf"

// pinned is the directory in it that has the maps.
const pinned = "/rdexec"

// MountBPF mounts the BPF file system where nobody has, as systemd does.
func MountBPF() error {
	if isBPF(bpffs) {
		return nil
	}
	if !exists(bpffs) {
		e := unable("find the BPF file system at "+bpffs, unix.ENOENT)
		e.Text += " (a kernel without CONFIG_BPF_SYSCALL?)"
		return e
	}
	// Of two who mount at once, one would hide what the other makes. What is below the
	// mount has a lock too, but everybody can hold that.
	dir, err := openRunDir(true)
	if err != nil {
		return unable("prepare "+runDir, err)
	}
	defer unix.Close(dir)
	lock, err := lockDir(dir)
	if err != nil {
		return unable("lock "+runDir, err)
	}
	defer unix.Close(lock)
	if isBPF(bpffs) {
		return nil
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("bpf", bpffs, "bpf", flags, "mode=700"); err != nil {
		return unable("mount the BPF file system on "+bpffs, err)
	}
	return nil
}

func isBPF(path string) bool {
	var st unix.Statfs_t
	// Type is signed where it has 32 bits.
	return unix.Statfs(path, &st) == nil && uint32(st.Type) == unix.BPF_FS_MAGIC
}

// shared is the maps that all cgroups of the machine share, pinned in a directory of
// the BPF file system.
type shared struct {
	bpf.Maps
	dir  int // the directory, whose lock keeps those apart who change the maps
	path string
}

// sharedPath is where the maps are pinned. In a mount namespace without a BPF file system, as
// `ip netns exec` makes one, that is in the one of pid 1.
func sharedPath() string {
	const ofInit = "/proc/1/root" + bpffs
	if !isBPF(bpffs) && isBPF(ofInit) {
		return ofInit + pinned
	}
	return bpffs + pinned
}

// openShared opens the maps, and makes and pins them if nobody has.
func openShared() (s shared, err error) {
	if s.path = sharedPath(); s.path == bpffs+pinned {
		if err := MountBPF(); err != nil {
			return s, err
		}
	}
	if err := unix.Mkdir(s.path, 0o700); err != nil && err != unix.EEXIST {
		return s, unable("make "+s.path, err)
	}
	if s.dir, err = unix.Open(s.path, dirFlags|unix.O_NOFOLLOW, 0); err != nil {
		return s, unable("open "+s.path, err)
	}
	// The BPF file system may be open to all, like /tmp.
	var st unix.Stat_t
	if err := unix.Fstat(s.dir, &st); err != nil {
		return s, unable("look at "+s.path, err)
	}
	if st.Uid != 0 || st.Mode&0o022 != 0 {
		return s, wrong("use "+s.path, notOurs(s.path).Error())
	}
	if s.Homes, err = openPinned(s.path+"/homes", bpf.MakeHomes); err != nil {
		return s, err
	}
	s.Members, err = openPinned(s.path+"/members", bpf.MakeMembers)
	return s, err
}

// openPinned opens the map or program that is pinned at path, or makes it. Of two who make
// it at once, one pins.
func openPinned(path string, make func() (int, error)) (int, error) {
	fd, err := bpf.Pinned(path)
	if err == nil {
		return fd, nil
	}
	if e, ok := err.(*bpf.Error); !ok || e.Err != unix.ENOENT {
		return -1, unable("open "+path, err)
	}
	if fd, err = make(); err != nil {
		e := unable("make "+path, err)
		if err == unix.EINVAL {
			e.Text += " (it needs Linux 5.14)"
		}
		return -1, e
	}
	err = bpf.PinNew(fd, path)
	if err == nil {
		return fd, nil
	}
	unix.Close(fd)
	if err != unix.EEXIST {
		return -1, unable("pin "+path, err)
	}
	if fd, err = bpf.Pinned(path); err != nil {
		return -1, unable("open "+path, err)
	}
	return fd, nil
}

func (s shared) close() {
	unix.Close(s.Homes)
	unix.Close(s.Members)
	unix.Close(s.dir)
}
