package tree

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/atomicfile"
)

// Root is a folder that is read as if it were "/": an absolute symbolic link in
// it, or one with too many "..", stays inside, as after chroot(2). It is an
// [fs.FS], [fs.ReadDirFS], [fs.StatFS] and [fs.ReadLinkFS] with names that have
// no leading slash.
type Root struct {
	dir *os.File
}

// OpenRoot opens dir for reading below it. The caller closes it.
// Needs openat2(2), Linux 5.6.
func OpenRoot(dir string) (*Root, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	return &Root{dir: os.NewFile(uintptr(fd), dir)}, nil
}

// Close releases the folder.
func (r *Root) Close() error { return r.dir.Close() }

// Open opens a file below the root for reading. What is neither a regular file
// nor a directory is refused with fs.ErrInvalid, as is a link to a file of /proc or /sys, and
// it never waits for the writer of a FIFO.
func (r *Root) Open(name string) (fs.File, error) {
	fd, err := r.openFD("open", name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if errors.Is(err, unix.ENXIO) {
		return nil, r.notRegular(name, "socket")
	}
	if err != nil {
		return nil, err
	}
	f := &file{fd: fd, info: info{name: path.Base(name)}}
	if err := unix.Fstat(fd, &f.info.st); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "stat", Path: "/" + name, Err: err}
	}
	switch {
	case f.info.Mode().IsRegular() && atomicfile.OfKernel(fd, name):
		f.Close()
		return nil, r.notRegular(name, "file of the kernel")
	case f.info.Mode().IsRegular():
		return f, nil
	case f.info.IsDir():
		f.Close()
		entries, err := r.ReadDir(name)
		return &directory{info: &f.info, path: name, rest: entries}, err
	}
	f.Close()
	return nil, r.notRegular(name, kind(f.info.Mode()))
}

func (r *Root) notRegular(name, kind string) error {
	return &fs.PathError{Op: "open", Path: "/" + name, Err: irregular(kind)}
}

// irregular is the kind of what is no regular file. It is fs.ErrInvalid.
type irregular string

func (kind irregular) Error() string        { return "is a " + string(kind) + ", not a regular file" }
func (kind irregular) Is(target error) bool { return target == fs.ErrInvalid }

// file is an opened regular file. An os.File would be registered with the
// poller first, which costs as much as to read a small file.
type file struct {
	fd   int
	info info
	read int64 // bytes so far
}

func (f *file) Stat() (fs.FileInfo, error) { return &f.info, nil }

func (f *file) Read(p []byte) (int, error) {
	n, err := unix.Read(f.fd, p)
	for err == unix.EINTR {
		n, err = unix.Read(f.fd, p)
	}
	f.read += int64(max(n, 0))
	switch {
	case err != nil:
		return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: err}
	case n == 0 && len(p) > 0, n > 0 && f.read == f.info.Size():
		return n, io.EOF // known without asking once more
	}
	return n, nil
}

func (f *file) Close() error {
	if f.fd < 0 {
		return fs.ErrClosed
	}
	err := unix.Close(f.fd)
	f.fd = -1
	return err
}

// directory is an opened directory, already read.
type directory struct {
	info fs.FileInfo
	path string
	rest []fs.DirEntry
}

func (d *directory) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *directory) Close() error               { return nil }
func (d *directory) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: "/" + d.path, Err: unix.EISDIR}
}

func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	entries := d.rest[:n]
	d.rest = d.rest[n:]
	return entries, nil
}

// Stat describes the file that name leads to, symbolic links followed.
func (r *Root) Stat(name string) (fs.FileInfo, error) { return r.describe("stat", name, 0) }

// Lstat describes name itself, also where it is a symbolic link.
func (r *Root) Lstat(name string) (fs.FileInfo, error) {
	return r.describe("lstat", name, unix.O_NOFOLLOW)
}

func (r *Root) describe(op, name string, flags int) (fs.FileInfo, error) {
	fd, err := r.openFD(op, name, unix.O_PATH|flags)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	i := &info{name: path.Base(name)}
	if err := unix.Fstat(fd, &i.st); err != nil {
		return nil, &fs.PathError{Op: op, Path: "/" + name, Err: err}
	}
	return i, nil
}

// info is what stat(2) says of a file.
type info struct {
	name string
	st   unix.Stat_t
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.st.Size }
func (i *info) IsDir() bool        { return i.Mode().IsDir() }
func (i *info) ModTime() time.Time { return time.Unix(i.st.Mtim.Unix()) }
func (i *info) Sys() any           { return &i.st }

func (i *info) Mode() fs.FileMode {
	mode := fs.FileMode(i.st.Mode & 0o777)
	switch i.st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	case unix.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		mode |= fs.ModeSocket
	case unix.S_IFBLK:
		mode |= fs.ModeDevice
	case unix.S_IFCHR:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	}
	for _, bit := range [...]struct {
		kernel uint32
		mode   fs.FileMode
	}{{unix.S_ISUID, fs.ModeSetuid}, {unix.S_ISGID, fs.ModeSetgid}, {unix.S_ISVTX, fs.ModeSticky}} {
		if i.st.Mode&bit.kernel != 0 {
			mode |= bit.mode
		}
	}
	return mode
}

// ReadLink returns the target of the symbolic link name, as it is written.
func (r *Root) ReadLink(name string) (string, error) {
	fd, err := r.openFD("readlink", name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: "/" + name, Err: err}
	}
	return string(buf[:n]), nil
}

// ReadDir returns the entries of a directory, sorted by name.
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	fd, err := r.openFD("open", name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	// Where the file system gives no types, os.File asks for them by path: this
	// is a path at which the directory is found.
	dir := os.NewFile(uintptr(fd), "/proc/self/fd/"+strconv.Itoa(fd))
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: "/" + name, Err: err}
	}
	for i, e := range entries {
		entries[i] = entry{DirEntry: e, root: r, path: path.Join(name, e.Name())}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// entry is a directory entry that is described from below the root again.
type entry struct {
	fs.DirEntry
	root *Root
	path string
}

func (e entry) Info() (fs.FileInfo, error) { return e.root.Lstat(e.path) }

func (r *Root) openFD(op, name string, flags int) (int, error) {
	// fs.ValidPath takes no name that is not UTF-8; the kernel and systemd do.
	if !fs.ValidPath(strings.ToValidUTF8(name, "?")) {
		return -1, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat2(int(r.dir.Fd()), name, &unix.OpenHow{
			Flags:   uint64(flags | unix.O_CLOEXEC),
			Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
		})
	})
	if err != nil {
		return -1, &fs.PathError{Op: op, Path: "/" + name, Err: err}
	}
	return fd, nil
}

// retry repeats a system call that a signal interrupted; openat2 also returns
// EAGAIN when a rename races with the check that ".." stays below the root.
func retry(call func() (int, error)) (int, error) {
	for {
		fd, err := call()
		if err != unix.EINTR && err != unix.EAGAIN {
			return fd, err
		}
	}
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "FIFO"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return strings.ToLower(m.Type().String())
}
