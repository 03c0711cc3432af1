package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Serve is the agent: it greets, then does what is asked for over port until
// that ends.
func Serve(port io.ReadWriter) error {
	var mu sync.Mutex
	out := json.NewEncoder(port)
	reply := func(r Reply) {
		mu.Lock()
		defer mu.Unlock()
		out.Encode(r)
	}
	reply(Reply{})
	in := bufio.NewReader(port)
	for {
		r, err := receive(in)
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		go func() { reply(do(r)) }()
	}
}

func do(r Request) Reply {
	reply := Reply{ID: r.ID}
	var err error
	switch {
	case r.Put != "":
		err = put(r)
	default:
		err = run(r, &reply)
	}
	if err != nil {
		reply.Error = err.Error()
	}
	return reply
}

// put replaces the file, also one that is being executed.
func put(r Request) error {
	if err := os.MkdirAll(filepath.Dir(r.Put), 0o755); err != nil {
		return err
	}
	temp := r.Put + ".new"
	if err := os.WriteFile(temp, r.Data, os.FileMode(r.Mode)); err != nil {
		return err
	}
	if err := os.Chmod(temp, os.FileMode(r.Mode)); err != nil {
		return err
	}
	return os.Rename(temp, r.Put)
}

func run(r Request, reply *Reply) error {
	ctx := context.Background()
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Timeout)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, r.Argv[0], r.Argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"}, r.Env...)
	cmd.Stdin = bytes.NewReader(r.Stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if r.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: r.UID, Gid: r.UID}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// A daemon that the program left behind keeps the pipes; it is not waited for.
	cmd.WaitDelay = 500 * time.Millisecond
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Writer(&stdout), io.Writer(&stderr)
	err := cmd.Run()
	reply.Stdout, reply.Stderr = stdout.Bytes(), stderr.Bytes()
	if ctx.Err() != nil {
		return fmt.Errorf("killed after %v", r.Timeout)
	}
	if cmd.ProcessState == nil {
		return err
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	reply.Code = status.ExitStatus()
	if status.Signaled() {
		reply.Code = 128 + int(status.Signal())
	}
	return nil
}
