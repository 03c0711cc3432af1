package vm

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// initramfs returns a cpio archive ("newc", Documentation/driver-api/early-
// userspace/buffer-format.rst) with the agent as /init, the modules, and the
// console that the kernel gives to it.
func initramfs(agent []byte, modules []string) ([]byte, error) {
	var b bytes.Buffer
	ino := 0
	add := func(name string, mode uint32, dev [2]uint32, data []byte) {
		ino++
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
			ino, mode, 0, 0, 1, 0, len(data), 0, 0, dev[0], dev[1], len(name)+1, 0)
		b.WriteString(name + "\x00")
		pad(&b)
		b.Write(data)
		pad(&b)
	}
	const dir, file, char = 0o040755, 0o100755, 0o020600
	add("dev", dir, [2]uint32{}, nil)
	add("dev/console", char, [2]uint32{5, 1}, nil)
	add("modules", dir, [2]uint32{}, nil)
	add("init", file, [2]uint32{}, agent)
	for _, m := range modules {
		data, err := os.ReadFile(m)
		if err != nil {
			return nil, err
		}
		add("modules/"+filepath.Base(m), file, [2]uint32{}, data)
	}
	add("TRAILER!!!", 0, [2]uint32{}, nil)
	return b.Bytes(), nil
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
