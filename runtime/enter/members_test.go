package enter

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/test/need"
)

// The programs ask for the master of a link, of whatever kind: here a bridge stands
// for the VRF, which most kernels that run this test do not have.

// bridges is the links of TestMaster: home and other have a member each, and a port
// of each is free.
const bridges = `set -e
ip link add home type bridge; ip link add other type bridge
for l in mine free theirs; do ip link add $l type veth peer name $l-peer; ip link set $l-peer up; done
ip address add 198.51.100.1/24 dev mine; ip address add 198.51.101.1/24 dev free; ip address add 198.51.102.1/24 dev theirs
ip link set mine master home; ip link set theirs master other
for l in home other mine free theirs; do ip link set $l up; done`

// TestMaster: a link that is taken out of its VRF by hand is no member from then on, for
// sockets that were there before too, and one that is put in is one, at once. Nobody writes
// the map of members in between; it decides where the kernel has no types.
func TestMaster(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	need.Tools(t, need.Root, "ip")
	if r := h.run("/bin/sh", "-c", bridges); r.code != 0 {
		t.Fatal(r.err)
	}
	_, path := testCgroup(t)
	for _, c := range []struct{ mode, change, want string }{
		{"look", ":", "home mine@"},
		{"map", "ip link set mine nomaster", "home mine@"},
		{"map", ":", "home"},
		{"map", "ip link set mine master home", "home"},
		{"look", "ip link set mine nomaster", "home"},
		{"look", "ip link set free master home", "home free"},
		{"look", "ip link set free master other; ip link set mine master home", "home mine"},
		{"look", "ip link del home", ""},
	} {
		out, err := h.child("master", nil, c.mode, path, c.change).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("%s, then %s: links that can be used: %q, %v; want %q", c.mode, c.change, got, err, c.want)
		}
	}
}

// masterChild binds itself to the link home, does what the shell command says, and prints the
// links by which a socket that was there before can send, and can join a group by the
// link's number; with @ where it can by the link's address as well.
func masterChild(args []string) {
	mode, path, change := args[0], args[1], args[2]
	home, err := net.InterfaceByName("home")
	die(err)
	root, err := CgroupRoot()
	die(err)
	dir, err := makeCgroup(root, path)
	die(err)
	prog, err := loadBind(uint32(home.Index))
	die(err)
	die(attachBeside(dir, prog))
	if mode == "map" {
		s, err := openShared()
		die(err)
		for _, p := range bpf.Hold(s.Maps, false) {
			die(s.keepBy(p, p, dir))
		}
		die(s.know(uint32(home.Index)))
	} else {
		die(keep(dir, path, uint32(home.Index)))
	}
	back, err := OpenCgroup(root, "/")
	die(err)
	die(join(dir, path))
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	die(err)
	links, err := net.Interfaces()
	die(err)
	if out, err := exec.Command("/bin/sh", "-ec", change).CombinedOutput(); err != nil {
		die(fmt.Errorf("%s: %w: %s", change, err, out))
	}
	for _, l := range links {
		if strings.HasSuffix(l.Name, "-peer") || l.Name == "lo" {
			continue
		}
		if how := tryLink(s, l); how != "" {
			fmt.Print(l.Name + how)
		}
	}
	die(join(back, "/"))
}

// tryLink returns what came of it: "" for nothing, " " for the number, "@ " for both.
func tryLink(s int, l net.Interface) string {
	number := byte(l.Index)
	oob := unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(l.Index)})
	sent := unix.Sendmsg(s, []byte("x"), oob, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{198, 51, 100, 9}}, unix.MSG_DONTWAIT)
	joined := unix.SetsockoptIPMreqn(s, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: [4]byte{239, 7, 7, number}, Ifindex: int32(l.Index)})
	byAddress := error(unix.EPERM)
	addrs, err := l.Addrs()
	die(err)
	for _, a := range addrs {
		if p, ok := a.(*net.IPNet); ok && p.IP.To4() != nil {
			byAddress = unix.SetsockoptIPMreq(s, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreq{Multiaddr: [4]byte{239, 7, 8, number}, Interface: [4]byte(p.IP.To4())})
		}
	}
	no := func(err error) bool { return err == unix.EPERM || err == unix.ENODEV }
	switch {
	case no(sent) && no(joined) && no(byAddress):
		return ""
	case sent == nil && joined == nil && no(byAddress):
		return " "
	case sent == nil && joined == nil && byAddress == nil:
		return "@ "
	}
	return fmt.Sprintf(": %v, %v, %v", sent, joined, byAddress)
}
