// Command keeper makes a test machine without a kernel of its own, and is the
// agent in it.
//
//	keeper keep ROOT FOLDER CGROUP INIT...   outside: makes and ends the machine
//	keeper enter FOLDER INIT...              its pid 1, until it executes INIT
//	keeper openrc                            a pid 1 that runs OpenRC
//	keeper serve                             the agent
package main

import (
	"fmt"
	"net"
	"os"

	"rdgen/test/guest/wire"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "keeper: fatal:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 4 && args[0] == "keep":
		return keep(machine{root: args[1], folder: args[2], cgroup: args[3], init: args[4:]})
	case len(args) > 2 && args[0] == "enter":
		return enter(args[1], args[2:])
	case len(args) == 1 && args[0] == "openrc":
		return openrc()
	case len(args) == 1 && args[0] == "serve":
		port, err := net.Dial("unix", share+"/agent.sock")
		if err != nil {
			return err
		}
		return wire.Serve(port)
	}
	return fmt.Errorf("usage: keeper keep|enter|openrc|serve")
}
