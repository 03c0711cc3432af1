package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

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
	if _, _, is := size(stdout); !is {
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
		rows, columns, _ := size(stdout) // it may be another one by now
		if _, err := io.WriteString(stdout, redraw+fitting(text.String(), rows, columns)); err != nil {
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

// size is that of a terminal, in letters; 0 is one that does not say it.
func size(w io.Writer) (rows, columns int, is bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0, false
	}
	now, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	return int(now.Row), int(now.Col), true
}

// fitting is what a terminal can show of a text, and how much it cannot: what is drawn below
// its last row moves the first ones out, each second.
func fitting(text string, rows, columns int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	high := func(line string) int {
		return max(1, (utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))+columns-1)/max(columns, 1))
	}
	all, n := 0, 0
	for _, l := range lines {
		if all += high(l); all < rows-1 {
			n++
		}
	}
	if rows == 0 || columns == 0 || all < rows {
		return text
	}
	wrong := 0
	for _, l := range lines[n:] {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "!!") || strings.HasPrefix(l, "??") {
			wrong++
		}
	}
	return strings.Join(lines[:n], "") + fmt.Sprintf("... %d lines more, %d with !! or ??\n", len(lines)-n, wrong)
}
