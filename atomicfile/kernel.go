package atomicfile

import (
	"strings"
	"syscall"
)

// kernels are the file systems whose files the kernel makes up as they are read (statfs(2)):
// proc, sysfs, debugfs and tracefs.
var kernels = map[uint32]bool{0x9fa0: true, 0x62656572: true, 0x64626720: true, 0x74726163: true}

// OfKernel reports whether what was opened by a name is a file of the kernel's, to which a link
// leads: to read it may never end, or take from it what is another's to read (/proc/kmsg). It
// says that it is a regular file. A name in /proc or /sys itself means such a file.
func OfKernel(fd int, name string) bool {
	name = strings.TrimPrefix(name, "/")
	if strings.HasPrefix(name, "proc/") || strings.HasPrefix(name, "sys/") {
		return false
	}
	var st syscall.Statfs_t
	return syscall.Fstatfs(fd, &st) == nil && kernels[uint32(st.Type)]
}
