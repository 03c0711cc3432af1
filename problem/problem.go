// Package problem is how every reader of files says what is wrong with one: in
// which file and line, what, and what to do about it. Such an error can be
// printed, matched for its cause, and be JSON.
package problem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// Pos is a place in a file.
type Pos struct {
	// File is the file's absolute path, below the root that is read:
	// "/etc/conf.d/ntpd". It is "" for what stands in no file.
	File string `json:"file,omitempty"`
	// Line counts from 1; 0 stands for the whole file.
	Line int `json:"line,omitempty"`
}

// String returns "/etc/conf.d/ntpd:3", or only the file for line 0.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Error is one thing that is wrong. In JSON it has the members file, line, what,
// hint and temporary; those that are empty are left out.
type Error struct {
	Pos
	// Msg is the fact, in lower case and without the place.
	Msg string `json:"what"`
	// Hint says what to do, in one line or several; it may be empty.
	Hint string `json:"hint,omitempty"`
	// Err is the cause, for errors.Is and errors.As; nil if nobody would ask. Msg
	// says all of it already.
	Err error `json:"-"`
	// Temporary reports that the same try can succeed later, although nobody
	// changes the file: a link may appear, another domain may come up.
	Temporary bool `json:"temporary,omitempty"`
}

// New returns the error that is at pos. A cause that the format has as %w is
// its Err.
func New(pos Pos, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Pos: pos, Msg: err.Error(), Err: errors.Unwrap(err)}
}

// Unreadable returns the error for a file that could not be opened or read. The
// file is named once, so of a path error only the kernel's sentence is used.
func Unreadable(file string, err error) *Error {
	return &Error{Pos: Pos{File: file}, Msg: "cannot be read: " + Cause(err).Error(), Err: err}
}

// WithHint sets what to do, and returns the error.
func (e *Error) WithHint(hint string) *Error {
	e.Hint = hint
	return e
}

// Error returns the place and the fact: "/etc/conf.d/sshd:7: vrf= names no
// interface". The hint is for the caller to print, on a line of its own.
func (e *Error) Error() string {
	if e.Pos == (Pos{}) {
		return e.Msg
	}
	return e.Pos.String() + ": " + e.Msg
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Cause returns the kernel's sentence of an error that names a path: "no such
// file or directory". Other errors are returned as they are.
func Cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}

// List returns the single errors that err joins (errors.Join), in order; nil for nil.
func List(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, List(e)...)
	}
	return list
}
