package record

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"rdgen/problem"
	"rdgen/runtime/netns"
)

// Watch is told when a record is written, and when the name of a namespace is removed.
type Watch struct{ fd int }

// OpenWatch begins to watch (inotify(7)).
func OpenWatch() (*Watch, error) {
	if err := netns.Prepare(); err != nil {
		return nil, err
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, limit(err)
	}
	_, err = unix.InotifyAddWatch(fd, netns.Run, unix.IN_DELETE|unix.IN_ONLYDIR)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, Dir, unix.IN_MOVED_TO|unix.IN_ONLYDIR)
	}
	if err != nil {
		unix.Close(fd)
		return nil, limit(err)
	}
	return &Watch{fd}, nil
}

// limit says which of the kernel's limits an error means.
func limit(err error) error {
	e := problem.New(problem.Pos{}, "unable to watch %s: inotify: %w", Dir, err)
	e.Temporary = true
	switch {
	case errors.Is(err, unix.EMFILE):
		e.Hint = "raise fs.inotify.max_user_instances (sysctl), or the limit of open files"
	case errors.Is(err, unix.ENOSPC):
		e.Hint = "raise fs.inotify.max_user_watches (sysctl)"
	}
	return e
}

// Close gives the descriptor back.
func (w *Watch) Close() { unix.Close(w.fd) }

// FD is readable when there are names.
func (w *Watch) FD() int { return w.fd }

// Names returns which files changed, without waiting; "" stands for any.
func (w *Watch) Names() (map[string]bool, error) {
	names, buf := map[string]bool{}, make([]byte, 32<<10)
	for {
		n, err := unix.Read(w.fd, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return names, nil
		case err != nil:
			return nil, fmt.Errorf("inotify: %w", err)
		}
		for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(unsafe.SliceData(rest)))
			end := min(unix.SizeofInotifyEvent+int(event.Len), len(rest))
			name, _, _ := strings.Cut(string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:end], "\x00")), "\x00")
			if event.Mask&(unix.IN_Q_OVERFLOW|unix.IN_IGNORED) != 0 {
				name = ""
			}
			names[name], rest = true, rest[end:]
		}
	}
}
