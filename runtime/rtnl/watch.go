package rtnl

import (
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watch is told of every change of a link in one network namespace: made, removed,
// renamed, set up or down, given to another master.
type Watch struct {
	fd  int
	buf []byte
}

// OpenWatch opens a Watch in the network namespace of the calling thread. What
// changes from then on is kept until Next is called, as far as there is room.
func OpenWatch() (*Watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return &Watch{fd: fd, buf: make([]byte, bufferSize)}, nil
}

// Close closes the socket.
func (w *Watch) Close() { unix.Close(w.fd) }

// Next waits for changes and returns the names of the links, each once. lost says
// that there were more changes than the kernel had room for: any link may be one.
func (w *Watch) Next() (names map[string]bool, lost bool, err error) {
	names = map[string]bool{}
	for flags := 0; ; flags = unix.MSG_DONTWAIT {
		n, from, err := unix.Recvfrom(w.fd, w.buf, unix.MSG_TRUNC|flags)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN: // all there is for now
			return names, lost, nil
		case err == unix.ENOBUFS:
			lost = true
			continue
		case err != nil:
			return nil, false, fmt.Errorf("netlink: %w", err)
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue // not from the kernel
		}
		if n > len(w.buf) {
			lost = true
			continue
		}
		messages, err := syscall.ParseNetlinkMessage(w.buf[:n])
		if err != nil {
			return nil, false, fmt.Errorf("netlink: %w", err)
		}
		for _, m := range messages {
			if name := linkName(m.Data); name != "" {
				names[name] = true
			}
		}
	}
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
