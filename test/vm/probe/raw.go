package main

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

func connectRaw(fd int, sa *unix.RawSockaddr) {
	unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(sa)), unsafe.Sizeof(*sa))
}

func nativeBytes(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func htons(v uint16) uint16 { return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, v)) }

// sockaddrBytes is a struct sockaddr_storage.
func sockaddrBytes(a netip.Addr) []byte {
	b := make([]byte, 128)
	if a.Is4() {
		binary.NativeEndian.PutUint16(b, unix.AF_INET)
		copy(b[4:], a.AsSlice())
		return b
	}
	binary.NativeEndian.PutUint16(b, unix.AF_INET6)
	copy(b[8:], a.AsSlice())
	return b
}
