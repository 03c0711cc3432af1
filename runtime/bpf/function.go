package bpf

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// kernelTypesFile has the types of the kernel's memory, and its functions (CONFIG_DEBUG_INFO_BTF).
const kernelTypesFile = "/sys/kernel/btf/vmlinux"

// functionID returns the number that a function of the kernel has among its types. It returns
// the errno alone: ENOENT if there is no such function, or a kernel without types.
func functionID(name string) (uint32, error) {
	fd, err := unix.Open(kernelTypesFile, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	// Some megabytes: where there is a limit, this is an error, and an allocation by Go the end.
	all, err := unix.Mmap(-1, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(all)
	for read := 0; read < len(all); {
		n, err := unix.Read(fd, all[read:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, unix.EINVAL
		}
		read += n
	}
	return findFunction(all, name)
}

// more is how many bytes follow a type of each kind, and for each of its members
// (Documentation/bpf/btf.rst).
var more = [...]struct{ fixed, each uint32 }{
	kindInt: {4, 0}, kindPointer: {}, 3: {12, 0}, kindStruct: {0, 12}, 5: {0, 12}, 6: {0, 8}, kindFunction: {},
	kindProto: {0, 8}, 14: {4, 0}, 15: {0, 12}, 16: {}, 17: {4, 0}, 18: {}, 19: {0, 12},
}

// findFunction is functionID in types that were read.
func findFunction(all []byte, name string) (uint32, error) {
	number := binary.NativeEndian.Uint32
	if len(all) < typesHeader {
		return 0, unix.EINVAL
	}
	part := func(at int) []byte {
		from := uint64(number(all[4:])) + uint64(number(all[at:]))
		to := from + uint64(number(all[at+4:]))
		if to > uint64(len(all)) {
			return nil
		}
		return all[from:to]
	}
	types, names := part(8), part(16)
	at := bytes.Index(names, []byte("\x00"+name+"\x00")) + 1
	if at == 0 {
		return 0, unix.ENOENT
	}
	for id := uint32(1); len(types) >= 12; id++ {
		info := number(types[4:])
		kind := info >> 24 & 0x1f
		if kind == kindFunction && number(types) == uint32(at) {
			return id, nil
		}
		if int(kind) >= len(more) {
			return 0, unix.EOPNOTSUPP // a kind that was not there in Linux 7.2
		}
		size := 12 + uint64(more[kind].fixed) + uint64(info&0xffff)*uint64(more[kind].each)
		if size > uint64(len(types)) {
			return 0, unix.EINVAL
		}
		types = types[size:]
	}
	return 0, unix.ENOENT
}
