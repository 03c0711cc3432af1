// Hears is a daemon that says which signals it gets, in order, in the file that its
// first argument names, and ends by itself at the one that its second names, or never.
package main

import (
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("hears FILE SIGNAL|never")
	}
	file, err := os.OpenFile(os.Args[1], os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	say := func(word string) {
		if _, err := file.WriteString(word + "\n"); err != nil {
			log.Fatal(err)
		}
	}
	signals := make(chan os.Signal, 100)
	signal.Notify(signals)
	say("listens")
	for s := range signals {
		name := strings.TrimPrefix(unix.SignalName(s.(syscall.Signal)), "SIG")
		if name == "URG" || name == "CONT" { // Go's own; and systemd and s6 send it after each other one
			continue
		}
		say(name)
		if name == os.Args[2] {
			say("ends")
			return
		}
	}
}
