package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
)

// made prints what the services of same.sh have others say and write, and the folders that
// are made for them, with what is in these.
func made(out io.Writer, folders []string) error {
	said, err := os.ReadFile("/run/g/said")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(said)) {
		fmt.Fprintf(out, "said: %s\n", strings.TrimSuffix(line, "\n"))
	}
	for _, name := range []string{"/var/log/g.log", "/var/log/g2.log"} {
		if err := owned(out, "file", name); err != nil {
			return err
		}
	}
	for _, folder := range folders {
		in, _ := filepath.Glob(folder + "/[^.]*") // as a shell lists it
		for _, name := range append([]string{folder}, in...) {
			if err := owned(out, "folder", name); err != nil {
				return err
			}
		}
	}
	return nil
}

// owned prints the mode and the owner of a file that is there, in the words of stat(1).
func owned(out io.Writer, what, name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	of := info.Sys().(*syscall.Stat_t)
	owner, group := "UNKNOWN", "UNKNOWN"
	if u, err := user.LookupId(fmt.Sprint(of.Uid)); err == nil {
		owner = u.Username
	}
	if g, err := user.LookupGroupId(fmt.Sprint(of.Gid)); err == nil {
		group = g.Name
	}
	fmt.Fprintf(out, "%s: %s %o %s:%s\n", what, name, of.Mode&0o7777, owner, group)
	return nil
}
