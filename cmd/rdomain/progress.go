package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// progress is a line on a terminal that says how far the work on many domains
// is. Elsewhere, and for few of them, nothing is said.
type progress struct {
	out   io.Writer
	doing string
	total int
	shown bool

	mu           sync.Mutex
	ready, wrong int
}

// few is how many domains are not worth a line.
const few = 8

func newProgress(out io.Writer, doing string, total int) *progress {
	p := &progress{out: out, doing: doing, total: total}
	// A terminal that is called dumb would print what takes the line away.
	if f, ok := out.(*os.File); ok && total >= few && os.Getenv("TERM") != "dumb" {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		p.shown = err == nil
	}
	return p
}

// done counts one more domain.
func (p *progress) done(failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready++; failed {
		p.wrong++
	}
	p.show()
}

// note writes a line at once, and the line of how far it is again after it.
func (p *progress) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	fmt.Fprint(p.out, line)
	if p.ready > 0 {
		p.show()
	}
}

func (p *progress) show() {
	if !p.shown {
		return
	}
	line := fmt.Sprintf("%d of %d %s", p.ready, p.total, p.doing)
	if p.wrong > 0 {
		line += fmt.Sprintf(", %d failed", p.wrong)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

// end takes the line away, for what is left to say.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
