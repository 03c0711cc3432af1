package bpf

import (
	"slices"

	"golang.org/x/sys/unix"
)

// The names of the programs that Hold returns.
const (
	HomeName = "rdexec_home"
	OutName  = "rdexec_out"
	InName   = "rdexec_in"
	JoinName = "rdexec_join"
)

// Hold returns the programs that keep the sockets of a cgroup in the VRF that they
// were bound to when they were made, whoever bound them. A socket's binding alone
// does not: bind(2) to an IPv6 link-local address replaces it, connect(2) to AF_UNSPEC
// takes it off, IP_PKTINFO and sin6_scope_id name another link for one packet, and
// joining a group sends on any link. None of that needs a privilege.
//
// So the first program notes what a new socket is bound to, its home. A packet then
// leaves, and is taken, if the link is the VRF's. They are attached after the program
// that binds, or above it: programs of inner cgroups run first.
//
// With look the programs ask the kernel's own memory whose member a link is, at each
// packet and join that names one. That needs Linux 5.17 with the types of its memory
// (CONFIG_DEBUG_INFO_BTF), and CAP_PERFMON. Without look they believe Maps.Members, where
// a link that was taken out of its VRF stays until somebody writes it again.
//
// What is said of the kernel is of net/ipv4, net/ipv6 and drivers/net/vrf.c, Linux 6.1 to 7.2.
func Hold(m Maps, look bool) [4]Program {
	h := holder{m, look}
	return [4]Program{h.home(), h.out(), h.in(), h.join()}
}

type holder struct {
	Maps
	look bool
}

// The fields of the contexts, struct __sk_buff and struct bpf_sockopt, and those of
// a value of Maps.Homes and of Member, which lie at the same place of the stack.
const (
	skbIfindex = 40
	skbSock    = 168

	optSock   = 0
	optValue  = 8
	optEnd    = 16
	optLevel  = 24
	optName   = 28
	optLength = 32

	homeCookie  = 0
	homeIfindex = 8
	homeKind    = 12

	keySize    = 16
	keyCookie  = homeCookie - keySize
	keyHome    = homeIfindex - keySize
	keyLink    = homeKind - keySize
	keyedKind  = keyLink
	storageNew = 1 // BPF_SK_STORAGE_GET_F_CREATE
)

// answer ends a program: 1 lets the kernel go on, 0 is EPERM, or drops the packet.
var (
	answer = append([]line{at("deny"), is(MovImm(R0, 0)), is(Exit())}, allow...)
	allow  = []line{at("allow"), is(MovImm(R0, 1)), is(Exit())}
)

// loopback is the ifindex of lo, in every namespace.
const loopback = 1

// refuse drops the packet of the context R6, and counts it for the VRF that its socket is of. What
// is refused for another reason than its link is not counted: a socket without a record. Nor is
// what names lo, as each start tries, to see that it is refused.
func (h holder) refuse() []line {
	return slices.Concat([]line{
		at("deny"),
		is(Load32(R1, R6, skbIfindex)),
		to("drop", JumpEqual(R1, loopback, 0)),
		is(load64(R7, R6, skbSock)),
		to("drop", JumpEqual(R7, 0, 0)),
	}, h.record(movReg(R2, R7), "drop"), []line{
		is(Load32(R1, R0, homeIfindex)),
		is(Store32(R10, keyHome, R1)),
		is(load64(R1, R0, homeCookie)),
		is(not(R1)),
		is(store64(R10, keyCookie, R1)),
		is(MovImm(R1, 0)),
		is(Store32(R10, keyLink, R1)),
		is(loadMap(R1, h.Members)),
		is(movReg(R2, R10)),
		is(addImm(R2, -keySize)),
		is(call(mapLookup)),
		to("drop", JumpEqual(R0, 0, 0)),
		is(MovImm(R1, 1)),
		is(count32(R0, R1)),
		at("drop"),
		is(MovImm(R0, 0)),
		is(Exit()),
	}, allow)
}

