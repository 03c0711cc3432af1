package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// int80 is a system call of 32 bits, as a program for i386 does it. A program of 64 bits
// may, too.
func int80(call, a, b, c, d, e uintptr) (r int32)

// has32 tells whether calls of 32 bits are there: a filter of seccomp may end the thread that
// makes one, and with it the way of all others. So a child tries.
var has32 = sync.OnceValue(func() bool {
	child := exec.Command("/proc/self/exe", "call-32")
	if err := child.Start(); err != nil {
		return false
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case err := <-ended:
			return err == nil
		case <-time.After(10 * time.Millisecond):
			// The first thread is a zombie while others of the process live.
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child.Process.Pid))
			if _, state, _ := strings.Cut(string(text), ") "); strings.HasPrefix(state, "Z") {
				child.Process.Kill()
			}
		}
	}
})

func init() {
	runtime.LockOSThread() // main is the first thread
	if len(os.Args) == 2 && os.Args[1] == "call-32" {
		const getpid = 20 // of i386
		if int(int80(getpid, 0, 0, 0, 0, 0)) == os.Getpid() {
			os.Exit(0)
		}
		os.Exit(1)
	}
	runtime.UnlockOSThread()
}

// setBy32 is setsockopt(2) by a call of 32 bits, with ENOSYS where there are none.
func setBy32(fd, level, option int, value []byte) error {
	if !has32() {
		return unix.ENOSYS
	}
	const setsockopt = 366 // of i386
	return low(value, func(at uintptr) int32 {
		return int80(setsockopt, uintptr(fd), uintptr(level), uintptr(option), at, uintptr(len(value)))
	})
}

// low has a call read the value, and change it, where it has an address of 32 bits.
func low(value []byte, call func(at uintptr) int32) error {
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_32BIT)
	if err != nil {
		return err
	}
	defer unix.Munmap(page)
	copy(page, value)
	r := call(uintptr(unsafe.Pointer(&page[0])))
	copy(value, page)
	if r < 0 {
		return unix.Errno(-r)
	}
	return nil
}

// theRing32 is an io_uring that a call of 32 bits made: for what it sets the kernel runs no
// program of a cgroup, whoever submits it.
var theRing32 = sync.OnceValue(func() *ring {
	r, err := makeRing(func(p []byte) (fd int, err error) {
		err = low(p, func(at uintptr) int32 {
			fd = int(int80(unix.SYS_IO_URING_SETUP, 1, at, 0, 0, 0)) // the same number for i386
			return int32(fd)
		})
		return fd, err
	})
	if err != nil {
		fmt.Println("failed: io_uring of 32 bits:", err)
	}
	return r
})

// setByRing32 is setsockopt(2) by way of that ring.
func setByRing32(fd, level, option int, value []byte) error {
	if !has32() {
		return unix.ENOSYS
	}
	return theRing32().set(fd, level, option, value)
}
