// Package bpf reads what cgroup programs do to a new socket: which link they
// bind it to. It recognises the program of rdexec, that of `ip vrf exec`, and
// any other that stores a constant; of others it says that it cannot tell.
package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Program is what is known of one cgroup/sock program.
type Program struct {
	ID   uint32
	Name string
	// Ifindex is the link that the program binds a socket to, 0 if it is not
	// known or binds to none.
	Ifindex uint32
	// Keep is true if a socket that is bound already keeps its binding.
	Keep bool
	// Known is false if the program's instructions are not understood.
	Known bool
}

// Pinned returns the program that is pinned at path. The error matches
// fs.ErrNotExist if there is none.
func Pinned(path string) (Program, error) {
	if len(path) >= unix.PathMax || strings.IndexByte(path, 0) >= 0 {
		return Program{}, &fs.PathError{Op: "bpf object", Path: path, Err: unix.EINVAL}
	}
	name := heap([unix.PathMax]byte{})
	copy(name[:], path)
	attr := struct {
		path      uint64
		fd, flags uint32
	}{path: address(unsafe.Pointer(name))}
	fd, err := call(unix.BPF_OBJ_GET, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(name)
	if err != nil {
		return Program{}, &fs.PathError{Op: "bpf object", Path: path, Err: err}
	}
	defer unix.Close(fd)
	return describe(fd)
}

// maxPrograms is how many programs a cgroup can have (BPF_CGROUP_MAX_PROGS),
// times the depth of any tree of cgroups that is in use.
const maxPrograms = 64 * 32

// Effective returns the programs that the kernel runs when a process in the
// cgroup, an open directory of a cgroup2 mount, makes a socket; in the order in
// which they run. It needs CAP_NET_ADMIN or CAP_SYS_ADMIN.
func Effective(cgroup int) ([]Program, error) {
	ids := heap([maxPrograms]uint32{})
	attr := struct {
		fd, attachType, flags, attachFlags uint32
		ids                                uint64
		count, _                           uint32
		progAttachFlags                    uint64
	}{
		fd: uint32(cgroup), attachType: unix.BPF_CGROUP_INET_SOCK_CREATE, flags: unix.BPF_F_QUERY_EFFECTIVE,
		ids: address(unsafe.Pointer(ids)), count: maxPrograms,
	}
	_, err := call(unix.BPF_PROG_QUERY, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(ids)
	if err != nil {
		return nil, fmt.Errorf("programs of the cgroup: %w", err)
	}
	var programs []Program
	for _, id := range ids[:attr.count] {
		p, err := byID(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // detached meanwhile
		}
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	return programs, nil
}

// Bound returns the ifindex that a socket ends up bound to after the programs
// ran, 0 for none. ok is false if one of them, not understood, may have had the
// last word.
func Bound(programs []Program) (ifindex uint32, ok bool) {
	ok = true
	for _, p := range programs {
		switch {
		case !p.Known:
			ok = false
		case !p.Keep && p.Ifindex != 0:
			ifindex, ok = p.Ifindex, true // the last write wins
		case p.Keep && ifindex == 0:
			ifindex = p.Ifindex
		}
	}
	return ifindex, ok
}

func byID(id uint32) (Program, error) {
	attr := struct{ id, next, flags uint32 }{id: id}
	fd, err := call(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if err != nil {
		return Program{}, fmt.Errorf("program %d: %w", id, err)
	}
	defer unix.Close(fd)
	return describe(fd)
}

// info is the beginning of struct bpf_prog_info (include/uapi/linux/bpf.h).
type info struct {
	kind, id              uint32
	tag                   [8]byte
	jitedLen, xlatedLen   uint32
	jited, xlated         uint64
	loadTime              uint64
	createdByUID, mapsLen uint32
	maps                  uint64
	name                  [16]byte
}

const insnSize = 8

func describe(fd int) (Program, error) {
	// A program that binds has a handful of instructions.
	insns := heap([64 * insnSize]byte{})
	in := heap(info{xlatedLen: uint32(len(insns)), xlated: address(unsafe.Pointer(insns))})
	attr := struct {
		fd, len uint32
		info    uint64
	}{uint32(fd), uint32(unsafe.Sizeof(*in)), address(unsafe.Pointer(in))}
	_, err := call(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(insns)
	runtime.KeepAlive(in)
	if err != nil {
		return Program{}, fmt.Errorf("information on a program: %w", err)
	}
	p := Program{ID: in.id, Name: unix.ByteSliceToString(in.name[:])}
	if int(in.xlatedLen) <= len(insns) {
		p.Ifindex, p.Keep, p.Known = understand(insns[:in.xlatedLen])
	}
	return p, nil
}

// The few operations (include/uapi/linux/bpf_common.h, bpf.h) that a program
// that binds to a constant is made of. The kernel rewrites the offset of
// bound_dev_if, but neither these nor the constants.
const (
	opMovImm   = 0xb7 // dst = imm
	opMovReg   = 0xbf // dst = src
	opLoad32   = 0x61 // dst = *(u32 *)(src + off)
	opLoad16   = 0x69 // dst = *(u16 *)(src + off)
	opOr       = 0x44 // dst |= imm, 32 bits
	opStore32  = 0x63 // *(u32 *)(dst + off) = src
	opNotEqual = 0x55 // if dst != imm goto +off
	opEqual    = 0x15 // if dst == imm goto +off
	opGreater  = 0x25 // if dst > imm goto +off
	opExit     = 0x95
)

// understand follows a program that stores at most one constant into its
// context, up to where it allows the socket. A program may refuse some protocols
// before, and set bits of a field that it has read. Anything else it does not know.
func understand(insns []byte) (ifindex uint32, keep, ok bool) {
	constant := map[byte]uint32{}
	context := map[byte]bool{1: true}
	flagged := map[byte]bool{} // holds what was read, and some bits more
	stored, branched := false, false
	for ; len(insns) >= insnSize; insns = insns[insnSize:] {
		dst, src := insns[1]&0xf, insns[1]>>4
		imm := binary.NativeEndian.Uint32(insns[4:])
		switch insns[0] {
		case opMovImm:
			constant[dst] = imm
			delete(context, dst)
			delete(flagged, dst)
		case opMovReg:
			delete(constant, dst)
			if c, known := constant[src]; known {
				constant[dst] = c
			}
			context[dst], flagged[dst] = context[src], flagged[src]
		case opLoad32, opLoad16:
			if !context[src] {
				return 0, false, false
			}
			delete(constant, dst)
			delete(context, dst)
			delete(flagged, dst)
		case opOr:
			if _, known := constant[dst]; known || context[dst] {
				return 0, false, false
			}
			flagged[dst] = true
		case opGreater:
			if stored || keep {
				return 0, false, false
			}
		case opNotEqual:
			keep = true
			if imm != 0 || stored {
				return 0, false, false
			}
		case opEqual: // of rdexec's guard: what follows sets bits alone
			if stored || keep {
				return 0, false, false
			}
			branched = true
		case opStore32:
			if context[dst] && flagged[src] && (stored || branched) {
				continue
			}
			value, known := constant[src]
			if !context[dst] || !known || stored || branched {
				return 0, false, false
			}
			ifindex, stored = value, true
		case opExit:
			return ifindex, keep && stored, true
		default:
			return 0, false, false
		}
	}
	return 0, false, false
}

// call is bpf(2). EAGAIN, which program loading gives when a signal comes, does
// not occur with the commands used here.
func call(cmd int, attr unsafe.Pointer, size uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// heap puts v where Go moves nothing, unlike on the stack of a goroutine, so that
// its address may stand as a number in what bpf(2) reads.
//
//go:noinline
func heap[T any](v T) *T { return &v }

// address is a pointer to something on the heap, as the kernel's 64-bit fields
// hold it. The caller keeps it alive.
func address(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) }
