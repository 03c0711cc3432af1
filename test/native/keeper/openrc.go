package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// openrc is init: it runs OpenRC's runlevels one after the other, then the agent,
// and reaps what is left to it. A SIGTERM is the order to reboot.
func openrc() error {
	orders := make(chan os.Signal, 1)
	signal.Notify(orders, syscall.SIGTERM)
	for _, level := range []string{"sysinit", "boot", "default"} {
		runlevel(level)
	}
	agent, err := start("/proc/self/exe", "serve")
	if err != nil {
		return err
	}
	go func() {
		<-orders
		unix.Kill(agent, unix.SIGKILL)
	}()
	for reap() != agent {
	}
	runlevel("reboot")
	return unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

// runlevel says on the console what went wrong; init goes on.
func runlevel(level string) {
	pid, err := start("/sbin/openrc", level)
	if err != nil {
		fmt.Println("openrc", level+":", err)
		return
	}
	for reap() != pid {
	}
}

func start(argv ...string) (pid int, err error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// reap waits for any process to end.
func reap() int {
	for {
		pid, err := unix.Wait4(-1, nil, 0, nil)
		if err != unix.EINTR {
			return pid
		}
	}
}
