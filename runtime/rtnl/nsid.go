package rtnl

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Number gives a network namespace, which fd is an open file of, a number in the
// socket's namespace, if it has none: its changes are then told to a [Watch] there. The
// number goes with the namespace, and does not keep it alive. isNew reports that it had
// none. (RTM_NEWNSID, since Linux 4.0.)
func (c *Conn) Number(fd int) (isNew bool, err error) {
	err = c.change(unix.RTM_NEWNSID, 0, nl.NewRtGenMsg(), u32(unix.NETNSA_NSID, ^uint32(0)), u32(unix.NETNSA_FD, uint32(fd)))
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	return err == nil, err
}

// NSID returns the number by which the namespace of c knows the one that fd is
// an open file of; it gets one if it has none.
func (c *Conn) NSID(fd int) (int, error) {
	id, err := c.nsid(fd)
	if err != nil || id >= 0 {
		return id, err
	}
	if _, err := c.Number(fd); err != nil {
		return -1, fmt.Errorf("number for a namespace: %w", err)
	}
	if id, err = c.nsid(fd); err == nil && id < 0 {
		err = errors.New("the kernel gave a namespace no number")
	}
	return id, err
}

// NumberOf returns the number by which the namespace of c knows the one that fd is an open
// file of, negative if it has none.
func (c *Conn) NumberOf(fd int) (int, error) { return c.nsid(fd) }

// nsid returns the number of a namespace, negative if it has none.
func (c *Conn) nsid(fd int) (int, error) {
	msgs, err := c.exchange(unix.RTM_GETNSID, 0, unix.RTM_NEWNSID, nl.NewRtGenMsg(), u32(unix.NETNSA_FD, uint32(fd)))
	if err != nil {
		return -1, fmt.Errorf("number of a namespace: %w", err)
	}
	head := nl.NewRtGenMsg().Len()
	for _, m := range msgs {
		if len(m) < head {
			continue
		}
		attrs, err := nl.ParseRouteAttr(m[head:])
		if err != nil {
			return -1, err
		}
		for _, a := range attrs {
			if attrType(a.Attr) == unix.NETNSA_NSID {
				return int(int32(native32(a.Value))), nil
			}
		}
	}
	return -1, nil
}
