package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
)

// keeping are the programs of rdexec that keep sockets in their VRF.
var keeping = map[string]bpf.Hook{
	bpf.HomeName: bpf.SockCreate, bpf.OutName: bpf.Egress, bpf.InName: bpf.Ingress, bpf.JoinName: bpf.SetSockOpt,
}

// letGo takes those programs off the process's cgroup and off all above it, so that its
// sockets are bound and no more, and executes a program.
func letGo(argv []string) error {
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/unified/cgroup.controllers"); err == nil {
		root += "/unified"
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	_, own, _ := strings.Cut(string(text), "0::")
	own, _, _ = strings.Cut(own, "\n")
	for ; ; own = filepath.Dir(own) {
		dir, err := unix.Open(root+own, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		for name, hook := range keeping {
			progs, err := hook.Attached(dir)
			if err != nil {
				return err
			}
			for _, fd := range progs {
				info, err := bpf.Read(fd)
				if err == nil && info.Name == name {
					err = hook.Detach(dir, fd)
				}
				if err != nil {
					return err
				}
			}
			bpf.Close(progs)
		}
		unix.Close(dir)
		if own == "/" {
			break
		}
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	return unix.Exec(path, argv, os.Environ())
}
