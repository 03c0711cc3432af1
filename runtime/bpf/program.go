package bpf

// Program is a program before it is loaded.
type Program struct {
	// Name is seen in the kernel (`bpftool prog`); at most 15 bytes.
	Name  string
	Hook  Hook
	Insns []Insn
	// Function is the function of the kernel where a program of ModifyReturn is.
	Function string
	// fields are the places in Insns that have the offset of a field of the kernel's.
	fields []relocation
}

// Digest names what p does with the maps of these numbers: its name and a number.
func (p Program) Digest(maps ...uint32) string {
	const start, factor = 14695981039346656037, 1099511628211 // FNV-1a
	sum := uint64(start)
	put := func(n uint64) { sum = (sum ^ n) * factor }
	for _, id := range maps {
		put(uint64(id))
	}
	for _, i := range p.Insns {
		imm := i.Imm
		if i.Op == opLoadMap {
			imm = 0
		}
		put(uint64(i.Op)<<8 | uint64(i.regs))
		put(uint64(uint16(i.Off))<<32 | uint64(uint32(imm)))
	}
	for _, f := range p.fields {
		put(uint64(f.insn)<<8 | uint64(f.field))
	}
	const digits = "0123456789abcdef"
	name := []byte(p.Name + "-")
	for ; sum != 0; sum >>= 4 {
		name = append(name, digits[sum&15])
	}
	return string(name)
}

// The names of the programs. An attached program of ours is known again by its
// name.
const (
	BindName  = "rdexec_vrf"
	GuardName = "rdexec_guard"
)

// The fields of the context, struct bpf_sock of include/uapi/linux/bpf.h.
const (
	boundDevIf = 0
	sockType   = 8
	protocol   = 12
	mark       = 16
)

// ipProtocols is the highest protocol of IP. Above are MPTCP (262), which Go's net
// package and systemd ask for by themselves, and SMC (256). Behind such a socket
// the kernel opens others, for which no program runs, and those would listen and
// connect in the default domain. So these sockets are refused (EPERM), and the
// programs that ask for one take plain TCP.
const ipProtocols = 255

// Bind is the program that binds a new socket to ifindex, and sets bits in its mark,
// unless something has bound it already: programs of outer cgroups run after those
// of inner ones, and the inner one must win.
//
// The mark says that the socket is one of ours; the rule that rdomain(8) adds behind
// that of the VRFs gives a packet that has it, and names another link, no route. Hold
// has what keeps the socket there.
func Bind(ifindex, bits uint32) Program {
	return Program{Name: BindName, Hook: SockCreate, Insns: []Insn{
		0:  Load32(R2, R1, protocol),
		1:  JumpGreater(R2, ipProtocols, 9), // to 11
		2:  Load32(R2, R1, boundDevIf),
		3:  JumpNotEqual(R2, 0, 5), // to 9
		4:  MovImm(R3, int32(ifindex)),
		5:  Store32(R1, boundDevIf, R3),
		6:  Load32(R3, R1, mark),
		7:  OrImm(R3, int32(bits)),
		8:  Store32(R1, mark, R3),
		9:  MovImm(R0, 1), // the socket may be made
		10: Exit(),
		11: MovImm(R0, 0), // EPERM
		12: Exit(),
	}}
}

// Guard is for a cgroup in which `ip vrf exec` may bind, in the place of Bind: it
// refuses what would leave a VRF, and sets bits in the mark of a socket that is
// bound, whoever bound it. It binds nothing, and names no link.
func Guard(bits uint32) Program {
	return Program{Name: GuardName, Hook: SockCreate, Insns: []Insn{
		0:  Load32(R2, R1, protocol),
		1:  JumpGreater(R2, ipProtocols, 7), // to 9
		2:  Load32(R2, R1, boundDevIf),
		3:  JumpEqual(R2, 0, 3), // to 7
		4:  Load32(R3, R1, mark),
		5:  OrImm(R3, int32(bits)),
		6:  Store32(R1, mark, R3),
		7:  MovImm(R0, 1), // the socket may be made
		8:  Exit(),
		9:  MovImm(R0, 0), // EPERM
		10: Exit(),
	}}
}

// BoundBy returns the ifindex that a loaded program binds to, if it is Bind with
// those bits, of this version; else ok is false.
func BoundBy(loaded []Insn, bits uint32) (ifindex uint32, ok bool) {
	const constant = 4
	if len(loaded) <= constant {
		return 0, false
	}
	ifindex = uint32(loaded[constant].Imm)
	want := Bind(ifindex, bits).Insns
	if len(loaded) != len(want) {
		return 0, false
	}
	for i := range want {
		if !sameBut(loaded[i], want[i]) {
			return 0, false
		}
	}
	return ifindex, true
}

// sameBut reports whether loaded is want as the kernel reads it back. It turns a
// field of the context into one of struct sock, which has another offset and
// sometimes another size.
func sameBut(loaded, want Insn) bool {
	switch want.Op {
	case OpLoad32:
		return (loaded.Op == OpLoad32 || loaded.Op == OpLoad16) && loaded.regs == want.regs
	case OpStore32:
		return loaded.Op == OpStore32 && loaded.regs == want.regs
	}
	return loaded == want
}
