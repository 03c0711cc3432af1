package identify

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/test/sandbox"
)

// TestSockets: of sockets that listen, those whose device is gone are told apart, also where
// one of the same name is there again.
func TestSockets(t *testing.T) {
	sandbox.Need(t)
	sandbox.Sh(t, "ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up")
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), "d0") })
		return err
	}}
	bound := map[string]string{}
	for _, network := range []string{"tcp4", "tcp6"} {
		l, err := config.Listen(context.Background(), network, ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		bound[network] = l.Addr().(*net.TCPAddr).AddrPort().String()
	}
	u, err := config.ListenPacket(context.Background(), "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	count := func() int {
		all, err := Sockets(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		gone := map[uint64]bool{}
		for inode, s := range all {
			if s.Gone {
				gone[inode] = true
			}
		}
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, fd := range fds {
			var inode uint64
			to, _ := os.Readlink("/proc/self/fd/" + fd.Name())
			if _, err := fmt.Sscanf(to, "socket:[%d]", &inode); err == nil && gone[inode] {
				n++
			}
		}
		if n != len(gone) {
			t.Errorf("%d sockets are bound to what is gone, and %d of them are this process's", len(gone), n)
		}
		return n
	}
	if n := count(); n != 0 {
		t.Errorf("%d sockets are bound to what is gone while d0 is there", n)
	}
	sandbox.Sh(t, "ip link del d0; ip link add d0 type veth peer name d1")
	t.Cleanup(func() { sandbox.Sh(t, "ip link del d0") })
	if n := count(); n != 3 {
		t.Errorf("%d sockets are bound to what is gone; want those of %v and one of UDP", n, bound)
	}
}
