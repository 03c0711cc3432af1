// Package bpf is the dialect of BPF that this project speaks: instructions by
// name, the programs, and the calls of bpf(2) that load, attach, pin them and read
// them back. The programs are of type cgroup/sock: they run when a process of a
// cgroup makes an IPv4 or IPv6 socket.
//
// rdexec links it, so it imports x/sys/unix alone.
package bpf

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Error is what the functions here return: what could not be done, why, and
// what to do. It unwraps to the errno of the system call.
type Error struct {
	Do   string // "load the VRF's BPF program"
	Err  error
	Hint string // "", or something in brackets
}

// Error returns the whole sentence.
func (e *Error) Error() string { return "unable to " + e.Do + ": " + e.Err.Error() + e.Hint }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hook is a place of the kernel where the programs of a process's cgroup run. The
// functions that it has return the errno alone, and take a cgroup as an open directory
// of a cgroup2 mount.
type Hook struct{ program, attach uint32 }

// The hooks that are used here.
var (
	// SockCreate runs when a process makes an IPv4 or IPv6 socket.
	SockCreate = Hook{unix.BPF_PROG_TYPE_CGROUP_SOCK, unix.BPF_CGROUP_INET_SOCK_CREATE}
	// Egress and Ingress run when a packet leaves a socket for a link, and when one is
	// about to be taken by a socket; the cgroup is that of the socket's maker.
	Egress  = Hook{unix.BPF_PROG_TYPE_CGROUP_SKB, unix.BPF_CGROUP_INET_EGRESS}
	Ingress = Hook{unix.BPF_PROG_TYPE_CGROUP_SKB, unix.BPF_CGROUP_INET_INGRESS}
	// SetSockOpt runs before setsockopt(2). Linux 5.3.
	SetSockOpt = Hook{unix.BPF_PROG_TYPE_CGROUP_SOCKOPT, unix.BPF_CGROUP_SETSOCKOPT}
)

// Load loads a program and returns its descriptor, which is closed on exec. An ifindex in
// it is that of a link in the namespace
// where the sockets will be made; the kernel does not check it. The caller needs
// CAP_BPF and CAP_NET_ADMIN, before Linux 5.8 CAP_SYS_ADMIN.
func Load(p Program) (fd int, err error) {
	licence := heap([...]byte{'G', 'P', 'L', 0})
	insns := heap([maxInsns]Insn{})
	count := copy(insns[:], p.Insns)
	attr := loading{
		progType:    p.Hook.program,
		insnCnt:     uint32(count),
		insns:       address(unsafe.Pointer(insns)),
		licence:     address(unsafe.Pointer(licence)),
		attachedFor: p.Hook.attach,
	}
	copy(attr.name[:len(attr.name)-1], p.Name)
	size := unsafe.Offsetof(attr.btf)
	var more *notes
	if len(p.fields) > 0 {
		if more, err = attr.note(p.fields); err != nil {
			return -1, &Error{"load the types of the VRF's BPF program", err, ""}
		}
		defer unix.Close(int(attr.btf))
		size = unsafe.Sizeof(attr)
	}
	if p.Function != "" {
		if attr.attachType, err = functionID(p.Function); err != nil {
			return -1, &Error{"find the kernel's function " + p.Function, err, ""}
		}
	}
	// The kernel gives up with EAGAIN when a signal is pending while it
	// verifies, and a Go program sends signals to itself.
	for range 16 {
		fd, err = bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), size)
		if err != unix.EAGAIN {
			break
		}
	}
	runtime.KeepAlive(insns)
	runtime.KeepAlive(licence)
	runtime.KeepAlive(more)
	switch err {
	case nil:
		return fd, nil
	case unix.EPERM:
		return -1, &Error{"load the VRF's BPF program", err,
			" (it needs CAP_BPF and CAP_NET_ADMIN, and before Linux 5.11 a RLIMIT_MEMLOCK of some MiB)"}
	case unix.EINVAL, unix.ENOSYS:
		return -1, &Error{"load the VRF's BPF program", err, " (a kernel without CONFIG_CGROUP_BPF?)"}
	}
	return -1, &Error{"load the VRF's BPF program", err, ""}
}

// loading is the part of union bpf_attr that BPF_PROG_LOAD reads.
type loading struct {
	progType, insnCnt    uint32
	insns, licence       uint64
	logLevel, logSize    uint32
	logBuf               uint64
	kernVersion, flags   uint32
	name                 [unix.BPF_OBJ_NAME_LEN]byte
	ifindex, attachedFor uint32
	// Of a program that has fields:
	btf, functionSize       uint32
	functions               uint64
	functionCount, lineSize uint32
	lines                   uint64
	lineCount, attachType   uint32
	attachTo, fieldCount    uint32
	descriptors             uint64
	fields                  uint64
	fieldSize, _            uint32
}

// attachment is the part of union bpf_attr that BPF_PROG_ATTACH and
// BPF_PROG_DETACH read.
type attachment struct {
	cgroup, prog, kind, flags, replaced uint32
}

