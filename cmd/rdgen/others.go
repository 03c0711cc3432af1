package main

import (
	"os"
	"strconv"
	"time"

	"rdgen/runtime/process"
)

// othersEnded waits until the other generators of this run of systemd have ended: then what
// they made is whole, and can be read. It reports whether that is known. The caller is
// rdgen as the child of its shell (systemd/rdgen-generator), which is the one that systemd
// started: the environment has its process id. systemd ends all of them at 90 seconds.
//
// systemd forks them all from one process, which sleeps only once it has, and waits for them
// (execute_directories, src/shared/exec-util.c).
func othersEnded(getenv func(string) string) bool {
	shell := os.Getppid()
	self, err := process.Stat(shell)
	if err != nil || getenv("SYSTEMD_EXEC_PID") != strconv.Itoa(shell) {
		return false // somebody runs it by hand
	}
	for {
		executor, err := process.Stat(self.Parent)
		if err != nil {
			return false
		}
		running, err := childrenOf(self.Parent, shell)
		switch {
		case err != nil:
			return false
		case len(running) > 0:
			for isRunning(running[0], self.Parent) {
				time.Sleep(time.Millisecond)
			}
		case executor.State == 'S':
			return true
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

// childrenOf returns the processes of a parent that have not ended, except one of them.
func childrenOf(parent, but int) (list []int, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		pid, notPid := strconv.Atoi(name)
		if notPid != nil || pid == but {
			continue
		}
		if isRunning(pid, parent) {
			list = append(list, pid)
		}
	}
	return list, err
}

// isRunning reports whether a process is a child of parent that has not ended.
func isRunning(pid, parent int) bool {
	p, err := process.Stat(pid)
	return err == nil && p.Parent == parent && !p.Ended()
}
