package systemd

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Oldest is the first version of systemd that can keep a service in its domain:
// the first with BPFProgram= (systemd.resource-control(5)).
const Oldest = 249

// Version finds out which systemd is installed below the root, without running
// anything: its programs share a library that has the version in its name,
// libsystemd-shared-257.so or libsystemd-shared-252.38-1~deb12u1.so. It returns 0
// if there is none.
func Version(fsys fs.FS) int {
	newest := 0
	for _, pattern := range []string{
		"usr/lib/*/systemd/libsystemd-shared-*.so", // Debian
		"usr/lib/systemd/libsystemd-shared-*.so",
		"lib/systemd/libsystemd-shared-*.so",
		"usr/lib64/systemd/libsystemd-shared-*.so",
	} {
		names, _ := fs.Glob(fsys, pattern)
		for _, name := range names {
			text := strings.TrimPrefix(path.Base(name), "libsystemd-shared-")
			end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
			if v, err := strconv.Atoi(text[:end]); err == nil {
				newest = max(newest, v)
			}
		}
	}
	return newest
}
