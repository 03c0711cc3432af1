package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// int80 is a system call of 32 bits, as a program for i386 does it. A program of 64 bits
// may, too.
func int80(call, a, b, c, d, e uintptr) (r int32)

// setBy32 is setsockopt(2) by a call of 32 bits, with ENOSYS where the kernel has none.
func setBy32(fd, level, option int, value []byte) error {
	const setsockopt = 366 // of i386
	low, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_32BIT)
	if err != nil {
		return err
	}
	defer unix.Munmap(low)
	copy(low, value)
	r := int80(setsockopt, uintptr(fd), uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&low[0])), uintptr(len(value)))
	if r < 0 {
		return unix.Errno(-r)
	}
	return nil
}
