package who

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// progAttach is the bpf(2) command cmd, attach or detach, for a program that
// runs when a socket is made.
func progAttach(cmd, cgroup, program int) error {
	attr := struct{ target, program, attachType, flags uint32 }{uint32(cgroup), uint32(program),
		unix.BPF_CGROUP_INET_SOCK_CREATE, 0}
	if cmd == unix.BPF_PROG_ATTACH {
		attr.flags = unix.BPF_F_ALLOW_MULTI
	}
	_, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return errno
	}
	return nil
}
