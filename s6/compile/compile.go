// Package compile says what s6-rc-compile would say of source directories: no Debian release has
// s6-rc, and `rdgen check` has to know before a change of database fails. A test compares the two
// wherever s6-rc-compile is on PATH.
package compile

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"rdgen/s6"
)

// Problem is what s6-rc-compile would say of a source directory.
type Problem struct {
	// File is the path of the file or folder that it is about.
	File string
	// Exit is with which code s6-rc-compile would end: 1 for a wrong definition,
	// 111 for what is missing or cannot be read; 0 where it goes on.
	Exit int
	// Msg is its message, without "s6-rc-compile: fatal: " or "warning: ". Where it
	// would say nothing, and drop a file, the message is ours.
	Msg string
	// Silent: s6-rc-compile says nothing.
	Silent bool
	// Undefined: the message is about a name that no folder defines.
	Undefined bool
}

// Check reads all source directories of folders, which are absolute paths below
// fsys, and returns what s6-rc-compile 0.7 would say of them, in its order. It
// goes on after what ends s6-rc-compile, so the first problem with an exit code is the one
// that a user would see.
func Check(fsys fs.FS, folders ...string) []Problem {
	c := &checker{fsys: fsys, defs: map[string]*definition{}}
	for _, folder := range folders {
		c.folder(folder)
	}
	c.pipelineBundles()
	c.resolveBundles()
	for _, d := range append(c.longruns(), c.oneshots()...) {
		c.resolve(d)
	}
	if !c.fatal() {
		c.cycles()
	}
	for _, d := range c.longruns() {
		c.copied(d)
	}
	for _, name := range c.order {
		c.dropped(c.defs[name])
	}
	return c.problems
}

// definition is a service that is defined.
type definition struct {
	name, folder, kind string
	deps               []string
	members            []string // of a bundle
	producerFor        string
	consumerFor        []string
	pipelineName       string
}

func (d *definition) dir() string { return d.folder + "/" + d.name }

type checker struct {
	fsys     fs.FS
	problems []Problem
	defs     map[string]*definition
	order    []string // of definition
}

func (c *checker) fatal() bool {
	return slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Exit != 0 })
}

func (c *checker) add(p Problem) { c.problems = append(c.problems, p) }

func (c *checker) fail(file, format string, args ...any) {
	c.add(Problem{File: file, Exit: 1, Msg: fmt.Sprintf(format, args...)})
}

// system adds what a system call said, in the words of the C library.
func (c *checker) system(file, doing string, err error) {
	c.add(Problem{File: file, Exit: 111, Msg: "unable to " + doing + ": " + errno(err)})
}

func (c *checker) warn(file, format string, args ...any) {
	c.add(Problem{File: file, Msg: fmt.Sprintf(format, args...)})
}

func (c *checker) silent(file, format string, args ...any) {
	c.add(Problem{File: file, Msg: fmt.Sprintf(format, args...), Silent: true})
}

// errno spells an error as strerror(3) does.
func errno(err error) string {
	var number syscall.Errno
	text := ""
	switch {
	case errors.As(err, &number):
		text = number.Error()
	case errors.Is(err, fs.ErrNotExist):
		text = syscall.ENOENT.Error()
	case errors.Is(err, fs.ErrPermission):
		text = syscall.EACCES.Error()
	case errors.Is(err, errInvalid), errors.Is(err, fs.ErrInvalid):
		text = syscall.EINVAL.Error()
	default:
		text = err.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

var errInvalid = errors.New("invalid argument")

func (c *checker) stat(p string) (fs.FileInfo, error)   { return fs.Stat(c.fsys, s6.Below(p)) }
func (c *checker) list(p string) ([]fs.DirEntry, error) { return fs.ReadDir(c.fsys, s6.Below(p)) }
func (c *checker) exists(p string) bool                 { _, err := c.stat(p); return err == nil }
func (c *checker) isMissing(err error) bool             { return errors.Is(err, fs.ErrNotExist) }

// reserved reports whether a name is one of s6-rc's own.
func reserved(name string) bool {
	return strings.HasPrefix(name, "s6rc-") || strings.HasPrefix(name, "s6-rc-")
}
func (c *checker) read(p string) (data []byte, err error) {
	if info, err := c.stat(p); err == nil && info.IsDir() {
		return nil, syscall.EISDIR
	}
	return fs.ReadFile(c.fsys, s6.Below(p))
}

// identifier refuses the names that are s6-rc's own.
func (c *checker) identifier(where, file, name string) bool {
	if reserved(name) {
		c.fail(file, "in %s: identifier %s starts with reserved prefix", where, name)
		return false
	}
	return true
}
