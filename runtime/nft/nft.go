// Package nft has nft(8) load a ruleset in the calling thread's network namespace, check
// one, and list what there is. It is the only program that rdomain runs: a ruleset is a
// file in nft's own language, and nothing else reads that.
package nft

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"rdgen/problem"
)

// ErrNotInstalled is the error where there is no nft.
var ErrNotInstalled = errors.New("nft is not installed")

// Program returns where nft is.
func Program() (string, error) {
	if p, err := exec.LookPath("nft"); err == nil && path.IsAbs(p) {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} { // an init system's PATH may be short
		if p := path.Join(dir, "nft"); unix.Access(p, unix.X_OK) == nil {
			return p, nil
		}
	}
	return "", ErrNotInstalled
}

// Load has a ruleset loaded, in one transaction: all of it or nothing. before are
// commands that come first in it. The error for what is wrong in the ruleset has its
// place; file is its name.
func Load(before, ruleset, file string) error {
	// In the ruleset's own first line, so that the lines of messages are those of the file.
	script, err := sealed(before + ruleset)
	if err != nil {
		return err
	}
	defer script.Close()
	_, err = run(script, file, "-f", "-")
	return err
}

// sealed returns a file with a text, from its start. From a pipe a program would read the
// beginning of it as the whole, if who writes it is killed.
func sealed(text string) (*os.File, error) {
	fd, err := unix.MemfdCreate("ruleset", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "ruleset")
	if _, err = f.WriteString(text); err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// List returns all tables, as nft prints them without what changes by itself: counters,
// and the elements of sets that have a timeout or are filled by packets.
func List() (string, error) {
	out, err := ListAll()
	return lasting(out), err
}

// ListAll is List with all elements: of a ruleset that was loaded just now, those that it has.
func ListAll() (string, error) { return run(nil, "", "-s", "list", "ruleset") }

// lasting leaves out the elements of sets that change by themselves.
func lasting(list string) string {
	var b strings.Builder
	changes, left := false, false
	for line := range strings.Lines(list) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "\tset "), strings.HasPrefix(line, "\tmap "):
			changes, left = false, false
		case strings.HasPrefix(text, "flags "):
			changes = changes || strings.Contains(text, "dynamic") || strings.Contains(text, "timeout")
		case strings.HasPrefix(text, "timeout "):
			changes = true
		case strings.HasPrefix(line, "\t}"):
			changes, left = false, false
		case strings.HasPrefix(text, "elements = "):
			left = changes // they are the last of a set
		}
		if of, _, ok := strings.Cut(line, "\t# count "); ok { // nft 1.1.7, of elements
			line = of + "\n"
		}
		if !left {
			b.WriteString(line)
		}
	}
	return b.String()
}

// run runs nft, which dies with this process.
func run(in *os.File, file string, args ...string) (string, error) {
	program, err := Program()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=" + path.Dir(program)}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if in != nil {
		cmd.Stdin = in
	}
	err = cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		return "", failure(said.String(), file, err)
	}
	return out.String(), err
}

// place is how a message of nft begins.
var place = regexp.MustCompile(`(?m)^([^\s:]+):(\d+):\d+(?:-\d+)?: Error: (.*)$`)

// failure is what nft said.
func failure(said, file string, err error) error {
	if m := place.FindStringSubmatch(said); m != nil {
		line, _ := strconv.Atoi(m[2])
		at := problem.Pos{File: m[1], Line: line}
		if m[1] == "/dev/stdin" || m[1] == "-" || m[1] == "<cmdline>" {
			at.File = file
		}
		return problem.New(at, "nft: %s", m[3])
	}
	text, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if strings.Contains(text, "Operation not permitted") {
		return fmt.Errorf("nft: %s%w", text, hidden{fs.ErrPermission})
	}
	if text == "" {
		text = err.Error()
	}
	return fmt.Errorf("nft: %s", text)
}

// hidden is a cause that has been said already.
type hidden struct{ error }

func (hidden) Error() string   { return "" }
func (h hidden) Unwrap() error { return h.error }
