package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what keep makes.
type machine struct {
	root   string   // the file system of a release, which is not written to
	folder string   // of this machine: share, console.log, kmsg.log
	cgroup string   // its own, made and removed here
	init   []string // what is executed as pid 1
}

// keep boots the machine once for each line that it reads from standard input,
// and writes a line when the machine has ended. At the end of the input, which
// is also that of a test that was killed, nothing of it is left.
func keep(m machine) (err error) {
	// The parent of pid 1 whose death ends it is this thread.
	runtime.LockOSThread()
	if err := os.Mkdir(m.cgroup, 0o755); err != nil {
		return err
	}
	defer func() { err = firstOf(err, removeCgroup(m.cgroup)) }()
	if err := m.mount(); err != nil {
		return err
	}
	if err := m.drain("console"); err != nil {
		return err
	}
	if err := m.drain("kmsg"); err != nil {
		return err
	}
	lines := make(chan struct{})
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			lines <- struct{}{}
		}
	}()
	for range lines {
		ended, err := m.boot()
		if err != nil {
			return err
		}
		select {
		case <-lines: // the end of the input: a second boot is not asked for while one runs
			return os.WriteFile(filepath.Join(m.cgroup, "cgroup.kill"), []byte("1"), 0)
		case <-ended:
		}
		if _, err := fmt.Println("ended"); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// mount makes the file system of the machine, which lasts as long as keep: what
// is written to it is in memory. The process has a mount namespace of its own.
func (m machine) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	layers := filepath.Join(m.folder, "fs")
	if err := os.MkdirAll(layers, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("keeper", layers, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("%s: %w", layers, err)
	}
	for _, dir := range []string{"up", "work", "root"} {
		if err := os.Mkdir(filepath.Join(layers, dir), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/up,workdir=%[2]s/work", m.root, layers)
	if err := unix.Mount("overlay", filepath.Join(layers, "root"), "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay of %s: %w", m.root, err)
	}
	self := filepath.Join(m.folder, "share", "keeper")
	if err := os.WriteFile(self, nil, 0o755); err != nil {
		return err
	}
	return unix.Mount("/proc/self/exe", self, "", unix.MS_BIND, "")
}

// drain makes the device that is called name for the machine, and keeps what is
// written to it in the folder's name.log.
func (m machine) drain(name string) error {
	pipe := filepath.Join(m.folder, name)
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		return fmt.Errorf("%s: %w", pipe, err)
	}
	from, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	to, err := os.OpenFile(filepath.Join(m.folder, "share", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	go io.Copy(to, from)
	return nil
}

// boot starts pid 1 in namespaces of its own. The channel is closed when it has
// ended, and with it every process of the machine.
func (m machine) boot() (<-chan struct{}, error) {
	cgroup, err := os.Open(m.cgroup)
	if err != nil {
		return nil, err
	}
	defer cgroup.Close()
	console, err := os.OpenFile(filepath.Join(m.folder, "console"), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer console.Close()
	cmd := exec.Command("/proc/self/exe", append([]string{"enter", m.folder}, m.init...)...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		UseCgroupFD: true, CgroupFD: int(cgroup.Fd()),
		Setsid: true, Pdeathsig: syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	return ended, nil
}

// removeCgroup removes dir and those below, once nobody is in them any more.
func removeCgroup(dir string) error {
	var below []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			below = append(below, path)
		}
		return nil
	})
	for i := len(below) - 1; i >= 0; i-- {
		for {
			if err = os.Remove(below[i]); err == nil || !os.IsExist(err) && !isBusy(err) {
				break
			}
			time.Sleep(time.Millisecond) // until the killed are gone; cgroup.events tells of one cgroup only
		}
	}
	return err
}

func isBusy(err error) bool {
	e, ok := err.(*fs.PathError)
	return ok && e.Err == unix.EBUSY
}
