// Package process is what /proc says of processes: parents, sessions, cgroups, when they
// began, which of them supervise others, and the sockets at which they listen. In which domain
// one is says package identify.
package process

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a process, as anybody may see it.
type Process struct {
	PID, Parent, Session int
	// State is R, S, Z and so on (proc(5)).
	State byte
	// Command is the name of its program, of at most 15 bytes.
	Command string
	// Began is when it was made, by the clock as it goes now.
	Began time.Time
	// Cgroup is the path of its cgroup: that of cgroup v2, or of the hierarchy of an init
	// system; "" where there is none.
	Cgroup string
	// Supervises is the service that it is the supervisor of, "" for none: s6-supervise and
	// supervise-daemon of root's name it in their first word.
	Supervises string
	// Dir is the service directory of an s6-supervise, "" where the caller may not know.
	Dir string
}

// ticks are those of a second, in what /proc says, on all processors that Go knows.
const ticks = 100

// Stat reads a process, without Began, Cgroup and Supervises. The error matches
// fs.ErrNotExist if there is none.
func Stat(pid int) (Process, error) {
	p, _, err := stat(pid)
	return p, err
}

func stat(pid int) (p Process, began int64, err error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, 0, err
	}
	open, closed := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || closed < open {
		return p, 0, os.ErrInvalid
	}
	f := bytes.Fields(data[closed+1:]) // the name before may have anything in it
	if len(f) < 20 {
		return p, 0, os.ErrInvalid
	}
	p = Process{PID: pid, State: f[0][0], Command: string(data[open+1 : closed])}
	var errs [3]error
	p.Parent, errs[0] = strconv.Atoi(string(f[1]))
	p.Session, errs[1] = strconv.Atoi(string(f[3]))
	began, errs[2] = strconv.ParseInt(string(f[19]), 10, 64)
	return p, began, errors.Join(errs[:]...)
}

// Ended reports whether it has ended, and only its parent does not know yet.
func (p Process) Ended() bool { return p.State == 'Z' || p.State == 'X' }

// All returns the processes, by pid. Those that have ended, or end meanwhile, are left out.
func All() (list []Process, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	boot, err := booted()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, began, err := stat(pid)
		if gone(err) || p.Ended() {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.Began = boot.Add(time.Duration(began) * time.Second / ticks)
		text, err := os.ReadFile("/proc/" + e.Name() + "/cgroup")
		if gone(err) {
			continue
		}
		p.Cgroup = cgroupOf(string(text)) // a kernel without cgroups has none
		if p.Supervises, err = supervises(p); err != nil && !gone(err) {
			return nil, err
		}
		if p.Supervises != "" && p.Command == "s6-supervise" {
			p.Dir, _ = os.Readlink("/proc/" + e.Name() + "/cwd")
		}
		list = append(list, p)
	}
	return list, nil
}

// gone reports whether a process has ended.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// booted is when the machine booted, by the clock as it goes now.
func booted() (time.Time, error) {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return time.Time{}, err
	}
	return time.Now().Add(-time.Duration(up.Nano())), nil
}

// cgroupOf returns the path that tells a service's processes, of /proc/PID/cgroup.
func cgroupOf(text string) (path string) {
	for line := range strings.Lines(strings.TrimSuffix(text, " (deleted)\n")) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, at, ok := strings.Cut(rest, ":")
		if !ok || at == "/" {
			continue
		}
		switch controllers {
		case "name=openrc", "name=systemd":
			path = at
		case "":
			return at
		}
	}
	return path
}

// Unit is what an init system calls the service that a cgroup belongs to: "nginx.service",
// "sshd"; "" for none. systemd has its units below slices, and OpenRC its services as
// "openrc.NAME" or NAME (openrc, src/shared/rc-cgroup2.sh).
func Unit(cgroup string) string {
	for part := range strings.SplitSeq(cgroup, "/") {
		if part == ".." {
			return "" // it lies outside of what the caller's cgroup namespace shows
		}
		if part != "" && !strings.HasSuffix(part, ".slice") {
			return strings.TrimPrefix(strings.TrimPrefix(part, "_"), "openrc.")
		}
	}
	return ""
}

// supervises returns the service that a supervisor is for.
func supervises(p Process) (string, error) {
	if p.Command != "s6-supervise" && p.Command != "supervise-daemo" {
		return "", nil
	}
	dir := "/proc/" + strconv.Itoa(p.PID)
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil || st.Uid != 0 {
		return "", err // anybody may call a program of his so
	}
	text, err := os.ReadFile(dir + "/cmdline")
	if words := strings.Split(string(text), "\x00"); len(words) > 1 {
		return words[1], err
	}
	return "", err
}
