package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rdgen/runtime/enter"
	"rdgen/runtime/ip"
	"rdgen/runtime/rtnl"
)

// bpffs is where the BPF file system is mounted everywhere.
const bpffs = "/sys/fs/bpf"

func (s *session) doPin(verb ip.Verb, t ip.Pin) error {
	if verb == ip.Delete {
		return unpin(t.Path)
	}
	if err := mountBPF(); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Dir(t.Path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.on(t.Netns, t.VRF, func(_ *rtnl.Conn, index int) error {
		fd, err := enter.Load(uint32(index))
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return enter.Pin(fd, t.Path)
	})
}

// unpin takes a pinned program away, and the directory with the last one.
func unpin(path string) error {
	// enter.Pin pins under a name with "~" first; killed, it leaves that.
	for _, name := range []string{path, path + "~"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
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
