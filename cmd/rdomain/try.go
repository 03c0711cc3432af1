package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/lifecycle"
)

// trySeconds takes --try SECONDS out of the arguments; 0 is for no trial.
func trySeconds(args []string) (seconds int, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		value, joined := strings.CutPrefix(args[i], "--try=")
		switch {
		case args[i] == "--":
			return seconds, append(rest, args[i:]...), nil
		case args[i] == "--try" && i+1 < len(args):
			i++
			value = args[i]
		case args[i] == "--try":
			return 0, nil, wrong("--try needs a number of seconds")
		case !joined:
			rest = append(rest, args[i])
			continue
		}
		if seconds, err = strconv.Atoi(value); err != nil || seconds < 1 || seconds > 24*60*60 {
			return 0, nil, wrong("--try %s: expected a number of seconds, at most a day", value)
		}
	}
	return seconds, rest, nil
}

// try does what a verb does, and takes it back in full if nobody confirms it in time: by
// rdomain confirm, or by Enter on this terminal. What ends a program with its terminal or
// its connection does not end this one: the change may be what cut them.
func (c *command) try(host *lifecycle.Host, list []domain.ID, seconds int, do func() error) error {
	// Ignored, a signal neither ends nor stops; a write to what is gone is an error.
	signal.Ignore(unix.SIGHUP, unix.SIGPIPE, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
	told := make(chan os.Signal, 1)
	signal.Notify(told, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT)
	trial, err := host.Try(list)
	if err != nil {
		return err
	}
	defer trial.Close()
	err = do()
	if e := trial.Done(); err == nil {
		err = e
	}
	if err == nil && c.code != 0 {
		err = errPart
	}
	failed := err != nil
	if !failed {
		untyped()
		fmt.Fprintf(c.stderr, "rdomain: note: it is taken back in %d s; to keep it, press Enter here or call rdomain confirm %s\n", seconds, spell(list))
		err = c.confirmed(trial, time.Duration(seconds)*time.Second, told)
	}
	// From here on nobody is told that it is kept if it is not.
	left, e := trial.End()
	if e != nil {
		c.fail(e)
	}
	if err == nil || len(left) == 0 && !failed {
		return nil
	}
	if e := trial.Back(left); e != nil {
		c.fail(e)
		return fmt.Errorf("not all could be taken back: %w", err)
	}
	switch {
	case err == errPart:
		return fmt.Errorf("%w, so all of them are taken back", err)
	case failed:
		return err
	}
	return fmt.Errorf("taken back: %w", err)
}

var errPart = errors.New("not all domains came up")

// untyped forgets what was typed before it is asked for: that is no consent. In the background
// it is for somebody else.
func untyped() {
	if front, err := unix.IoctlGetInt(0, unix.TIOCGPGRP); err == nil && front == unix.Getpgrp() {
		unix.IoctlSetInt(0, unix.TCFLSH, unix.TCIFLUSH)
	}
}

// confirmed waits for who confirms a trial. It returns why it is to be taken back.
func (c *command) confirmed(trial *lifecycle.Trial, limit time.Duration, told <-chan os.Signal) error {
	enter := make(chan struct{})
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		go func() {
			// The end of the terminal is no consent.
			if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err == nil {
				close(enter)
			}
		}()
	}
	end := time.After(limit)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-enter:
			return nil
		case <-look.C:
			if trial.Confirmed() {
				return nil
			}
		case <-end:
			return fmt.Errorf("nobody confirmed it within %v", limit)
		case s := <-told:
			return fmt.Errorf("%v", s)
		}
	}
}

// spell names domains for a command line.
func spell(list []domain.ID) string {
	var names []string
	for _, id := range list {
		names = append(names, id.String())
	}
	return strings.Join(names, " ")
}

// confirm keeps what is on trial.
func (c *command) confirm(args []string) error {
	given, args, err := options(args, "--all")
	if err == nil {
		err = needRoot()
	}
	if err != nil {
		return err
	}
	host, err := lifecycle.Open()
	if err != nil {
		return err
	}
	defer host.Close()
	list, err := which(given, args, host.Tried)
	if err != nil {
		return err
	}
	for _, id := range list {
		if err := host.Confirm(id); err != nil {
			c.fail(err)
		}
	}
	return nil
}
