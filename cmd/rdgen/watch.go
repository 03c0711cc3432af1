package main

import (
	"bytes"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rdgen/problem"
	"rdgen/templates"
)

// watching is what run does in the end where a terminal is to show the status again and
// again.
type watching struct{}

// Error is nothing that anybody reads.
func (watching) Error() string { return "" }

// The terminal's own words: go to its first corner, and clear what stands there.
const redraw = "\x1b[H\x1b[2J"

// do shows the status each second, until SIGINT or SIGTERM.
func (watching) do(stdout io.Writer) error {
	if !isTerminal(stdout) {
		return &problem.Error{Msg: "--watch is for a terminal", Hint: "without it the status is printed once"}
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	next := time.NewTicker(time.Second)
	defer next.Stop()
	for {
		report, err := lookAround()
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := report.Print(&text, templates.Comment); err != nil {
			return err
		}
		if _, err := io.WriteString(stdout, redraw+text.String()); err != nil {
			return err
		}
		select {
		case <-end:
			if report.Wrong() {
				return errSaid
			}
			return nil
		case <-next.C:
		}
	}
}
