package rtnl

import (
	"errors"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The attributes of a message about a namespace's number (linux/net_namespace.h).
const (
	attrNSID = 1
	attrFD   = 3
)

// Number gives a network namespace, which fd is an open file of, a number in the
// socket's namespace, if it has none: its changes are then told to a [Watch] there. The
// number goes with the namespace, and does not keep it alive. isNew reports that it had
// none.
func (c *Conn) Number(fd int) (isNew bool, err error) {
	err = c.change(unix.RTM_NEWNSID, 0, nl.NewRtGenMsg(), u32(attrNSID, ^uint32(0)), u32(attrFD, uint32(fd)))
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	return err == nil, err
}
