package bpf

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pin keeps a loaded program alive under path, which is below a mounted bpffs,
// and replaces by rename what was pinned there before, so that a reader finds
// the old program or the new one. bpffs refuses a name with a dot. The caller
// keeps others from pinning to the same path at the same time.
func Pin(prog int, path string) error {
	next := pinning(path)
	err := pin(prog, next)
	if err == unix.EEXIST { // left by somebody who was killed
		if err = unix.Unlink(next); err == nil {
			err = pin(prog, next)
		}
	}
	if err != nil {
		return &Error{"pin the VRF's BPF program to " + path, err, ""}
	}
	if err := unix.Rename(next, path); err != nil {
		unix.Unlink(next)
		return &Error{"rename " + next + " to " + path, err, ""}
	}
	return nil
}

// pinning is the name under which Pin pins before it renames.
func pinning(path string) string { return path + "~" }

func pin(prog int, path string) error {
	_, err := object(unix.BPF_OBJ_PIN, path, prog)
	return err
}

// PinNew pins a program or map at a path where nothing is. It returns the errno
// alone: EEXIST if something is there.
func PinNew(fd int, path string) error { return pin(fd, path) }

// Unpin removes what Pin made at path, also where Pin was killed. It is no
// error if nothing is there.
func Unpin(path string) error {
	for _, name := range [...]string{path, pinning(path)} {
		if err := unix.Unlink(name); err != nil && err != unix.ENOENT {
			return &Error{"remove " + name, err, ""}
		}
	}
	return nil
}

// Pinned opens the program or map that is pinned at path. The error matches
// fs.ErrNotExist if there is none.
func Pinned(path string) (prog int, err error) {
	prog, err = object(unix.BPF_OBJ_GET, path, 0)
	if err != nil {
		return -1, &Error{"open the BPF program " + path, err, ""}
	}
	return prog, nil
}

// object is bpf(2) with a path: to get what is pinned there, or to pin prog.
func object(command int, path string, prog int) (int, error) {
	text, err := unix.ByteSliceFromString(path)
	if err != nil {
		return -1, err
	}
	if len(text) > unix.PathMax {
		return -1, unix.ENAMETOOLONG
	}
	name := heap([unix.PathMax]byte{})
	copy(name[:], text)
	attr := struct {
		path      uint64
		fd, flags uint32
	}{path: address(unsafe.Pointer(name)), fd: uint32(prog)}
	fd, err := bpf(command, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(name)
	return fd, err
}
