// Package caller says which user has called a program that runs as root by sudo(8), doas(1)
// or pkexec(1). Two must say the same: the variable that the tool sets, and the kernel, of a
// process of the user's that waits for the program. What the user had, his groups, his
// environment, where he was, is what that process has.
//
// Nothing that is read here is trusted to be more than the user's own: all of it is for a
// program that runs as that user.
package caller

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/enter"
)

// Caller is the user, as the process that waits has it.
type Caller struct {
	enter.Identity
	// Environ is what the process was started with.
	Environ []string
	// Umask is its umask.
	Umask int
	dir   *os.File // its folder in /proc
}

// The most that is read of an environment; the kernel's limit is a quarter of the stack, 6 MiB
// at most.
const most = 8 << 20

// Find returns the user that has called the calling process, whose environment is environ, for
// the process pid, which must be one of the processes above it.
//
// That process can end, and execute another program, at any time. So its folder is opened
// first, which is never that of a later process of its number, and what it is and who it
// belongs to is read once more in the end.
func Find(environ []string, pid int) (*Caller, error) {
	uid, err := asked(environ)
	if err != nil {
		return nil, err
	}
	dir, err := os.OpenFile("/proc/"+strconv.Itoa(pid), unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("there is no process %d that waits: %w", pid, err)
	}
	c := &Caller{dir: dir}
	if err := c.read(uid, pid); err != nil {
		dir.Close()
		return nil, err
	}
	return c, nil
}

func (c *Caller) read(uid uint32, pid int) error {
	first, err := c.status(uid)
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	if !above(pid) {
		return fmt.Errorf("process %d has not called this one", pid)
	}
	if c.Environ, err = c.environ(); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	last, err := c.status(uid)
	if err == nil && !slices.Equal(first.ids, last.ids) {
		err = errors.New("it has changed its user or its groups")
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	c.Identity, c.Umask = enter.Identity{UID: uid, GID: last.ids[4], Groups: last.ids[8:]}, last.umask
	return nil
}

// Restore gives the calling process the umask of the caller, and the working directory where
// it has another: pkexec goes to root's home.
func (c *Caller) Restore() error {
	unix.Umask(c.Umask)
	var here, there unix.Stat_t
	cwd := "/proc/self/fd/" + strconv.Itoa(int(c.dir.Fd())) + "/cwd"
	err := unix.Stat(cwd, &there)
	if err == nil {
		err = unix.Stat(".", &here)
	}
	if err == nil && (here.Dev != there.Dev || here.Ino != there.Ino) {
		err = unix.Chdir(cwd)
	}
	if err != nil {
		return fmt.Errorf("go to the working directory of the caller: %w", err)
	}
	return nil
}

// asked returns the user who, by the environment, has called. Each tool sets its own variable,
// and may let another's pass, which the user chose.
func asked(environ []string) (uint32, error) {
	var uid uint32
	said := ""
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if name != "SUDO_UID" && name != "PKEXEC_UID" && name != "DOAS_USER" {
			continue
		}
		if name == "DOAS_USER" {
			entry, err := enter.Number("/etc/passwd", value)
			if err != nil {
				return 0, fmt.Errorf("%s=%q: %w", name, value, err)
			}
			value = strconv.FormatUint(uint64(entry), 10)
		}
		n, err := strconv.ParseUint(value, 10, 32)
		switch {
		case err != nil || n == 1<<32-1:
			return 0, fmt.Errorf("%s=%q is no user", name, value)
		case said != "" && uint32(n) != uid:
			return 0, fmt.Errorf("%s and %s say that two users have called", said, name)
		case n == 0:
			return 0, fmt.Errorf("%s says that root has called, who needs no leave", name)
		}
		uid, said = uint32(n), name
	}
	if said == "" {
		return 0, errors.New("who has called is not known: it is for sudo, doas and pkexec, which say so by SUDO_UID, DOAS_USER or PKEXEC_UID")
	}
	return uid, nil
}

// status is what /proc/PID/status says.
type status struct {
	ids   []uint32 // four of users, four of groups, and the supplementary groups
	umask int
}

// status reads it, of a process of which everything belongs to uid. A process that runs a
// set-uid program is not that, nor one that was root and is the user since: what it knows may
// not be the user's, who cannot trace it either.
func (c *Caller) status(uid uint32) (s status, err error) {
	var st unix.Stat_t
	// The folder itself belongs to the user in any case.
	if err := unix.Fstatat(int(c.dir.Fd()), "environ", &st, 0); err != nil {
		return s, err
	}
	text, err := c.file("status")
	if err != nil {
		return s, err
	}
	field := func(name string) []string {
		_, rest, _ := strings.Cut(string(text), "\n"+name+":")
		line, _, _ := strings.Cut(rest, "\n")
		return strings.Fields(line)
	}
	for _, name := range []string{"Uid", "Gid", "Groups"} {
		list := field(name)
		if name != "Groups" && len(list) != 4 {
			return s, fmt.Errorf("its status has no line %s", name)
		}
		for _, word := range list {
			n, err := strconv.ParseUint(word, 10, 32)
			if err != nil {
				return s, fmt.Errorf("its status has the line %s: %w", name, err)
			}
			s.ids = append(s.ids, uint32(n))
		}
	}
	for i, id := range s.ids[:8] {
		if i < 4 && id != uid || i >= 4 && id != s.ids[4] {
			return s, fmt.Errorf("it is not one of user %d alone", uid)
		}
	}
	if st.Uid != uid {
		return s, fmt.Errorf("it is not one that user %d may look into", uid)
	}
	mask, err := strconv.ParseUint(strings.Join(field("Umask"), ""), 8, 12)
	if err != nil {
		return s, fmt.Errorf("its status has no line Umask: %w", err)
	}
	s.umask = int(mask)
	return s, nil
}

func (c *Caller) environ() ([]string, error) {
	text, err := c.file("environ")
	if err != nil {
		return nil, err
	}
	var list []string
	for v := range strings.SplitSeq(string(text), "\x00") {
		if strings.Contains(v, "=") {
			list = append(list, v)
		}
	}
	return list, nil
}

// file reads a file of the process's folder.
func (c *Caller) file(name string) ([]byte, error) {
	fd, err := unix.Openat(int(c.dir.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("read its %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	if err != nil {
		return nil, fmt.Errorf("read its %s: %w", name, err)
	}
	return text, nil
}

// above reports whether pid is the parent of the calling process, or that one's, and so on.
func above(pid int) bool {
	for at := os.Getppid(); at > 1; {
		if at == pid {
			return true
		}
		text, err := os.ReadFile("/proc/" + strconv.Itoa(at) + "/status")
		if err != nil {
			return false
		}
		_, rest, _ := strings.Cut(string(text), "\nPPid:")
		line, _, _ := strings.Cut(rest, "\n")
		if at, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
			return false
		}
	}
	return false
}
