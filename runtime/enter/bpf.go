package enter

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// The names of the programs in the kernel; `bpftool prog` shows them, and
// attachedNamed knows its own predecessor by them. At most 15 bytes.
const (
	progName  = "rdexec_vrf"
	guardName = "rdexec_guard"
)

// insn is struct bpf_insn of include/uapi/linux/bpf.h. The two registers share
// a byte whose halves are the other way round on a big-endian machine; there
// the verifier refuses the program, and rdexec ends.
type insn struct {
	code uint8
	regs uint8 // source<<4 | destination
	off  int16
	imm  int32
}

// program binds a new socket to ifindex unless something has bound it already:
// programs of outer cgroups run after those of inner ones, and the inner one
// must win. The context, in r1, is a struct bpf_sock (include/uapi/linux/bpf.h):
// bound_dev_if at 0, protocol at 12, mark at 16.
//
// Two things would leave the VRF all the same.
//
// A protocol above 255 is none of IP's: MPTCP (262), which Go's net package and
// systemd ask for by themselves, and SMC (256). Behind such a socket the kernel
// opens others, for which no program is run, and those would listen and connect
// in the default domain. Such a socket is refused (EPERM); who asks for one takes
// plain TCP then.
//
// A bound UDP or ping socket may still name another interface for one datagram
// (IP_PKTINFO, ip(7)). The mark stays, and the rule that rdomain(8) adds behind
// that of the VRFs gives what has it no route. Hosts on that interface's own link
// are reached all the same, by IPv4: there the kernel asks for none.
func program(ifindex uint32) [13]insn {
	return [...]insn{
		0:  {code: 0x61, regs: 0x12, off: 12},                     // r2 = *(u32 *)(r1 + 12)
		1:  {code: 0x25, regs: 0x02, off: 9, imm: 255},            // if r2 > 255 goto 11
		2:  {code: 0x61, regs: 0x12},                              // r2 = *(u32 *)(r1 + 0)
		3:  {code: 0x55, regs: 0x02, off: 5},                      // if r2 != 0 goto 9
		4:  {code: 0xb7, regs: 0x03, imm: int32(ifindex)},         // r3 = ifindex
		5:  {code: 0x63, regs: 0x31},                              // *(u32 *)(r1 + 0) = r3
		6:  {code: 0x61, regs: 0x13, off: 16},                     // r3 = *(u32 *)(r1 + 16)
		7:  {code: 0x44, regs: 0x03, imm: domain.VRFMark - 1<<32}, // w3 |= domain.VRFMark
		8:  {code: 0x63, regs: 0x31, off: 16},                     // *(u32 *)(r1 + 16) = r3
		9:  {code: 0xb7, regs: 0x00, imm: 1},                      // r0 = 1: the socket may be made
		10: {code: 0x95},                                          // exit
		11: {code: 0xb7, regs: 0x00, imm: 0},                      // r0 = 0: EPERM
		12: {code: 0x95},                                          // exit
	}
}

// guard is for a cgroup in which `ip vrf exec` may bind, in the place of program:
// it refuses what would leave a VRF, and marks a socket that is bound, whoever
// bound it. It binds nothing itself, and names no link.
func guard() [11]insn {
	return [...]insn{
		0:  {code: 0x61, regs: 0x12, off: 12},                     // r2 = *(u32 *)(r1 + 12)
		1:  {code: 0x25, regs: 0x02, off: 7, imm: 255},            // if r2 > 255 goto 9
		2:  {code: 0x61, regs: 0x12},                              // r2 = *(u32 *)(r1 + 0)
		3:  {code: 0x15, regs: 0x02, off: 3},                      // if r2 == 0 goto 7
		4:  {code: 0x61, regs: 0x13, off: 16},                     // r3 = *(u32 *)(r1 + 16)
		5:  {code: 0x44, regs: 0x03, imm: domain.VRFMark - 1<<32}, // w3 |= domain.VRFMark
		6:  {code: 0x63, regs: 0x31, off: 16},                     // *(u32 *)(r1 + 16) = r3
		7:  {code: 0xb7, regs: 0x00, imm: 1},                      // r0 = 1: the socket may be made
		8:  {code: 0x95},                                          // exit
		9:  {code: 0xb7, regs: 0x00, imm: 0},                      // r0 = 0: EPERM
		10: {code: 0x95},                                          // exit
	}
}

