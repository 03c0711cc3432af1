package conf

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"rdgen/atomicfile"
	"rdgen/problem"
	"rdgen/runtime/object"
)

// Machine returns the root of this machine. What is opened in it is never waited for: a FIFO,
// or a link to a file of /proc, in place of a file would hold up the boot.
func Machine() fs.FS { return machine{} }

type machine struct{}

// Open opens a file for reading; name has no leading slash.
func (machine) Open(name string) (fs.File, error) {
	file := "/" + strings.TrimPrefix(name, ".")
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: file, Err: err}
	}
	if atomicfile.OfKernel(fd, file) {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: file, Err: errKernel}
	}
	return os.NewFile(uintptr(fd), file), nil
}

// errKernel is the error for a link to a file of the kernel's.
var errKernel error = notRegular("is a file of the kernel, not a regular file")

// notRegular is fs.ErrInvalid.
type notRegular string

func (e notRegular) Error() string      { return string(e) }
func (notRegular) Is(target error) bool { return target == fs.ErrInvalid }

// ReadRegular reads a file of this machine, of any program. What is no regular file is
// fs.ErrInvalid.
func ReadRegular(file string) ([]byte, error) {
	f, err := Machine().Open(file[1:])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: file, Err: fs.ErrInvalid}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// Key is a secret of WireGuard.
type Key = [32]byte

// Keys reads the secrets that the file refers to, by where they are. full is the file
// with what the ConfigFile= of its links provide. All that is wrong with them is in
// errs, each a *problem.Error at its line. fsys is rooted at the machine's root; owner may
// own them, as root may.
func (f *File) Keys(fsys fs.FS, owner uint32) (full *File, keys map[object.Secret]Key, errs []error) {
	full, keys, err := f.provided(func(l Link) ([]byte, error) {
		text, err := readSecret(fsys, l.ConfigFile, owner, MaxSize+1)
		if err != nil {
			return nil, problem.New(f.At(l.LineOf("ConfigFile")), "ConfigFile=%s: %w", l.ConfigFile, problem.Cause(err))
		}
		return text, nil
	})
	if err != nil {
		return nil, nil, []error{err}
	}
	read := func(name string, at object.Secret, line int) {
		if _, known := keys[at]; known || at == "" {
			return
		}
		k, err := readKey(fsys, string(at), owner)
		if err != nil {
			errs = append(errs, problem.New(f.At(line), "%s=%s: %w", name, at, problem.Cause(err)))
		}
		keys[at] = k
	}
	for _, l := range full.Links {
		read("PrivateKeyFile", l.KeyFile, l.LineOf("PrivateKeyFile"))
		for _, p := range l.Peers {
			read("PresharedKeyFile", p.PresharedKeyFile, p.LineOf("PresharedKeyFile"))
		}
	}
	return full, keys, errs
}

// readSecret reads at most so many bytes of a file that has a key in it. One that others
// than its owner and group may read, or anybody but its owner may change, keeps no
// secret. No error has anything of what is in the file.
func readSecret(fsys fs.FS, path string, owner uint32, most int64) ([]byte, error) {
	file, err := fsys.Open(path[1:])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	st, owned := owns(info)
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case owned && st != 0 && st != owner:
		return nil, fmt.Errorf("belongs to user %d, who can read and change it; expected root's", st)
	case info.Mode()&0o027 != 0:
		return nil, fmt.Errorf("has mode %04o: others could read or change the key; chmod 600 it, and make a new key", info.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(file, most))
}

// readKey reads a secret in base64, as wg genkey writes it.
func readKey(fsys fs.FS, path string, owner uint32) (k Key, err error) {
	text, err := readSecret(fsys, path, owner, 4096)
	if err != nil {
		return k, err
	}
	data, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || copy(k[:], data) != len(k) || len(data) != len(k) {
		return Key{}, errors.New("is not a key: expected 44 characters of base64, as wg genkey prints them")
	}
	note(fsys, path, []byte(printed(k)+"\n"))
	return k, nil
}

// printed is the print of a key, as a key is written.
func printed(k Key) string {
	k = Print(k)
	return base64.StdEncoding.EncodeToString(k[:])
}

// Ruleset reads the ruleset of Firewall=, which nobody but root may be able to write. fsys is
// rooted at the machine's root.
func (f *File) Ruleset(fsys fs.FS) (string, error) {
	file, err := fsys.Open(f.Firewall[1:])
	if err != nil {
		return "", problem.Cause(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("is not a regular file")
	}
	if loose := Loose(f.Firewall, info, "what is let in"); loose != "" {
		return "", errors.New(loose)
	}
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if len(text) > MaxSize {
		return "", errors.New("has more than 1 MiB")
	}
	return string(text), err
}

// owns returns the user to whom a file belongs, if that is known.
func owns(info fs.FileInfo) (uid uint32, ok bool) {
	switch st := info.Sys().(type) {
	case *unix.Stat_t: // of a root that rdgen reads
		return st.Uid, true
	case *syscall.Stat_t:
		return st.Uid, true
	}
	return 0, false
}

// Owners looks up the numbers of the users and groups that may open a tun or tap, and of
// the users of rules, by their names. Only /etc/passwd and /etc/group count, as for every
// program that is linked like rdomain.
func (f *File) Owners(fsys fs.FS) (users, groups map[string]string, errs []error) {
	users, groups = map[string]string{}, map[string]string{}
	find := func(ids map[string]string, key, name, file string, line int) {
		if name == "" || name[0] >= '0' && name[0] <= '9' {
			return
		}
		id, err := numberOf(fsys, file, name)
		if err != nil {
			errs = append(errs, problem.New(f.At(line), "%s=%s: %w", key, name, err))
		}
		ids[name] = id
	}
	for _, l := range f.Links {
		find(users, "User", l.User, "/etc/passwd", l.LineOf("User"))
		find(groups, "Group", l.Group, "/etc/group", l.LineOf("Group"))
	}
	for _, r := range f.Rules {
		find(users, "User", r.User, "/etc/passwd", r.userLine)
	}
	return users, groups, errs
}

// numberOf returns the third field of the line of a name in a file such as /etc/passwd.
func numberOf(fsys fs.FS, file, name string) (string, error) {
	text, err := fs.ReadFile(fsys, file[1:])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", problem.Unreadable(file, err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if fields[0] != name || len(fields) < 3 {
			continue
		}
		if _, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
			noteLine(fsys, file, strings.Join(fields[:3], ":"))
			return fields[2], nil
		}
	}
	return "", errors.New("there is no such name in " + file)
}

// Inputs returns what is wrong with what the file refers to, without which its domain
// does not come up: each a *problem.Error. fsys is rooted at the machine's root. Below a
// root that belongs to somebody else, that one counts as root.
func (f *File) Inputs(fsys fs.FS) []error {
	var owner uint32
	if root, err := fs.Stat(fsys, "."); err == nil {
		owner, _ = owns(root)
	}
	_, _, errs := f.Keys(fsys, owner)
	_, _, more := f.Owners(fsys)
	return slices.Concat(errs, more)
}