// home notes the home of a new socket. Where it cannot, there is no socket.
func (h holder) home() Program {
	return assemble(HomeName, SockCreate, []line{
		is(movReg(R6, R1)),
		is(call(getNetnsCookie)),
		is(store64(R10, keyCookie, R0)),
		is(Load32(R7, R6, boundDevIf)),
		is(Store32(R10, keyHome, R7)),
		is(MovImm(R8, otherSocket)),
		is(Load32(R1, R6, sockType)),
		to("raw", JumpEqual(R1, unix.SOCK_RAW, 0)),
		to("store", JumpNotEqual(R1, unix.SOCK_STREAM, 0)),
		is(Load32(R1, R6, protocol)),
		to("store", JumpNotEqual(R1, unix.IPPROTO_TCP, 0)),
		is(MovImm(R8, tcpSocket)),
		to("store", jump()),
		at("raw"),
		is(MovImm(R8, rawSocket)),
		at("store"),
		is(Store32(R10, keyedKind, R8)),
		is(loadMap(R1, h.Homes)),
		is(movReg(R2, R6)),
		is(movReg(R3, R10)),
		is(addImm(R3, -keySize)),
		is(MovImm(R4, storageNew)),
		is(call(skStorageGet)),
		to("deny", JumpEqual(R0, 0, 0)),
		// An inner cgroup has such a program too; the last word counts.
		is(Store32(R0, homeIfindex, R7)),
		to("allow", jump()),
	}, answer)
}

// homeOf leads to "unknown" if the socket of the packet has no home on record, to
// "allow" if it is in no VRF, and to "deny" if the packet has no socket. R6 is the
// context, R7 the socket, R0 its record, R8 its home, R9 the packet's link.
func (h holder) homeOf() []line {
	return slices.Concat([]line{
		is(movReg(R6, R1)),
		is(load64(R7, R6, skbSock)),
		to("deny", JumpEqual(R7, 0, 0)),
		is(Load32(R9, R6, skbIfindex)),
	}, h.noted(movReg(R2, R7), "unknown", R8), []line{to("allow", jumpSame(R9, R8))})
}

// noted reads the note of the socket that the instruction puts into R2: R0 is its
// record, home its home. It leads to none if there is no note, and to "allow" if the
// socket is in no VRF.
func (h holder) noted(socket Insn, none string, home Reg) []line {
	return append(h.record(socket, none), []line{
		is(Load32(home, R0, homeIfindex)),
		to("allow", JumpEqual(home, 0, 0)),
	}...)
}

// record is the beginning of noted.
func (h holder) record(socket Insn, none string) []line {
	return []line{
		is(loadMap(R1, h.Homes)),
		is(socket),
		is(MovImm(R3, 0)),
		is(MovImm(R4, 0)),
		is(call(skStorageGet)),
		to(none, JumpEqual(R0, 0, 0)),
	}
}

// unknown is what happens to a socket without a record. It was made before the
// programs were there, or by the kernel itself for another one, as those inside of
// AF_RXRPC and AF_SMC are: those are bound to nothing. What SCTP accepts has no record
// either, but is bound as the listener is (sctp_copy_sock).
func unknown(more ...line) []line {
	return append([]line{
		at("unknown"),
		is(movReg(R1, R7)),
		is(call(skFullsock)),
		to("deny", JumpEqual(R0, 0, 0)),
		is(Load32(R1, R0, protocol)),
		to("deny", JumpNotEqual(R1, unix.IPPROTO_SCTP, 0)),
		is(Load32(R1, R0, boundDevIf)),
		to("deny", JumpEqual(R1, 0, 0)),
	}, more...)
}

// out looks at a packet when the route is found and its link is known.
//
// A TCP socket that is still bound to its home goes where the VRF's table leads:
// nothing else can be named for one of its packets, and to bind it elsewhere and back
// it must be closed between. Others can name a link for each packet, or while they hold one back
// (UDP_CORK), so there the link must be a known member.
func (h holder) out() Program {
	return assemble(OutName, Egress, h.homeOf(), []line{
		is(Load32(R1, R0, homeKind)),
		to("member", JumpNotEqual(R1, tcpSocket, 0)),
		is(Load32(R1, R7, boundDevIf)),
		to("allow", jumpSame(R1, R8)),
		at("member"),
	}, h.byPacket(), unknown(to("allow", jump())), h.refuse())
}

