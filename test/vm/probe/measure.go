package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// measure does f(n) twice and prints the time of the second, divided by n, in
// nanoseconds.
func measure(count string, f func(n int) error) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	if err := f(n); err != nil {
		return err
	}
	start := time.Now()
	if err := f(n); err != nil {
		return err
	}
	fmt.Println(time.Since(start).Nanoseconds() / int64(n))
	return nil
}

// requests asks n times, one byte and one line, over one connection.
func requests(address string, n int) error {
	c, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return err
	}
	defer c.Close()
	var b [2]byte
	for range n {
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, b[:]); err != nil {
			return err
		}
	}
	return nil
}

// times runs two commands in turns and prints the median of each.
func times(count string, args []string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	i := slices.Index(args, "vs")
	if i < 1 || i == len(args)-1 {
		return errors.New("times: expected two commands with vs between them")
	}
	var took [2][]time.Duration
	for range n + 1 {
		for k, argv := range [][]string{args[:i], args[i+1:]} {
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Stderr = os.Stderr
			start := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%v: %w", argv, err)
			}
			took[k] = append(took[k], time.Since(start))
		}
	}
	for k := range took {
		took[k] = took[k][1:] // the first is a warm-up
		slices.Sort(took[k])
	}
	fmt.Println(took[0][n/2].Nanoseconds(), took[1][n/2].Nanoseconds())
	return nil
}
