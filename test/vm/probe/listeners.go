package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// listeners prints a line for each process and each socket of TCP on which it
// listens, whatever namespace that is in: the address with the device that the
// socket is bound to, as ss(8) writes it, and the pid. The sockets are asked
// themselves (pidfd_getfd, Linux 5.6): busybox has no ss.
func listeners() error {
	links, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		return err
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || !strings.HasPrefix(to, "socket:") {
			continue // a process may end at any time
		}
		parts := strings.Split(link, "/")
		pid, _ := strconv.Atoi(parts[2])
		fd, _ := strconv.Atoi(parts[4])
		if address, err := listensOn(pid, fd); err == nil && address != "" {
			fmt.Println(address, pid)
		}
	}
	return nil
}

// listensOn returns where descriptor fd of a process listens, "" if it does not.
func listensOn(pid, fd int) (string, error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(process)
	s, err := unix.PidfdGetfd(process, fd, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(s)
	if is, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || is == 0 {
		return "", err
	}
	name, err := unix.Getsockname(s)
	if err != nil {
		return "", err
	}
	device, err := unix.GetsockoptString(s, unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
	if err != nil {
		return "", err
	}
	if device != "" {
		device = "%" + device
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return fmt.Sprintf("%s%s:%d", netip.AddrFrom4(a.Addr), device, a.Port), nil
	case *unix.SockaddrInet6:
		return fmt.Sprintf("[%s]%s:%d", netip.AddrFrom16(a.Addr), device, a.Port), nil
	}
	return "", nil
}
