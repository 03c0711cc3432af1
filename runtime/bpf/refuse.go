package bpf

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The names of the programs that Refuse returns.
const (
	Join32Name = "rdexec_join32"
	RingName   = "rdexec_ring"
)

// Refuse returns the programs for what the kernel does not ask the program of Hold for joins: a
// setsockopt(2) by a call of 32 bits, which any process may make (`int 0x80`, x32), and one by an
// io_uring that such a call made. On a socket whose mark has the bits, the first refuses a join by
// such a call, and the second each setsockopt by an io_uring: what is set, and who made the
// ring, is not in the same place of each kernel, and may change while one looks.
//
// They are of the whole machine, and attached once: Attach. They need Linux 6.1 with the types of
// its memory and CONFIG_FUNCTION_TRACER, and CAP_PERFMON. They know the registers of x86; on
// other processors there are none.
//
// What is said of the kernel is of net/socket.c, io_uring/uring_cmd.c and arch/x86, Linux 6.1
// to 7.2.
func Refuse(bits uint32) []Program {
	if !calls32 {
		return nil
	}
	return []Program{join32(bits), ringSet(bits)}
}

// ModifyReturn is at the beginning of a function of the kernel that asks whether something is
// allowed (security_*): with an answer that is not 0, the function is not run.
var ModifyReturn = Hook{unix.BPF_PROG_TYPE_TRACING, unix.BPF_MODIFY_RETURN}

// verdict ends a program of ModifyReturn.
var verdict = []line{
	at("deny"),
	is(MovImm(R0, -int32(unix.EPERM))),
	is(Exit()),
	at("allow"),
	is(MovImm(R0, 0)),
	is(Exit()),
}

const (
	statusCompat = 2       // TS_COMPAT: the process is in a call of 32 bits
	callX32      = 1 << 30 // __X32_SYSCALL_BIT
)

// join32 is at security_socket_setsockopt(sock, level, optname).
func join32(bits uint32) Program {
	p := assemble(Join32Name, ModifyReturn, []line{
		is(load64(R7, R1, 0)),
		is(Load32(R2, R1, 8)),
		is(Load32(R3, R1, 16)),
		to("ipv4", JumpEqual(R2, unix.IPPROTO_IP, 0)),
		to("allow", JumpNotEqual(R2, unix.IPPROTO_IPV6, 0)),
		to("join", JumpEqual(R3, unix.IPV6_JOIN_GROUP, 0)),
		to("join", JumpEqual(R3, unix.IPV6_JOIN_ANYCAST, 0)),
		to("group", jump()),
		at("ipv4"),
		to("join", JumpEqual(R3, unix.IP_ADD_MEMBERSHIP, 0)),
		to("join", JumpEqual(R3, unix.IP_ADD_SOURCE_MEMBERSHIP, 0)),
		at("group"),
		to("join", JumpEqual(R3, joinGroup, 0)),
		to("allow", JumpNotEqual(R3, joinGroupSource, 0)),
		at("join"),
	}, marked(bits), []line{
		is(call(currentTask)),
		is(movReg(R6, R0)),
		is(movReg(R3, R0)),
		offset(taskStatus, addImm(R3, 0)),
	}, read32(R1), []line{
		is(andImm(R1, statusCompat)),
		to("deny", JumpNotEqual(R1, 0, 0)),
		is(movReg(R1, R6)),
		is(call(taskRegs)),
		is(movReg(R3, R0)),
		offset(regsCall, addImm(R3, 0)),
	}, read32(R1), []line{
		is(andImm(R1, callX32)),
		to("allow", JumpEqual(R1, 0, 0)),
	}, verdict)
	p.Function = "security_socket_setsockopt"
	return p
}

// commandSetOpt is SOCKET_URING_OP_SETSOCKOPT (Linux 6.7).
const commandSetOpt = 3

// ringSet is at security_uring_cmd(ioucmd), which comes before. What is to be set is still in
// memory that the caller may change.
func ringSet(bits uint32) Program {
	p := assemble(RingName, ModifyReturn, []line{
		is(load64(R6, R1, 0)),
		is(movReg(R3, R6)),
		offset(commandOp, addImm(R3, 0)),
	}, read32(R1), []line{
		to("allow", JumpNotEqual(R1, commandSetOpt, 0)),
		is(movReg(R3, R6)),
		offset(commandFile, addImm(R3, 0)),
	}, read64(R8), []line{
		is(movReg(R3, R8)),
		offset(filePrivate, addImm(R3, 0)),
	}, read64(R7), []line{
		// Only a socket names its file.
		is(movReg(R3, R7)),
		offset(socketFile, addImm(R3, 0)),
	}, read64(R1), []line{to("socket", jumpSame(R1, R8)), to("allow", jump()), at("socket")},
		marked(bits), []line{to("deny", jump())}, verdict)
	p.Function = "security_uring_cmd"
	return p
}

// marked leads to "allow" if the struct socket R7 is none whose mark has the bits.
func marked(bits uint32) []line {
	return slices.Concat([]line{
		is(movReg(R3, R7)),
		offset(socketSock, addImm(R3, 0)),
	}, read64(R3), []line{offset(sockMark, addImm(R3, 0))}, read32(R1), []line{
		is(andImm(R1, int32(bits))),
		to("allow", JumpEqual(R1, 0, 0)),
	})
}

// Attach attaches a loaded program of ModifyReturn, and returns the descriptor of what holds
// it, which is closed on exec. It stays while that is open or pinned. It returns the errno alone.
func Attach(prog int) (link int, err error) {
	attr := struct {
		name uint64
		prog uint32
		_    uint32
	}{prog: uint32(prog)}
	return bpf(unix.BPF_RAW_TRACEPOINT_OPEN, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}