// Attach attaches a loaded program to a cgroup as the only one of the hook: it takes
// the place of the program that was attached so before, and none can be attached to a
// cgroup below. EPERM is also for a cgroup that has programs which AttachBeside
// attached, and for one below another that allows no others.
func (h Hook) Attach(cgroup, prog int) error { return h.put(cgroup, prog, 0, 0) }

// AttachBeside attaches a loaded program to a cgroup that may have others, and
// may get more, here and below. The kernel allows 64 in a cgroup.
func (h Hook) AttachBeside(cgroup, prog int) error {
	return h.put(cgroup, prog, unix.BPF_F_ALLOW_MULTI, 0)
}

// Replace puts a loaded program in the place of old, one of those that
// AttachBeside attached to the cgroup.
func (h Hook) Replace(cgroup, old, prog int) error {
	return h.put(cgroup, prog, unix.BPF_F_ALLOW_MULTI|unix.BPF_F_REPLACE, old)
}

func (h Hook) put(cgroup, prog int, flags uint32, replaced int) error {
	a := attachment{uint32(cgroup), uint32(prog), h.attach, flags, uint32(replaced)}
	_, err := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

// Detach takes a program off a cgroup.
func (h Hook) Detach(cgroup, prog int) error {
	a := attachment{cgroup: uint32(cgroup), prog: uint32(prog), kind: h.attach}
	_, err := bpf(unix.BPF_PROG_DETACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

// maxPrograms is how many programs a cgroup can have (BPF_CGROUP_MAX_PROGS,
// include/linux/bpf-cgroup-defs.h), times the depth of any tree of cgroups that
// is in use.
const maxPrograms = 64 * 32

// Attached opens the programs that are attached to the cgroup itself, in the
// order in which they run. The caller closes them. It needs CAP_NET_ADMIN or
// CAP_SYS_ADMIN.
func (h Hook) Attached(cgroup int) ([]int, error) { return h.query(cgroup, 0) }

// Effective is Attached for all programs that the kernel runs for a process in
// the cgroup: those of the cgroups above run last.
func (h Hook) Effective(cgroup int) ([]int, error) {
	return h.query(cgroup, unix.BPF_F_QUERY_EFFECTIVE)
}

func (h Hook) query(cgroup int, flags uint32) (progs []int, err error) {
	ids := heap([maxPrograms]uint32{})
	attr := struct {
		cgroup, kind, queryFlags, attachFlags uint32
		ids                                   uint64
		count, _                              uint32
	}{
		cgroup: uint32(cgroup), kind: h.attach, queryFlags: flags,
		ids: address(unsafe.Pointer(ids)), count: maxPrograms,
	}
	_, err = bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids[:attr.count] {
		get := struct{ id, next, flags uint32 }{id: id}
		fd, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&get), unsafe.Sizeof(get))
		if err == unix.ENOENT {
			continue // detached since
		}
		if err != nil {
			Close(progs)
			return nil, err
		}
		progs = append(progs, fd)
	}
	return progs, nil
}

// Close closes programs that Attached or Effective opened.
func Close(progs []int) {
	for _, fd := range progs {
		unix.Close(fd)
	}
}

// Info is what the kernel says of a loaded program.
type Info struct {
	ID   uint32
	Name string
	// Insns are its instructions as the kernel has rewritten them: offsets and
	// sizes of fields of the context, but no constant. Nil for a program of more
	// than 192, which is none of those that bind to a constant.
	Insns []Insn
	// Maps are the IDs of the maps that it uses, the first few.
	Maps []uint32
}

// maxInsns is more than any program here has.
const maxInsns = 192

const insnSize = 8

// Read returns what the kernel says of the loaded program. Its instructions need
// CAP_BPF or CAP_SYS_ADMIN; they are nil without. It returns the errno alone.
func Read(prog int) (Info, error) {
	insns, maps := heap([maxInsns]Insn{}), heap([4]uint32{})
	// The beginning of struct bpf_prog_info (include/uapi/linux/bpf.h).
	info := heap(struct {
		kind, id              uint32
		tag                   [8]byte
		jitedLen, xlatedLen   uint32
		jited, xlated         uint64
		loadTime              uint64
		createdByUID, mapsLen uint32
		maps                  uint64
		name                  [unix.BPF_OBJ_NAME_LEN]byte
	}{xlatedLen: uint32(unsafe.Sizeof(*insns)), xlated: address(unsafe.Pointer(insns)),
		mapsLen: uint32(len(maps)), maps: address(unsafe.Pointer(maps))})
	attr := struct {
		fd, len uint32
		info    uint64
	}{uint32(prog), uint32(unsafe.Sizeof(*info)), address(unsafe.Pointer(info))}
	_, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(insns)
	runtime.KeepAlive(maps)
	runtime.KeepAlive(info)
	if err != nil {
		return Info{}, err
	}
	i := Info{ID: info.id, Name: unix.ByteSliceToString(info.name[:]), Maps: maps[:min(int(info.mapsLen), len(maps))]}
	// Without the right to see them xlated is 0, and the length is still told.
	if n := int(info.xlatedLen) / insnSize; info.xlated != 0 && n <= len(insns) {
		i.Insns = insns[:n:n]
	}
	return i, nil
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
