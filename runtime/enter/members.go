package enter

import (
	"encoding/binary"
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
)

// KnowMembers tells the programs that keep sockets in their VRF which links the VRF
// has, whose ifindex is index, in the thread's namespace. With 0 it does so for all
// VRFs of the namespace that they know, of which some may be gone. A link that
// is added to a VRF later is unknown to them, and what leaves by it is dropped, except
// TCP; one that is taken away is known until then.
func KnowMembers(index uint32) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if index == 0 && !exists(bpffs+pinned+"/members") && !exists("/proc/1/root"+bpffs+pinned+"/members") {
		return nil
	}
	s, err := openShared()
	if err != nil {
		return err
	}
	defer s.close()
	return s.know(index)
}

// Refused returns how many packets the programs that keep sockets in their VRF refused to those of
// the VRF of that ifindex, in the thread's namespace, since they know it. The error matches
// fs.ErrNotExist if they do not, and fs.ErrPermission for all but root.
func Refused(index uint32) (uint32, error) {
	path := sharedPath() + "/members"
	members, err := bpf.Pinned(path)
	if err != nil {
		return 0, unable("open "+path, err)
	}
	defer unix.Close(members)
	k, err := dialKernel()
	if err != nil {
		return 0, unable("ask the kernel for its namespace", err)
	}
	defer unix.Close(k.socket)
	n, err := bpf.Counter(k.cookie, index).Value(members)
	if err != nil {
		return 0, unable("read "+path, err)
	}
	return n, nil
}

func (s shared) know(index uint32) error {
	// Of two who ask the kernel and then write, the later answer must be written last.
	lock, err := lockDir(s.dir)
	if err != nil {
		return unable("lock "+s.path, err)
	}
	defer unix.Close(lock)
	k, err := dialKernel()
	if err != nil {
		return unable("ask the kernel for the links of a VRF", err)
	}
	defer unix.Close(k.socket)
	have, err := bpf.AllMembers(s.Members)
	if err != nil {
		return unable("read "+s.path+"/members", err)
	}
	homes := []uint32{index}
	if index == 0 {
		homes = nil
		for _, m := range have {
			if m.IsOf(k.cookie, m.Home) && m.Home == m.Link {
				homes = append(homes, m.Home)
			}
		}
	}
	for _, home := range homes {
		want, err := k.members(home)
		if err != nil {
			return unable("ask the kernel for the links of a VRF", err)
		}
		if err := s.write(k.cookie, home, have, want); err != nil {
			return unable("write "+s.path+"/members", err)
		}
	}
	return nil
}

// write makes the entries of one VRF, of all those that there are, into want.
func (s shared) write(cookie uint64, home uint32, have []bpf.Member, want map[bpf.Member]uint32) error {
	for _, m := range have {
		_, ok := want[m]
		switch {
		case !m.IsOf(cookie, home):
		case !ok:
			if err := m.Remove(s.Members); err != nil {
				return err
			}
		case !m.IsAddress(): // its key says all, and what counts goes on
			delete(want, m)
		}
	}
	for m, link := range want {
		if err := m.Add(s.Members, link); err != nil {
			return err
		}
	}
	return nil
}

// netlink is a socket to ask the kernel about the links of a namespace.
type netlink struct {
	socket int
	cookie uint64 // the namespace's
}