// in looks at a packet before a socket takes it. The kernel has moved what came by a
// member link to the VRF's own device by then (vrf_ip_rcv, vrf_ip6_rcv), so no member
// needs to be known. What it moves not is neighbour discovery, which raw sockets see.
func (h holder) in() Program {
	return assemble(InName, Ingress, h.homeOf(), []line{
		is(Load32(R1, R0, homeKind)),
		to("deny", JumpNotEqual(R1, rawSocket, 0)),
		is(Load32(R1, R7, boundDevIf)),
		to("allow", jumpSame(R1, R8)),
		to("deny", jump()),
	}, unknown(to("allow", jumpSame(R1, R9)), to("deny", jump())), h.refuse())
}

// Options by which a group is joined (include/uapi/linux/in.h, in6.h).
const (
	joinGroup       = 42 // MCAST_JOIN_GROUP
	joinGroupSource = 46 // MCAST_JOIN_SOURCE_GROUP
)

// smallestPage is the size of a page where that is smallest. No request to join is as long.
const smallestPage = 4096

// join refuses to join a multicast group on a link of another domain: the kernel
// tells the routers there, by itself. A join that names no link is refused as well:
// the kernel takes the one that the default domain's routes say (ip_mc_find_dev,
// __ipv6_sock_mc_join).
func (h holder) join() Program {
	beyond := func(size int32, label string) []line {
		return []line{is(movReg(R1, R7)), is(addImm(R1, size)), to(label, jumpBeyond(R1, R8))}
	}
	return assemble(JoinName, SetSockOpt, []line{
		is(movReg(R6, R1)),
		is(load64(R7, R6, optValue)),
		is(load64(R8, R6, optEnd)),
		is(Load32(R2, R6, optLevel)),
		is(Load32(R3, R6, optName)),
		to("ipv4", JumpEqual(R2, unix.IPPROTO_IP, 0)),
		to("other", JumpNotEqual(R2, unix.IPPROTO_IPV6, 0)),
		to("ipv6 join", JumpEqual(R3, unix.IPV6_JOIN_GROUP, 0)),
		to("ipv6 join", JumpEqual(R3, unix.IPV6_JOIN_ANYCAST, 0)),
		to("group", jump()),
		at("ipv4"),
		to("ipv4 join", JumpEqual(R3, unix.IP_ADD_MEMBERSHIP, 0)),
		// By an address alone the kernel takes any link that has it (ip_mc_find_dev), and
		// there is no place for the number of one: no link of the VRF is named.
		is(MovImm(R9, 0)),
		to("link", JumpEqual(R3, unix.IP_ADD_SOURCE_MEMBERSHIP, 0)),
		at("group"),
		to("named", JumpEqual(R3, joinGroup, 0)),
		to("named", JumpEqual(R3, joinGroupSource, 0)),
		// Nothing to look at: the kernel need not take the program's copy, which has
		// at most a page.
		at("other"),
		is(MovImm(R1, 0)),
		is(Store32(R6, optLength, R1)),
		to("allow", jump()),
	},
		// A value that is too short is one that the kernel refuses. struct ipv6_mreq:
		append([]line{at("ipv6 join")}, beyond(20, "allow")...),
		[]line{is(Load32(R9, R7, 16)), to("link", jump())},
		// struct group_req and group_source_req:
		append([]line{at("named")}, beyond(4, "allow")...),
		[]line{is(Load32(R9, R7, 0)), to("link", jump())},
		// struct ip_mreqn, or the shorter ip_mreq:
		append([]line{at("ipv4 join")}, beyond(12, "address")...),
		[]line{is(Load32(R9, R7, 8)), to("link", JumpNotEqual(R9, 0, 0))},
		append([]line{at("address")}, beyond(8, "allow")...),
		[]line{
			is(Load32(R9, R7, 4)),
			is(MovImm(R8, -isAddress)),
			to("look", jump()),
			at("link"),
			is(MovImm(R8, 0)),
			at("look"),
			// Of a longer request the kernel shows a page, and then takes what the caller
			// has in memory by then, which another thread may have changed (Linux 6.5).
			is(Load32(R1, R6, optLength)),
			to("deny", JumpGreater(R1, smallestPage, 0)),
		},
		h.noted(load64(R2, R6, optSock), "deny", R7),
		h.byJoin(), answer)
}