// Load loads the program that binds new IPv4 and IPv6 sockets to ifindex, and
// returns its descriptor, which is closed on exec. The number is that of a link
// in the namespace where the sockets will be made; the kernel does not check
// it. The program is of type cgroup/sock, for attach type sock_create. Its
// holder needs CAP_BPF and CAP_NET_ADMIN, before Linux 5.8 CAP_SYS_ADMIN.
func Load(ifindex uint32) (fd int, err error) {
	insns := heap(program(ifindex))
	return load(progName, insns[:])
}

// load loads insns, which is on the heap.
func load(name string, insns []insn) (fd int, err error) {
	licence := heap([...]byte{'G', 'P', 'L', 0})
	attr := struct {
		progType, insnCnt    uint32
		insns, licence       uint64
		logLevel, logSize    uint32
		logBuf               uint64
		kernVersion, flags   uint32
		name                 [16]byte
		ifindex, attachedFor uint32
	}{
		progType:    unix.BPF_PROG_TYPE_CGROUP_SOCK,
		insnCnt:     uint32(len(insns)),
		insns:       address(unsafe.Pointer(&insns[0])),
		licence:     address(unsafe.Pointer(licence)),
		attachedFor: unix.BPF_CGROUP_INET_SOCK_CREATE,
	}
	copy(attr.name[:], name)
	// The kernel gives up with EAGAIN when a signal is pending while it
	// verifies, and a Go program sends signals to itself.
	for range 16 {
		fd, err = bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
		if err != unix.EAGAIN {
			break
		}
	}
	runtime.KeepAlive(insns)
	runtime.KeepAlive(licence)
	if err != nil {
		e := unable("load the VRF's BPF program", err)
		switch err {
		case unix.EPERM:
			e.Text += " (it needs CAP_BPF and CAP_NET_ADMIN, and before Linux 5.11 a RLIMIT_MEMLOCK of some MiB)"
		case unix.EINVAL, unix.ENOSYS:
			e.Text += " (a kernel without CONFIG_CGROUP_BPF?)"
		}
		return -1, e
	}
	return fd, nil
}

