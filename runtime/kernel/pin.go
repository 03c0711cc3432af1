package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// bpffs is where the BPF file system is mounted everywhere.
const bpffs = "/sys/fs/bpf"

func (s *Session) doPin(verb object.Verb, t object.Pin) error {
	if verb == object.Delete {
		return unpin(t.Pin())
	}
	if err := mountBPF(); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Dir(t.Pin()), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.on(t.Netns, t.VRF.String(), func(_ *rtnl.Conn, index int) error {
		prog, err := bpf.Load(bpf.Bind(uint32(index), domain.VRFMark))
		if err != nil {
			return err
		}
		defer unix.Close(prog)
		return bpf.Pin(prog, t.Pin())
	})
}

// unpin takes a pinned program away, and the directory with the last one.
func unpin(path string) error {
	if err := bpf.Unpin(path); err != nil {
		return err
	}
	err := unix.Rmdir(filepath.Dir(path))
	if err != nil && err != unix.ENOTEMPTY && err != unix.ENOENT {
		return &fs.PathError{Op: "rmdir", Path: filepath.Dir(path), Err: err}
	}
	return nil
}

// mountBPF mounts the BPF file system where nobody has, as systemd does.
func mountBPF() error {
	var st unix.Statfs_t
	if err := unix.Statfs(bpffs, &st); err != nil {
		return fmt.Errorf("%s: %w (a kernel without CONFIG_BPF_SYSCALL?)", bpffs, err)
	}
	if st.Type == unix.BPF_FS_MAGIC {
		return nil
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("bpf", bpffs, "bpf", flags, "mode=700"); err != nil {
		return fmt.Errorf("mount the BPF file system on %s: %w", bpffs, err)
	}
	return nil
}

// pinnedFor returns the ifindex that the program pinned at path binds to, 0 if
// nothing is pinned there, or something else than up pins now.
func pinnedFor(path string) uint32 {
	prog, err := bpf.Pinned(path)
	if err != nil {
		return 0
	}
	defer unix.Close(prog)
	info, err := bpf.Read(prog)
	if err != nil {
		return 0
	}
	ifindex, _ := bpf.BoundBy(info.Insns, domain.VRFMark)
	return ifindex
}
