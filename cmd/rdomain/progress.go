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

	mu           sync.Mutex
	ready, wrong int
}

// few is how many domains are not worth a line.
const few = 8

func newProgress(out io.Writer, doing string, total int) *progress {
	f, ok := out.(*os.File)
	if !ok || total < few {
		return nil
	}
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return nil
	}
	return &progress{out: out, doing: doing, total: total}
}

// done counts one more domain.
func (p *progress) done(failed bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready++; failed {
		p.wrong++
	}
	line := fmt.Sprintf("%d of %d %s", p.ready, p.total, p.doing)
	if p.wrong > 0 {
		line += fmt.Sprintf(", %d failed", p.wrong)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

// end takes the line away, for what is left to say.
func (p *progress) end() {
	if p != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
