package main

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"rdgen/status"
	"rdgen/test/need"
)

// TestListening: a socket that a process was given is of the namespace that it was made in,
// not of the process's.
func TestListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, away := range []bool{false, true} {
		cmd := exec.Command("sleep", "infinity")
		cmd.ExtraFiles = []*os.File{file}
		if away {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		}
		if err := cmd.Start(); err != nil {
			need.Missing(t, need.Root, err.Error())
		}
		got, err := listening{}.of(cmd.Process.Pid)
		cmd.Process.Kill()
		cmd.Wait()
		want := []status.Listener{{Protocol: "tcp", Address: l.Addr().String(), Outside: away}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("listens at %v, %v; want %v", got, err, want)
		}
	}
}
