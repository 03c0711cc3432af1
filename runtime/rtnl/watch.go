package rtnl

import (
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watch is told of every change of a link: made, removed, renamed, set up or down, given
// to another master; or was given an address, or lost one. The links are those of one network
// namespace, and of all that have a number in it ([Conn.Number]).
type Watch struct {
	fd   int
	buf  []byte
	conn *Conn // to ask for the names of links
}

// Changes are the names of links that changed, each once.
type Changes struct {
	// Here are links of the watch's own namespace, Elsewhere those of others.
	Here, Elsewhere map[string]bool
	// Lost: there were more changes than the kernel had room for, and any link may be
	// one.
	Lost bool
}

// OpenWatch opens a Watch in the network namespace of the calling thread. What
// changes from then on is kept until Next is called, as far as there is room.
func OpenWatch() (*Watch, error) {
	conn, err := Open()
	if err != nil {
		return nil, err
	}
	w, err := openWatch()
	if err != nil {
		conn.Close()
		return nil, err
	}
	w.conn = conn
	return w, nil
}

func openWatch() (*Watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	// Linux 4.2; before, and without CAP_NET_BROADCAST, only this namespace is seen.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, 1)
	return &Watch{fd: fd, buf: make([]byte, bufferSize)}, nil
}

// Close closes the sockets.
func (w *Watch) Close() {
	unix.Close(w.fd)
	w.conn.Close()
}

// Next waits for changes, or until also is readable, and returns all changes that there
// are.
func (w *Watch) Next(also int) (c Changes, err error) {
	fds := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}, {Fd: int32(also), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err == nil {
			break
		} else if err != unix.EINTR {
			return c, fmt.Errorf("poll: %w", err)
		}
	}
	c.Here, c.Elsewhere = map[string]bool{}, map[string]bool{}
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, from, err := unix.Recvmsg(w.fd, w.buf, oob, unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN: // all there is for now
			return c, nil
		case err == unix.ENOBUFS:
			c.Lost = true
			continue
		case err != nil:
			return c, fmt.Errorf("netlink: %w", err)
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue // not from the kernel
		}
		if n > len(w.buf) {
			c.Lost = true
			continue
		}
		names := c.Here
		number, elsewhere := numberOf(oob[:oobn])
		if elsewhere {
			names = c.Elsewhere
		}
		messages, err := syscall.ParseNetlinkMessage(w.buf[:n])
		if err != nil {
			return c, fmt.Errorf("netlink: %w", err)
		}
		for _, m := range messages {
			name := ""
			switch m.Header.Type {
			case unix.RTM_NEWLINK, unix.RTM_DELLINK:
				name = linkName(m.Data)
			case unix.RTM_NEWADDR, unix.RTM_DELADDR:
				if !elsewhere || m.Header.Type == unix.RTM_DELADDR || isGiven(m.Data) {
					name = w.linkAt(m.Data, number, elsewhere)
				}
			}
			if name != "" {
				names[name] = true
			}
		}
	}
}

// numberOf returns the number of the namespace that a message is of, if it is another one.
func numberOf(oob []byte) (number uint32, elsewhere bool) {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, false
	}
	for _, m := range list {
		if m.Header.Level == unix.SOL_NETLINK && m.Header.Type == unix.NETLINK_LISTEN_ALL_NSID {
			return native32(m.Data), true
		}
	}
	return 0, false
}

// linkName returns the name of the link that a message is about. Some are about a
// bridge's port only, and name it too.
func linkName(m []byte) string {
	if len(m) < unix.SizeofIfInfomsg {
		return ""
	}
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfInfomsg:])
	if err != nil {
		return ""
	}
	for _, a := range attrs {
		if attrType(a.Attr) == unix.IFLA_IFNAME {
			return text(a.Value)
		}
	}
	return ""
}

// isGiven reports whether a message is about an address that a link has got, and can use: the
// kernel tells of most twice, and gives each link one of its own. Where many namespaces come up
// at once, it is the most of what is told.
func isGiven(m []byte) bool {
	if len(m) < unix.SizeofIfAddrmsg {
		return false
	}
	a := nl.DeserializeIfAddrmsg(m)
	return a.Flags&unix.IFA_F_TENTATIVE == 0 && a.Scope < unix.RT_SCOPE_LINK
}

// linkAt returns the name of the link whose address a message is about; "" if it is gone,
// of which another message tells. Links elsewhere can be asked for since Linux 4.15.
func (w *Watch) linkAt(m []byte, number uint32, elsewhere bool) string {
	if len(m) < unix.SizeofIfAddrmsg {
		return ""
	}
	at := nl.NewIfInfomsg(unix.AF_UNSPEC)
	at.Index = int32(nl.DeserializeIfAddrmsg(m).Index)
	data := []nl.NetlinkRequestData{at}
	if elsewhere {
		data = append(data, u32(unix.IFLA_TARGET_NETNSID, number))
	}
	l, err := w.conn.link(data...)
	if err != nil {
		return ""
	}
	return l.Name
}
