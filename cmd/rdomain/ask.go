package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"rdgen/installed"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

// toRoot are the programs by which a user becomes root where a rule says so, each with the
// options that it needs in front of what it runs. The first that is installed is asked.
var toRoot = [][]string{{"sudo", "--"}, {"doas", "--"}, {"pkexec"}}

// places are where they are: NixOS has those that are set-uid in the first.
var places = []string{"/run/wrappers/bin/", "/usr/local/bin/", "/usr/bin/", "/bin/"}

// ask has root run a program in a domain, as the user who has called, and waits for it: this
// process is what the other side knows the user, and what he has, by. No program of ours is
// set-uid.
func (c *command) ask(id domain.ID, prog []string) error {
	path, options := helper()
	if path == "" {
		return &problem.Error{
			Msg:  "only root enters a domain, and none of sudo, doas and pkexec is installed",
			Hint: "rdomain(8) says how users may"}
	}
	words := append(options, installed.RdomainExec(), strconv.Itoa(os.Getpid()), id.String(), "--")
	signals := make(chan os.Signal, 8)
	// What is typed on a terminal goes to the program too, and only it decides.
	signal.Reset(unix.SIGQUIT) // package quit's: it would be SIGTERM
	signal.Notify(signals, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP)
	child, err := os.StartProcess(path, append(words, prog...), &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return fmt.Errorf("unable to run %s: %w", path, err)
	}
	go func() {
		for s := range signals {
			if (s == unix.SIGTERM || s == unix.SIGHUP) && errors.Is(child.Signal(s), os.ErrPermission) {
				signal.Reset(s) // it is root's, and this process is the user's
				_ = syscall.Kill(os.Getpid(), s.(syscall.Signal))
			}
		}
	}()
	state, err := child.Wait()
	if err != nil {
		return fmt.Errorf("wait for %s: %w", path, err)
	}
	c.code = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		c.code = 128 + int(status.Signal())
	}
	return nil
}

// helper returns the first of toRoot that is installed and belongs to root, with a set-uid bit.
func helper() (path string, words []string) {
	for _, words := range toRoot {
		for _, dir := range places {
			var st unix.Stat_t
			if unix.Stat(dir+words[0], &st) == nil && st.Uid == 0 && st.Mode&unix.S_ISUID != 0 {
				return dir + words[0], append([]string(nil), words...)
			}
		}
	}
	return "", nil
}
