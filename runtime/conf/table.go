package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
)

// Tables that a VRF must not use: default, main and local. The kernel would let it.
const firstReserved, lastReserved = 253, 255

// reserved are the names that the kernel's own tables have everywhere.
var reserved = map[string]uint32{"default": firstReserved, "main": 254, "local": lastReserved}

// vrfTable reads Table= of [Domain].
func (p *parser) vrfTable(k key) (uint32, error) {
	if p.file.Kind == Netns {
		return 0, p.fail(k.line, "Table= is for Kind=vrf")
	}
	n, err := p.table(k)
	if n >= firstReserved && n <= lastReserved && err == nil {
		err = p.fail(k.line, "Table=%s is the kernel's own (253 default, 254 main, 255 local); expected another number", k.value)
	}
	return n, err
}

// anyTable reads the number or the name of a table, except the kernel's own.
func (p *parser) anyTable(k key) (uint32, error) {
	n, err := p.table(k)
	if n == lastReserved && err == nil {
		err = p.fail(k.line, "Table=%s is the kernel's own (local); expected another number", k.value)
	}
	return n, err
}

func (p *parser) table(k key) (uint32, error) {
	if n, ok := reserved[k.value]; ok {
		return n, nil
	}
	if c := k.value[0]; c >= '0' && c <= '9' || c == '-' {
		return number[uint32](1, 1<<32-1)(p, k)
	}
	n, err := tableNamed(p.fsys, k.value)
	if err != nil {
		return 0, p.fail(k.line, "Table=%s: %w%s", clip(k.value), err, commentHint(k.value))
	}
	return n, nil
}

// tableNamed returns the number of a table that has a name in the files of ip(8), in fsys,
// which is rooted at the machine's root.
func tableNamed(fsys fs.FS, name string) (uint32, error) {
	const main = "rt_tables"
	found, at := uint64(0), ""
	for i, dir := range []string{"/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"} {
		files := []string{path.Join(dir, main)}
		if i > 0 && exists(fsys, "/etc/iproute2/rt_tables") {
			files = nil // it stands for that of the distribution
		}
		more, err := tableFiles(fsys, path.Join(dir, main+".d"))
		if err != nil {
			return 0, err
		}
		for _, file := range slices.Concat(files, more) {
			text, err := readTables(fsys, file)
			if err != nil {
				return 0, err
			}
			line := 0
			for l := range strings.Lines(text) {
				line++
				l, _, _ = strings.Cut(l, "#")
				words := strings.Fields(l)
				if len(words) < 2 || words[1] != name {
					continue
				}
				here := fmt.Sprintf("%s:%d", file, line)
				n, err := strconv.ParseUint(words[0], 0, 32)
				if err != nil || n == 0 {
					return 0, fmt.Errorf("%s has no number of a table", here)
				}
				if found != 0 && n != found {
					return 0, fmt.Errorf("it is %d in %s, and %d in %s", found, at, n, here)
				}
				if found == 0 {
					noteLine(fsys, file, strings.Join(words[:2], " "))
				}
				found, at = n, here
			}
		}
	}
	if found == 0 {
		return 0, errors.New("no table has that name in /etc/iproute2/rt_tables or rt_tables.d/*.conf; expected a number from 1 to 4294967295, or such a name")
	}
	return uint32(found), nil
}

func exists(fsys fs.FS, file string) bool {
	_, err := fs.Stat(fsys, file[1:])
	return err == nil
}

// tableFiles returns the files of a folder that ip(8) reads, none if it is not there.
func tableFiles(fsys fs.FS, dir string) (files []string, err error) {
	entries, err := fs.ReadDir(fsys, dir[1:])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Unreadable(dir, err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".conf") && !strings.HasPrefix(name, ".") {
			files = append(files, path.Join(dir, name))
		}
	}
	return files, nil
}

func readTables(fsys fs.FS, file string) (string, error) {
	text, err := fs.ReadFile(fsys, file[1:])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", problem.Unreadable(file, err)
	}
	return string(text), nil
}
