package identify

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"rdgen/runtime/netns"
	"rdgen/runtime/rtnl"
)

// Past is a domain that was taken down while processes ran in it.
type Past struct {
	ID string
	// Netns is the namespace that it was, or lived in.
	Netns netns.ID
	// VRF is the ifindex that its device had, 0 of a namespace.
	VRF uint32
}

// Remember tells of domains that are down, so that their processes are known.
func (l *Looker) Remember(past []Past) { l.past = past }

// remembered finds out whether a namespace without a name was a domain.
func (l *Looker) remembered(at *Location, ns *netns.NS) error {
	for _, p := range l.past {
		if p.VRF != 0 || !p.Netns.Same(ns.ID()) {
			continue
		}
		if p.Netns.Cookie != 0 { // inode numbers are given again
			err := ns.Inside(func() error {
				c, err := rtnl.Open()
				if err != nil {
					return err
				}
				defer c.Close()
				cookie, err := c.NetnsCookie()
				ns.Learn(cookie)
				return err
			})
			if err != nil {
				return err
			}
		}
		if p.Netns.Same(ns.ID()) {
			at.Outlived = p.ID
			at.note("outlived domain " + p.ID)
			return nil
		}
	}
	return nil
}

// gone finds out whether a link that is gone was a domain. The kernel does not soon
// give an ifindex again.
func (l *Looker) gone(at *Location, ns netns.ID, ifindex uint32) {
	for _, p := range l.past {
		if p.VRF == ifindex && p.Netns.Same(ns) {
			at.Outlived = p.ID
			at.note("outlived domain " + p.ID)
			return
		}
	}
}

// Outlived returns the processes of the domains that Remember told of. It looks closer
// only at processes in their namespaces, and leaves out what it may not look at.
func (l *Looker) Outlived() (list []Location, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil || len(l.past) == 0 {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+e.Name()+"/ns/net", &st) != nil ||
			!slices.ContainsFunc(l.past, func(p Past) bool { return p.Netns.Same(netns.ID{Dev: st.Dev, Ino: st.Ino}) }) {
			continue
		}
		at, err := l.Process(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if at.Outlived != "" {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b Location) int { return a.PID - b.PID })
	return list, nil
}
