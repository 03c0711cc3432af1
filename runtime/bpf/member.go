package bpf

import "slices"

// The program that looks at a packet or a join ends with one of these: they lead to
// "allow" if the link is one of the VRF, else to "deny".

// byPacket is for the packet of the context R6, which leaves by the link R9, of a socket
// whose record is R0 and whose home is R8.
func (h holder) byPacket() []line {
	if !h.look {
		return append(h.find(), to("allow", JumpNotEqual(R0, 0, 0)), to("deny", jump()))
	}
	return slices.Concat([]line{is(movReg(R3, R6)), offset(skbLink, addImm(R3, 0))}, read64(R7), isMember())
}

// byJoin is for a join by the socket of the context R6, whose record is R0 and whose home
// is R7. R9 is a link if R8 is 0, else an address.
//
// Another link may have the same address, and the kernel would take either. So the program
// puts the number of the VRF's link into the request, and what was struct ip_mreq becomes
// struct ip_mreqn; the kernel keeps a copy of 16 bytes at least for that.
func (h holder) byJoin() []line {
	name := []line{
		to("deny", JumpEqual(R0, 0, 0)),
		is(Load32(R9, R0, 0)),
		is(load64(R1, R6, optValue)),
		is(load64(R2, R6, optEnd)),
		is(movReg(R3, R1)),
		is(addImm(R3, mreqnSize)),
		to("deny", jumpBeyond(R3, R2)),
		is(Store32(R1, mreqnLink, R9)),
		is(MovImm(R1, mreqnSize)),
		is(Store32(R6, optLength, R1)),
	}
	byLink := []line{to("by link", JumpEqual(R8, 0, 0))}
	key := append([]line{is(addReg(R8, R7))}, h.find()...)
	if !h.look {
		return slices.Concat(byLink, key, name, []line{to("allow", jump()), at("by link")}, key,
			[]line{to("allow", JumpNotEqual(R0, 0, 0)), to("deny", jump())})
	}
	return slices.Concat(byLink, key, name,
		[]line{at("by link"), is(movReg(R8, R7)), to("allow", jumpSame(R9, R8))}, findLink(), isMember())
}

// struct ip_mreqn, and in it the link.
const (
	mreqnSize = 12
	mreqnLink = 8
)

// find looks up Maps.Members: R0 is the value for the home and kind R8 and what is R9.
// At first it is the record of the socket.
func (h holder) find() []line {
	return []line{
		is(load64(R1, R0, homeCookie)),
		is(store64(R10, keyCookie, R1)),
		is(Store32(R10, keyHome, R8)),
		is(Store32(R10, keyLink, R9)),
		is(loadMap(R1, h.Members)),
		is(movReg(R2, R10)),
		is(addImm(R2, -keySize)),
		is(call(mapLookup)),
	}
}

// maxBucket is how many links of a namespace can have the same place in the kernel's
// table of 256 until one of them is not found.
const maxBucket = 64

// findLink makes R7 the struct net_device of the link R9 in the namespace of the socket
// of the context R6 (dev_get_by_index), and ends in "deny" if there is none.
func findLink() []line {
	return slices.Concat(
		[]line{is(movReg(R3, R6)), offset(optSocket, addImm(R3, 0))}, read64(R3),
		[]line{offset(socketNetns, addImm(R3, 0))}, read64(R3),
		[]line{offset(netnsLinks, addImm(R3, 0))}, read64(R3),
		[]line{is(movReg(R1, R9)), is(andImm(R1, 255)), is(shiftImm(R1, 3)), is(addReg(R3, R1))}, read64(R7),
		[]line{
			is(MovImm(R6, maxBucket)),
			at("next"),
			to("deny", JumpEqual(R7, 0, 0)),
			to("deny", JumpEqual(R6, 0, 0)),
			is(addImm(R6, -1)),
			offset(linkInList, MovImm(R2, 0)),
			is(subReg(R7, R2)),
			is(movReg(R3, R7)),
			offset(linkIndex, addImm(R3, 0)),
		}, read32(R1),
		[]line{
			to("found", jumpSame(R1, R9)),
			is(movReg(R3, R7)),
			offset(linkInList, addImm(R3, 0)),
		}, read64(R7),
		[]line{to("next", jump()), at("found")},
	)
}

// isMember asks whether the first that is above the link, whose struct net_device is R7,
// is the VRF R8 (netdev_master_upper_dev_get_rcu).
func isMember() []line {
	return slices.Concat(
		[]line{offset(linkUppers, addImm(R7, 0)), is(movReg(R3, R7))}, read64(R3),
		[]line{
			to("deny", jumpSame(R3, R7)), // the list is empty
			offset(upperInList, MovImm(R2, 0)),
			is(subReg(R3, R2)),
			offset(upperLink, addImm(R3, 0)),
		}, read64(R3),
		[]line{offset(linkIndex, addImm(R3, 0))}, read32(R1),
		[]line{to("allow", jumpSame(R1, R8)), to("deny", jump())},
	)
}

// read64 and read32 read the kernel's memory at R3. Where nothing is there the answer
// is no.
func read64(dst Reg) []line { return append(read(8), is(load64(dst, R10, -keySize))) }
func read32(dst Reg) []line { return append(read(4), is(Load32(dst, R10, -keySize))) }

func read(size int32) []line {
	return []line{
		is(movReg(R1, R10)),
		is(addImm(R1, -keySize)),
		is(MovImm(R2, size)),
		is(call(probeRead)),
		to("deny", JumpNotEqual(R0, 0, 0)),
	}
}
