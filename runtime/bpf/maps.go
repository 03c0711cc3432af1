package bpf

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Maps are the two that the programs of Hold share, as descriptors.
type Maps struct {
	// Homes has the home of each socket: the link that it was bound to when it was
	// made. It is kept with the socket, and with those that a listener accepts.
	Homes int
	// Members has the links of each VRF, as a set of Member, and its Counter.
	Members int
}

// Member is a key of Maps.Members: the VRF Home in a namespace has the link Link.
type Member struct {
	// Cookie is the namespace's, which no other ever has (SO_NETNS_COOKIE, Linux 5.14).
	Cookie     uint64
	Home, Link uint32 // ifindexes in that namespace
}

// Address is the Member that stands for an IPv4 address of a member link, in network
// byte order: ip(7) has two ways to name a link to join a multicast group on.
func Address(cookie uint64, home uint32, address [4]byte) Member {
	return Member{cookie, home | isAddress, *(*uint32)(unsafe.Pointer(&address))}
}

// Counter is the entry of Maps.Members that counts the packets which the programs of Hold refused
// to the sockets of the VRF home. No socket is in a namespace of that cookie, so no program takes
// it for a link.
func Counter(cookie uint64, home uint32) Member { return Member{Cookie: ^cookie, Home: home} }

// isAddress is in no ifindex.
const isAddress = 1 << 31

// IsOf reports whether the entry is one of the VRF home of the namespace.
func (m Member) IsOf(cookie uint64, home uint32) bool {
	return (m.Cookie == cookie || m.Cookie == ^cookie) && m.Home&^isAddress == home
}

// IsAddress reports whether the entry is one of Address.
func (m Member) IsAddress() bool { return m.Home&isAddress != 0 }

// homeSize is the size of a value of Maps.Homes: the namespace's cookie, 8 bytes, the
// ifindex of the home, 4, and the kind of socket, 4.
const homeSize = 16

// Kinds of sockets.
const (
	otherSocket = 0
	tcpSocket   = 1
	rawSocket   = 2
)

// maxMembers is how many links all VRFs can have. Memory is used for those that
// there are, and 16 bytes for each that there may be.
const maxMembers = 1 << 15

// newMap is the part of union bpf_attr that BPF_MAP_CREATE reads.
type newMap struct {
	kind, keySize, valueSize, max, flags, inner, node uint32
	name                                              [unix.BPF_OBJ_NAME_LEN]byte
	ifindex, btf, btfKey, btfValue                    uint32
}

// MakeHomes makes an empty Maps.Homes. It needs Linux 5.9, and returns the errno
// alone.
func MakeHomes() (int, error) {
	text := writeTypes() // the kernel wants to be told the types of a map of sockets
	types, err := text.load()
	if err != nil {
		return -1, err
	}
	defer unix.Close(types)
	m := newMap{kind: unix.BPF_MAP_TYPE_SK_STORAGE, keySize: 4, valueSize: homeSize,
		flags: unix.BPF_F_NO_PREALLOC | unix.BPF_F_CLONE, btf: uint32(types), btfKey: typeInt, btfValue: typeHome}
	return m.make("rdexec_home")
}

// MakeMembers makes an empty Maps.Members. It returns the errno alone.
func MakeMembers() (int, error) {
	m := newMap{kind: unix.BPF_MAP_TYPE_HASH, keySize: uint32(unsafe.Sizeof(Member{})), valueSize: 4,
		max: maxMembers, flags: unix.BPF_F_NO_PREALLOC}
	return m.make("rdexec_members")
}

func (m *newMap) make(name string) (int, error) {
	copy(m.name[:len(m.name)-1], name)
	return bpf(unix.BPF_MAP_CREATE, unsafe.Pointer(m), unsafe.Sizeof(*m))
}

// MapID returns the kernel's number of a map. It returns the errno alone.
func MapID(fd int) (uint32, error) {
	info := heap(struct{ kind, id uint32 }{}) // the beginning of struct bpf_map_info
	attr := struct {
		fd, len uint32
		info    uint64
	}{uint32(fd), uint32(unsafe.Sizeof(*info)), address(unsafe.Pointer(info))}
	_, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(info)
	return info.id, err
}

// element is the part of union bpf_attr with which the elements of a map are read
// and changed.
type element struct {
	fd, _             uint32
	key, value, flags uint64
}

// Add adds an entry to Maps.Members: one of Address with the link that has the address, one of
// Counter with 0, others with their own link. The functions for entries return the errno alone:
// E2BIG where the map is full.
func (m Member) Add(members int, link uint32) error {
	_, err := m.do(unix.BPF_MAP_UPDATE_ELEM, members, heap(link))
	return err
}

// Remove removes an entry from Maps.Members. It is no error if it is not there.
func (m Member) Remove(members int) error {
	_, err := m.do(unix.BPF_MAP_DELETE_ELEM, members, nil)
	if err == unix.ENOENT {
		return nil
	}
	return err
}

// Value returns what is in an entry of Maps.Members: ENOENT where there is none.
func (m Member) Value(members int) (uint32, error) {
	value := heap(uint32(0))
	_, err := m.do(unix.BPF_MAP_LOOKUP_ELEM, members, value)
	return *value, err
}

func (m Member) do(command, members int, value *uint32) (int, error) {
	key := heap(m)
	e := element{fd: uint32(members), key: address(unsafe.Pointer(key)), value: address(unsafe.Pointer(value))}
	r, err := bpf(command, unsafe.Pointer(&e), unsafe.Sizeof(e))
	runtime.KeepAlive(key)
	runtime.KeepAlive(value)
	return r, err
}

// AllMembers returns the entries of Maps.Members, while nobody changes it.
func AllMembers(members int) (all []Member, err error) {
	key, next := (*Member)(nil), heap(Member{})
	for {
		e := element{fd: uint32(members), key: address(unsafe.Pointer(key)), value: address(unsafe.Pointer(next))}
		_, err := bpf(unix.BPF_MAP_GET_NEXT_KEY, unsafe.Pointer(&e), unsafe.Sizeof(e))
		runtime.KeepAlive(key)
		runtime.KeepAlive(next)
		if err == unix.ENOENT {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, *next)
		key = heap(*next)
	}
}
