package enter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

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

// TestRefused: what the programs refuse to the sockets of a VRF is counted for it, another start
// of a service does not begin again, and with the VRF the number is gone.
func TestRefused(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	need.Tools(t, need.Root, "ip")
	_, path := testCgroup(t)
	for _, mode := range []string{"look", "map"} {
		if r := h.run("/bin/sh", "-c", bridges); r.code != 0 {
			t.Fatal(r.err)
		}
		out, err := h.child("refused", nil, mode, path).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != "0 0 3 3 gone" {
			t.Errorf("%s: refused at first, after what is allowed, after what is not, with another start: %q, %v; want 0 0 3 3 gone", mode, got, err)
		}
		if r := h.run("/bin/sh", "-c", "for l in other mine free theirs; do ip link del $l; done"); r.code != 0 {
			t.Fatal(r.err)
		}
	}
}

// refusedChild binds itself to the link home, sends by links of it and of another, and prints how
// many packets are said to be refused.
func refusedChild(args []string) {
	leave := holdHome(args[0], args[1])
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	die(err)
	index := map[string]uint32{}
	for _, name := range []string{"home", "mine", "theirs"} {
		l, err := net.InterfaceByName(name)
		die(err)
		index[name] = uint32(l.Index)
	}
	say := func() {
		n, err := Refused(index["home"])
		die(err)
		fmt.Print(n, " ")
	}
	send := func(link string, want error) {
		err := unix.Sendmsg(s, []byte("x"), unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(index[link])}),
			&unix.SockaddrInet4{Port: 9, Addr: [4]byte{198, 51, 100, 9}}, unix.MSG_DONTWAIT)
		if err != want {
			die(fmt.Errorf("sent by %s: %v; want %v", link, err, want))
		}
	}
	say()
	send("mine", nil)
	say()
	for range 3 {
		send("theirs", unix.EPERM)
	}
	say()
	die(KnowMembers(index["home"]))
	die(KnowMembers(0))
	say()
	leave()
	if out, err := exec.Command("ip", "link", "del", "home").CombinedOutput(); err != nil {
		die(fmt.Errorf("%w: %s", err, out))
	}
	die(KnowMembers(0))
	if _, err := Refused(index["home"]); errors.Is(err, fs.ErrNotExist) {
		fmt.Print("gone")
	}
}

// TestSameAddress: where another link has the address of a member, and the kernel would take
// that one, a join by the address is on the member. A join by an address and a source is
// refused: it has no place for the number of the link.
func TestSameAddress(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	need.Tools(t, need.Root, "ip")
	if r := h.run("/bin/sh", "-c", bridges); r.code != 0 {
		t.Fatal(r.err)
	}
	_, path := testCgroup(t)
	for _, mode := range []string{"look", "map"} {
		out, err := h.child("same", nil, mode, path).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != "on mine, by a source: operation not permitted" {
			t.Errorf("%s: joined %s, %v; want on mine, and not by a source", mode, got, err)
		}
	}
}

// sameChild binds itself to the link home, gives the address of its member mine to theirs as
// well, joins a group by that address, and prints on which link that was.
func sameChild(args []string) {
	defer holdHome(args[0], args[1])()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	die(err)
	if out, err := exec.Command("ip", "address", "replace", "198.51.100.1/32", "dev", "theirs").CombinedOutput(); err != nil {
		die(fmt.Errorf("%w: %s", err, out))
	}
	address, group := [4]byte{198, 51, 100, 1}, [4]byte{239, 7, 7, 7}
	die(unix.SetsockoptIPMreq(s, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreq{Multiaddr: group, Interface: address}))
	source := slices.Concat(group[:], address[:], []byte{198, 51, 100, 9}) // struct ip_mreq_source
	bySource := unix.SetsockoptString(s, unix.IPPROTO_IP, unix.IP_ADD_SOURCE_MEMBERSHIP, string(source))
	text, err := os.ReadFile("/proc/thread-self/net/igmp")
	die(err)
	var link string
	for line := range strings.Lines(string(text)) {
		switch f := strings.Fields(line); {
		case f[0] == "070707EF":
			fmt.Printf("on %s, by a source: %v\n", link, bySource)
		case line[0] != '\t':
			link = f[1]
		}
	}
}

// TestLongJoin: a request to join that is longer than what the kernel shows to a program is
// refused. Else the kernel reads it twice, once for the program, and what another thread
// wrote in between counts.
func TestLongJoin(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	need.Tools(t, need.Root, "ip")
	if r := h.run("/bin/sh", "-c", bridges); r.code != 0 {
		t.Fatal(r.err)
	}
	_, path := testCgroup(t)
	for _, mode := range []string{"look", "map"} {
		out, err := h.child("long", nil, mode, path).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != "a page: <nil>, more: operation not permitted, on theirs: 0" {
			t.Errorf("%s: %s, %v; want that a page joins, and more is refused", mode, got, err)
		}
	}
}

// longChild binds itself to the link home, and tries to join a group on theirs by requests
// of more than a page, in which another thread changes the number of the link all the time.
func longChild(args []string) {
	defer holdHome(args[0], args[1])()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	die(err)
	mine, err := net.InterfaceByName("mine")
	die(err)
	theirs, err := net.InterfaceByName("theirs")
	die(err)
	const page = 4096
	request := make([]uint32, page/4+1) // begins with struct ip_mreqn: group, address, link
	*(*[4]byte)(unsafe.Pointer(&request[0])) = [4]byte{239, 7, 7, 7}
	do := func(option, size int, link net.Interface) error {
		atomic.StoreUint32(&request[2], uint32(link.Index))
		_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(s), unix.IPPROTO_IP, uintptr(option), uintptr(unsafe.Pointer(&request[0])), uintptr(size), 0)
		if errno != 0 {
			return errno
		}
		return nil
	}
	ofPage := do(unix.IP_ADD_MEMBERSHIP, page, *mine)
	die(do(unix.IP_DROP_MEMBERSHIP, page, *mine))
	more := do(unix.IP_ADD_MEMBERSHIP, page+4, *mine)
	do(unix.IP_DROP_MEMBERSHIP, page, *mine)
	var ended atomic.Bool
	go func() {
		for !ended.Load() {
			atomic.StoreUint32(&request[2], uint32(theirs.Index))
			atomic.StoreUint32(&request[2], uint32(mine.Index))
		}
	}()
	for range 20000 {
		do(unix.IP_ADD_MEMBERSHIP, page+4, *mine)
	}
	ended.Store(true)
	fmt.Printf("a page: %v, more: %v, on theirs: %d\n", ofPage, more, joinedOn("theirs"))
}

// joinedOn is how often the group 239.7.7.7 is joined on the link.
func joinedOn(link string) (users int) {
	text, err := os.ReadFile("/proc/thread-self/net/igmp")
	die(err)
	var at string
	for line := range strings.Lines(string(text)) {
		switch f := strings.Fields(line); {
		case f[0] == "070707EF" && at == link:
			users, err = strconv.Atoi(f[1])
			die(err)
		case line[0] != '\t':
			at = f[1]
		}
	}
	return users
}

// holdHome puts the process into a cgroup whose sockets are kept in the link home, by the
// kernel's own memory or by the map of members. What it returns puts it back.
func holdHome(mode, path string) (leave func()) {
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
	return func() { die(join(back, "/")) }
}

// masterChild binds itself to the link home, does what the shell command says, and prints the
// links by which a socket that was there before can send, and can join a group by the
// link's number; with @ where it can by the link's address as well.
func masterChild(args []string) {
	change := args[2]
	defer holdHome(args[0], args[1])()
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
