package enter

import (
	"golang.org/x/sys/unix"
)

// readFile returns the whole text of a file.
func readFile(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	text := make([]byte, 0, 4096)
	for {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := unix.Read(fd, text[len(text):cap(text)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return "", err
		}
		if n == 0 {
			return string(text), nil
		}
		text = text[:len(text)+n]
	}
}

// readNames returns the names in an open directory that was not read before,
// except "." and "..", in the order of the file system.
func readNames(dir int) ([]string, error) {
	var names []string
	buf := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n == 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

// namesIn is readNames for a path relative to the directory at.
func namesIn(at int, path string) ([]string, error) {
	dir, err := unix.Openat(at, path, dirFlags, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	return readNames(dir)
}

// readLink returns the text of a symbolic link.
func readLink(at int, name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(at, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
