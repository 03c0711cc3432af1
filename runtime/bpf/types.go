package bpf

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// field is a field of a struct of the kernel, which lies elsewhere in each kernel. A
// program says which one it means in types of its own, that have no more than these
// fields; the kernel that loads it puts in where the field really is, or refuses
// (Linux 5.17, CONFIG_DEBUG_INFO_BTF).
type field int

// The fields that programs here read.
const (
	noField field = iota
	skbLink
	optSocket   // where a program for setsockopt(2) has the socket
	socketNetns // its namespace
	netnsLinks  // the namespace's lists of links, by ifindex
	linkInList  // where such a list goes through a link
	linkIndex   // the link's ifindex
	linkUppers  // the list of what is above the link; a master is the first
	upperInList // where that list goes through one that is above
	upperLink   // the link that is above

	taskStatus // of a process: what kind of call it is in
	regsCall   // of its registers: the number of the call
	socketSock // of struct socket
	socketFile
	sockMark
	filePrivate // where the file of a socket has it
	commandOp   // of a command to an io_uring
	commandFile
)

// fields say by which path a field is found, from a type of kernelTypes: 0 for the
// thing itself, and then the number of each member.
var fields = [...]struct {
	kind uint32
	path string
}{
	skbLink:     {typeSkb, "0:0"},
	optSocket:   {typeOpt, "0:0"},
	socketNetns: {typeSock, "0:0:0:0"},
	netnsLinks:  {typeNetns, "0:0"},
	linkInList:  {typeLink, "0:0"},
	linkIndex:   {typeLink, "0:1"},
	linkUppers:  {typeLink, "0:2:0"},
	upperInList: {typeUpper, "0:0"},
	upperLink:   {typeUpper, "0:1"},

	taskStatus:  {typeTask, "0:0:0"},
	regsCall:    {typeRegs, "0:0"},
	socketSock:  {typeSocket, "0:0"},
	socketFile:  {typeSocket, "0:1"},
	sockMark:    {typeSock, "0:1"},
	filePrivate: {typeFile, "0:0"},
	commandFile: {typeCommand, "0:0"},
	commandOp:   {typeCommand, "0:1"},
}

// Kinds of types (Documentation/bpf/btf.rst).
const (
	kindInt      = 1
	kindPointer  = 2
	kindStruct   = 4
	kindFunction = 12
	kindProto    = 13
)

// The types, by their place in kernelTypes.
const (
	typeInt = iota + 1
	typeHome
	typePointer
	typeAny
	typeSkb
	typeOpt
	typeSock
	typeCommon
	typeNetnsOf
	typeNetns
	typeLink
	typeLists
	typeUpper
	typeProto
	typeProgram
	typeThread
	typeTask
	typeRegs
	typeSocket
	typeFile
	typeCommand
)

type kernelType struct {
	name    string
	kind    uint32
	size    uint32 // or the type that it is of
	members []kernelMember
}

type kernelMember struct {
	name string
	kind uint32
}

// kernelTypes are the types that maps and programs need. Of a struct only the names
// of the members count: each is written as 64 bytes, with all of its members at 0.
var kernelTypes = [...]kernelType{
	typeInt - 1:     {"number", kindInt, 4, nil},
	typeHome - 1:    {"number", kindInt, homeSize, nil},
	typePointer - 1: {"", kindPointer, 0, nil},
	typeAny - 1:     {"list_head", kindStruct, 64, nil},
	typeSkb - 1:     {"sk_buff", kindStruct, 64, []kernelMember{{"dev", typePointer}}},
	typeOpt - 1:     {"bpf_sockopt_kern", kindStruct, 64, []kernelMember{{"sk", typePointer}}},
	typeSock - 1:    {"sock", kindStruct, 64, []kernelMember{{"__sk_common", typeCommon}, {"sk_mark", typeInt}}},
	typeCommon - 1:  {"sock_common", kindStruct, 64, []kernelMember{{"skc_net", typeNetnsOf}}},
	typeNetnsOf - 1: {"", kindStruct, 64, []kernelMember{{"net", typePointer}}},
	typeNetns - 1:   {"net", kindStruct, 64, []kernelMember{{"dev_index_head", typePointer}}},
	typeLink - 1: {"net_device", kindStruct, 64,
		[]kernelMember{{"index_hlist", typeAny}, {"ifindex", typeInt}, {"adj_list", typeLists}}},
	typeLists - 1:   {"", kindStruct, 64, []kernelMember{{"upper", typeAny}}},
	typeUpper - 1:   {"netdev_adjacent", kindStruct, 64, []kernelMember{{"list", typeAny}, {"dev", typePointer}}},
	typeProto - 1:   {"", kindProto, typeInt, nil},
	typeProgram - 1: {"program", kindFunction, typeProto, nil},

	typeThread - 1:  {"thread_info", kindStruct, 64, []kernelMember{{"status", typeInt}}},
	typeTask - 1:    {"task_struct", kindStruct, 64, []kernelMember{{"thread_info", typeThread}}},
	typeRegs - 1:    {"pt_regs", kindStruct, 64, []kernelMember{{"orig_ax", typeInt}}},
	typeSocket - 1:  {"socket", kindStruct, 64, []kernelMember{{"sk", typePointer}, {"file", typePointer}}},
	typeFile - 1:    {"file", kindStruct, 64, []kernelMember{{"private_data", typePointer}}},
	typeCommand - 1: {"io_uring_cmd", kindStruct, 64, []kernelMember{{"file", typePointer}, {"cmd_op", typeInt}}},
}