func dialKernel() (netlink, error) {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return netlink{}, err
	}
	cookie, err := unix.GetsockoptUint64(s, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err == nil { // else the kernel does not filter what is dumped (Linux 4.20)
		err = unix.SetsockoptInt(s, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	}
	if err != nil {
		unix.Close(s)
		return netlink{}, err
	}
	return netlink{s, cookie}, nil
}

// members returns the entries for the VRF home, each with its link: itself, its links, and
// their IPv4 addresses. There are none if it is gone.
func (k netlink) members(home uint32) (all map[bpf.Member]uint32, err error) {
	all = map[bpf.Member]uint32{}
	request := make([]byte, unix.SizeofIfInfomsg+8)
	attr := request[unix.SizeofIfInfomsg:]
	binary.NativeEndian.PutUint16(attr, 8)
	binary.NativeEndian.PutUint16(attr[2:], unix.IFLA_MASTER)
	binary.NativeEndian.PutUint32(attr[4:], home)
	links := []uint32{}
	err = k.dump(unix.RTM_GETLINK, request, func(body []byte) {
		index := binary.NativeEndian.Uint32(body[4:])
		master := attribute(body[unix.SizeofIfInfomsg:], unix.IFLA_MASTER)
		if len(master) == 4 && binary.NativeEndian.Uint32(master) == home {
			links = append(links, index)
		}
	})
	for _, link := range links {
		all[bpf.Member{Cookie: k.cookie, Home: home, Link: link}] = link
		if err != nil {
			break
		}
		request := make([]byte, unix.SizeofIfAddrmsg)
		request[0] = unix.AF_INET
		binary.NativeEndian.PutUint32(request[4:], link)
		err = k.dump(unix.RTM_GETADDR, request, func(body []byte) {
			local := attribute(body[unix.SizeofIfAddrmsg:], unix.IFA_LOCAL)
			if binary.NativeEndian.Uint32(body[4:]) == link && len(local) == 4 {
				all[bpf.Address(k.cookie, home, [4]byte(local))] = link
			}
		})
	}
	if k.hasLink(home) {
		all[bpf.Member{Cookie: k.cookie, Home: home, Link: home}] = home
		all[bpf.Counter(k.cookie, home)] = 0
	}
	return all, err
}

// hasLink reports whether there is a link of that ifindex.
func (k netlink) hasLink(index uint32) bool {
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return false
	}
	ifr.SetUint32(index)
	return unix.IoctlIfreq(k.socket, unix.SIOCGIFNAME, ifr) == nil
}

// dump asks for a list, and calls f with the body of each message of it. A list that
// changed while it was told is asked for again.
func (k netlink) dump(kind uint16, request []byte, f func(body []byte)) error {
	for {
		var bodies [][]byte
		torn, err := k.try(kind, request, func(body []byte) { bodies = append(bodies, slices.Clone(body)) })
		if err != nil {
			return err
		}
		if torn {
			continue
		}
		for _, body := range bodies {
			f(body)
		}
		return nil
	}
}

func (k netlink) try(kind uint16, request []byte, f func(body []byte)) (torn bool, err error) {
	message := make([]byte, unix.SizeofNlMsghdr, unix.SizeofNlMsghdr+len(request))
	*(*unix.NlMsghdr)(unsafe.Pointer(unsafe.SliceData(message))) = unix.NlMsghdr{
		Len: uint32(cap(message)), Type: kind, Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP, Seq: 1,
	}
	message = append(message, request...)
	if err := unix.Sendto(k.socket, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false, err
	}
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(k.socket, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, err
		}
		answers, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return false, err
		}
		for _, a := range answers {
			torn = torn || a.Header.Flags&unix.NLM_F_DUMP_INTR != 0
			switch {
			case a.Header.Type == unix.NLMSG_DONE:
				return torn, nil
			case a.Header.Type == unix.NLMSG_ERROR && len(a.Data) >= 4:
				return false, unix.Errno(-int32(binary.NativeEndian.Uint32(a.Data)))
			case a.Header.Type == unix.NLMSG_ERROR || len(a.Data) < unix.SizeofIfAddrmsg,
				kind == unix.RTM_GETLINK && len(a.Data) < unix.SizeofIfInfomsg:
				return false, unix.EPROTO
			}
			f(a.Data)
		}
	}
}

// attribute returns the value of the first attribute of a kind, nil if there is none.
func attribute(attrs []byte, kind uint16) []byte {
	for len(attrs) >= 4 {
		size := int(binary.NativeEndian.Uint16(attrs))
		if size < 4 || size > len(attrs) {
			return nil
		}
		if binary.NativeEndian.Uint16(attrs[2:])&^unix.NLA_F_NESTED == kind {
			return attrs[4:size]
		}
		attrs = attrs[min(len(attrs), (size+3)&^3):]
	}
	return nil
}
