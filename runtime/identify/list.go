package identify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Match is whether a process is one of those that are asked for.
type Match int

// A process whose VRF is not known may be neither in nor out.
const (
	Out Match = iota
	In
	Unsure
)

// Unseen is what keeps a list of processes from being whole. Its zero value is a
// list that is.
type Unseen struct {
	// Refused is the number of processes that the caller may not look at, and First
	// the error for one.
	Refused int
	First   error
	// Unsure is the number of those that may belong to the list, and Why the
	// reason for the first.
	Unsure int
	Why    string
	// Hidden: /proc does not show the processes of others to the caller.
	Hidden bool
}

// Err returns what is missing, as an error, or nil.
func (u Unseen) Err() error {
	var what []string
	if u.Hidden {
		what = append(what, "/proc hides the processes of other users (hidepid=)")
	}
	if u.Refused > 0 {
		what = append(what, fmt.Sprintf("%d of the processes may not be looked at (%v)", u.Refused, u.First))
	}
	if u.Unsure > 0 {
		what = append(what, fmt.Sprintf("the vrf is not known of %d of the processes (%s)", u.Unsure, u.Why))
	}
	if len(what) == 0 {
		return nil
	}
	return errors.New("the list is not whole: " + strings.Join(what, "; "))
}

// Processes returns the processes that are In, by pid, and what could not be seen.
// Those that end meanwhile are left out.
func (l *Looker) Processes(match func(Location) Match) (list []Location, unseen Unseen, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, unseen, err
	}
	if unseen.Hidden, err = Hides(); err != nil {
		return nil, unseen, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		at, err := l.Process(pid)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH):
			continue
		case errors.Is(err, fs.ErrPermission):
			if unseen.Refused++; unseen.First == nil {
				unseen.First = err
			}
			continue
		case err != nil:
			return nil, unseen, err
		}
		switch match(at) {
		case In:
			list = append(list, at)
		case Unsure:
			if unseen.Unsure++; unseen.Why == "" {
				unseen.Why = at.Unknown
			}
		}
	}
	slices.SortFunc(list, func(a, b Location) int { return a.PID - b.PID })
	return list, unseen, nil
}

// Hides reports whether /proc leaves processes of others out for the caller
// (proc(5), hidepid=2 and 4): neither a holder of CAP_SYS_PTRACE nor, for 2, a member
// of the group that gid= names.
func Hides() (bool, error) {
	mountinfo, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return false, err
	}
	hidepid, gid := hidepid(string(mountinfo))
	if hidepid == "" {
		return false, nil
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return false, fmt.Errorf("capget: %w", err)
	}
	if caps[0].Effective&(1<<unix.CAP_SYS_PTRACE) != 0 {
		return false, nil
	}
	groups, err := os.Getgroups()
	if err != nil {
		return false, err
	}
	all := hidepid == "ptraceable"
	return all || !slices.Contains(append(groups, os.Getegid()), gid), nil
}

// hidepid returns how the proc at /proc leaves processes out, "invisible" or
// "ptraceable", and the group that it shows all to, 0 if none is named. "" is for a
// proc that shows all, if only their names. Before Linux 5.8 the options are numbers.
func hidepid(mountinfo string) (how string, gid int) {
	for line := range strings.Lines(mountinfo) {
		mount, fs, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(mount), strings.Fields(fs)
		if len(f) < 5 || f[4] != "/proc" || len(g) < 3 || g[0] != "proc" {
			continue
		}
		how, gid = "", 0 // the last mount is the one that is seen
		for option := range strings.SplitSeq(f[5]+","+g[2], ",") {
			name, value, _ := strings.Cut(option, "=")
			switch {
			case name == "gid":
				gid, _ = strconv.Atoi(value)
			case name == "hidepid" && (value == "2" || value == "invisible"):
				how = "invisible"
			case name == "hidepid" && (value == "4" || value == "ptraceable"):
				how = "ptraceable"
			}
		}
	}
	return how, gid
}