// Pin keeps the program fd alive under path, which is below a mounted bpffs,
// and replaces by rename what was pinned there before, so that a reader finds
// the old program or the new one. bpffs refuses a name with a dot. The caller
// keeps others from pinning to the same path at the same time.
func Pin(fd int, path string) error {
	next := path + "~"
	name, err := unix.BytePtrFromString(next)
	if err != nil {
		return unable("pin the VRF's BPF program to "+path, err)
	}
	attr := struct {
		path      uint64
		fd, flags uint32
	}{path: address(unsafe.Pointer(name)), fd: uint32(fd)}
	_, err = bpf(unix.BPF_OBJ_PIN, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if err == unix.EEXIST { // left by somebody who was killed
		if err = unix.Unlink(next); err == nil {
			_, err = bpf(unix.BPF_OBJ_PIN, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
		}
	}
	runtime.KeepAlive(name)
	if err != nil {
		return unable("pin the VRF's BPF program to "+path, err)
	}
	if err := unix.Rename(next, path); err != nil {
		unix.Unlink(next)
		return unable("rename "+next+" to "+path, err)
	}
	return nil
}

// attachment is the part of union bpf_attr that BPF_PROG_ATTACH and
// BPF_PROG_DETACH read.
type attachment struct {
	cgroup, prog, kind, flags, replaced uint32
}

// attach attaches prog to the cgroup. With flags 0 it replaces the one program
// there; with BPF_F_REPLACE it takes the place of the program replaced.
func attach(cgroup, prog int, flags uint32, replaced int) error {
	a := attachment{uint32(cgroup), uint32(prog), unix.BPF_CGROUP_INET_SOCK_CREATE, flags, uint32(replaced)}
	_, err := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

func detach(cgroup, prog int) error {
	a := attachment{cgroup: uint32(cgroup), prog: uint32(prog), kind: unix.BPF_CGROUP_INET_SOCK_CREATE}
	_, err := bpf(unix.BPF_PROG_DETACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

// attachBeside attaches prog to a cgroup that may have programs of others, and
// in the place of the one that an earlier start attached: the kernel allows 64
// in a cgroup and refuses the next. If two starts at once left two, one goes.
func attachBeside(cgroup, prog int) error {
	ours, err := attachedNamed(cgroup, progName)
	if err != nil {
		return err
	}
	if len(ours) == 0 {
		return attach(cgroup, prog, unix.BPF_F_ALLOW_MULTI, 0)
	}
	err = attach(cgroup, prog, unix.BPF_F_ALLOW_MULTI|unix.BPF_F_REPLACE, ours[0])
	for _, fd := range ours[1:] {
		if err == nil {
			err = detach(cgroup, fd)
		}
	}
	for _, fd := range ours {
		unix.Close(fd)
	}
	return err
}

// attachGuard attaches the guard to cgroup, which is path, if it has none yet. Two
// starts at once may leave two, which do the same.
func attachGuard(cgroup int, path string) error {
	there, err := attachedNamed(cgroup, guardName)
	for _, fd := range there {
		unix.Close(fd)
	}
	if err != nil {
		return attachError(path, err)
	}
	if len(there) > 0 {
		return nil
	}
	insns := heap(guard())
	prog, err := load(guardName, insns[:])
	if err != nil {
		return err
	}
	defer unix.Close(prog)
	if err := attach(cgroup, prog, unix.BPF_F_ALLOW_MULTI, 0); err != nil {
		return attachError(path, err)
	}
	return nil
}

// attachedNamed opens the programs of that name that are attached to cgroup
// itself.
func attachedNamed(cgroup int, name string) ([]int, error) {
	ids := heap([64]uint32{}) // BPF_CGROUP_MAX_PROGS, include/linux/bpf-cgroup-defs.h
	query := struct {
		cgroup, kind, queryFlags, attachFlags uint32
		ids                                   uint64
		count, _                              uint32
	}{
		cgroup: uint32(cgroup), kind: unix.BPF_CGROUP_INET_SOCK_CREATE,
		ids: address(unsafe.Pointer(ids)), count: uint32(len(ids)),
	}
	_, err := bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&query), unsafe.Sizeof(query))
	runtime.KeepAlive(ids)
	if err != nil {
		return nil, err
	}
	var ours []int
	for _, id := range ids[:query.count] {
		get := struct{ id, next, flags uint32 }{id: id}
		fd, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&get), unsafe.Sizeof(get))
		if err == unix.ENOENT {
			continue // detached since
		}
		if err != nil {
			return nil, err
		}
		named, err := nameOf(fd)
		if err != nil {
			return nil, err
		}
		if named == name {
			ours = append(ours, fd)
		} else {
			unix.Close(fd)
		}
	}
	return ours, nil
}

// nameOf reads the beginning of struct bpf_prog_info, up to the name.
func nameOf(prog int) (string, error) {
	info := heap(struct {
		_    [64]byte
		name [unix.BPF_OBJ_NAME_LEN]byte
	}{})
	attr := struct {
		fd, len uint32
		info    uint64
	}{uint32(prog), uint32(unsafe.Sizeof(*info)), address(unsafe.Pointer(info))}
	_, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(info)
	return unix.ByteSliceToString(info.name[:]), err
}

// heap puts v where Go moves nothing, unlike on the stack of a goroutine, so
// that its address may stand as a number in what bpf(2) reads.
//
//go:noinline
func heap[T any](v T) *T { return &v }

// address is a pointer as the kernel's 64-bit fields hold it. It is one of
// heap, and the caller keeps it alive.
func address(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }

func bpf(command int, attr unsafe.Pointer, size uintptr) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(attr), size)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}