// typeText is kernelTypes as the kernel reads them.
type typeText struct {
	types, names []byte
	paths        [len(fields)]uint32 // where the path of each field is in names
}

func (t *typeText) put(numbers ...uint32) {
	for _, n := range numbers {
		t.types = binary.NativeEndian.AppendUint32(t.types, n)
	}
}

func (t *typeText) name(s string) uint32 {
	if s == "" {
		return 0
	}
	at := len(t.names)
	t.names = append(append(t.names, s...), 0)
	return uint32(at)
}

func writeTypes() (t typeText) {
	t.names = []byte{0}
	for _, k := range kernelTypes {
		t.put(t.name(k.name), k.kind<<24|uint32(len(k.members)), k.size)
		if k.kind == kindInt {
			t.put(8 * k.size)
		}
		for _, m := range k.members {
			t.put(t.name(m.name), m.kind, 0)
		}
	}
	for f := range fields {
		t.paths[f] = t.name(fields[f].path)
	}
	return t
}

// maxTypes is more than what load writes.
const maxTypes = 2048

// typesHeader is the size of what is before the types.
const typesHeader = 24

// header is what is before the types.
func (t *typeText) header() []byte {
	h := typeText{}
	h.put(0x1eb9f, typesHeader, 0, uint32(len(t.types)), uint32(len(t.types)), uint32(len(t.names)))
	return h.types
}

// load gives the types to the kernel and returns the errno alone.
func (t *typeText) load() (int, error) {
	all := heap([maxTypes]byte{})
	size := 0
	for _, part := range [][]byte{t.header(), t.types, t.names} {
		size += copy(all[size:], part)
	}
	attr := struct {
		types, log              uint64
		size, logSize, logLevel uint32
	}{types: address(unsafe.Pointer(all)), size: uint32(size)}
	fd, err := bpf(unix.BPF_BTF_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(all)
	return fd, err
}

// relocation is an instruction of a program whose number is the offset of a field.
type relocation struct {
	insn  int
	field field
}

// maxFields is more than any program here has.
const maxFields = 32

// notes are what the kernel reads of a program that has fields: which one is where,
// struct bpf_core_relo, and the function that the program is, struct bpf_func_info.
type notes struct {
	fields   [maxFields]struct{ offset, kind, path, what uint32 }
	function struct{ offset, kind uint32 }
}

// note adds the notes on a program's fields. The caller closes l.btf and keeps what
// is returned alive.
func (l *loading) note(places []relocation) (*notes, error) {
	text := writeTypes()
	fd, err := text.load()
	if err != nil {
		return nil, err
	}
	n := heap(notes{})
	n.function.kind = typeProgram
	for i, p := range places {
		n.fields[i].offset = uint32(p.insn) * insnSize
		n.fields[i].kind = fields[p.field].kind
		n.fields[i].path = text.paths[p.field]
	}
	l.btf = uint32(fd)
	l.functions, l.functionSize, l.functionCount = address(unsafe.Pointer(&n.function)), uint32(unsafe.Sizeof(n.function)), 1
	l.fields, l.fieldSize, l.fieldCount = address(unsafe.Pointer(&n.fields)), uint32(unsafe.Sizeof(n.fields[0])), uint32(len(places))
	return n, nil
}
