// Command facts finds a process by its program, and prints what it was started with, one
// fact a line, in one go: a shell needs 35 processes for the same, and tests ask 600 times.
//
//	facts find PROGRAM        the pids of what runs the program
//	facts of PID FOLDER...    the facts of a process, and of the folders made for it
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
)

func main() {
	log.SetFlags(0)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "find":
		find(out, args[1])
	case len(args) > 1 && args[0] == "of":
		// On standard output, and in the words that the tests look for: what is equal
		// because it is missing on both sides is not the same.
		if err := of(out, args[1], args[2:]); err != nil {
			fmt.Fprintln(out, "failed: facts:", err)
		}
	default:
		log.Fatal("usage: facts find PROGRAM | facts of PID FOLDER...")
	}
}

// find prints the pid of each process that runs the program of that path. A program that
// has been deleted is not found: its link ends in " (deleted)".
func find(out io.Writer, program string) {
	all, _ := os.ReadDir("/proc")
	for _, p := range all {
		if to, err := os.Readlink("/proc/" + p.Name() + "/exe"); err == nil && to == program {
			fmt.Fprintln(out, p.Name())
		}
	}
}

// of prints the facts of a process.
func of(out io.Writer, word string, folders []string) error {
	pid, err := strconv.Atoi(word)
	if err != nil {
		return err
	}
	p := process{out: out, pid: pid, dir: "/proc/" + word}
	if err := p.executed(); err != nil {
		return err
	}
	for _, tell := range []func() error{p.argv, p.status, p.cwd, p.environ, p.limits, p.nice, p.io, p.policy, p.affinity, p.oom} {
		if err := tell(); err != nil {
			return err
		}
	}
	p.files()
	return made(out, folders)
}
