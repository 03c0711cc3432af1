package main

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is an io_uring for one request at a time.
type ring struct {
	fd               int
	submits, results []byte
	entry            []byte // the only one of the submissions
	submitTail       *uint32
	resultHead       *uint32
	resultAt         uint32
}

// Parts of struct io_uring_params and struct io_uring_sqe (include/uapi/linux/io_uring.h).
const (
	ringParams     = 120
	ringSubmitTail = 40 + 4
	ringArray      = 40 + 24
	ringResultHead = 80
	ringResults    = 80 + 20
	ringEntry      = 64

	ringSocket  = 45 // Linux 5.19
	ringCommand = 46
	ringAsync   = 1 << 4 // by a thread of the kernel, not by the caller
	ringSetOpt  = 3      // Linux 6.7
)

// theRing is made when it is first used.
var theRing = sync.OnceValue(func() *ring {
	r, err := makeRing(func(p []byte) (int, error) {
		fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&p[0])), 0)
		if errno != 0 {
			return -1, errno
		}
		return int(fd), nil
	})
	if err != nil {
		fmt.Println("failed: io_uring:", err)
	}
	return r
})

func makeRing(setup func(params []byte) (int, error)) (*ring, error) {
	p := make([]byte, ringParams)
	fd, err := setup(p)
	if err != nil {
		return nil, err
	}
	r := &ring{fd: fd}
	for _, m := range []struct {
		offset int64
		to     *[]byte
	}{{0, &r.submits}, {0x8000000, &r.results}, {0x10000000, &r.entry}} {
		var err error
		if *m.to, err = unix.Mmap(r.fd, m.offset, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
			return nil, err
		}
	}
	at := func(b []byte, field int) *uint32 {
		return (*uint32)(unsafe.Pointer(&b[binary.NativeEndian.Uint32(p[field:])]))
	}
	r.submitTail, r.resultHead = at(r.submits, ringSubmitTail), at(r.results, ringResultHead)
	r.resultAt = binary.NativeEndian.Uint32(p[ringResults:])
	*at(r.submits, ringArray) = 0
	return r, nil
}

// do submits what fill writes, and returns its result: a number or a negative errno.
func (r *ring) do(fill func(entry []byte)) int {
	if r == nil {
		return -int(unix.ENOSYS)
	}
	clear(r.entry[:ringEntry])
	fill(r.entry)
	atomic.AddUint32(r.submitTail, 1)
	const waits = 1 // IORING_ENTER_GETEVENTS
	for {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 1, 1, waits, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			fmt.Println("failed: io_uring:", errno)
			return -int(errno)
		}
		break
	}
	// A ring of one entry has two results (struct io_uring_cqe, 16 bytes each).
	result := r.results[r.resultAt+16*(atomic.LoadUint32(r.resultHead)&1):]
	n := int(int32(binary.NativeEndian.Uint32(result[8:])))
	atomic.AddUint32(r.resultHead, 1)
	return n
}

// openByRing is open by a thread of the kernel.
func openByRing(family, kind, proto int) int {
	return max(-1, theRing().do(func(e []byte) {
		e[0], e[1] = ringSocket, ringAsync
		binary.NativeEndian.PutUint32(e[4:], uint32(family))
		binary.NativeEndian.PutUint64(e[8:], uint64(kind))
		binary.NativeEndian.PutUint32(e[24:], uint32(proto))
	}))
}

// setByRing is setsockopt(2) by way of the ring.
func setByRing(fd, level, option int, value []byte) error {
	return theRing().set(fd, level, option, value)
}

func (r *ring) set(fd, level, option int, value []byte) error {
	n := r.do(func(e []byte) {
		e[0] = ringCommand
		binary.NativeEndian.PutUint32(e[4:], uint32(fd))
		binary.NativeEndian.PutUint32(e[8:], ringSetOpt)
		binary.NativeEndian.PutUint32(e[16:], uint32(level))
		binary.NativeEndian.PutUint32(e[20:], uint32(option))
		binary.NativeEndian.PutUint32(e[44:], uint32(len(value)))
		binary.NativeEndian.PutUint64(e[48:], uint64(uintptr(unsafe.Pointer(&value[0]))))
	})
	if n < 0 {
		return unix.Errno(-n)
	}
	return nil
}
