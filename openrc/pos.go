package openrc

import "strconv"

// Pos is a place in a file, for messages.
type Pos struct {
	// File is the absolute path below the root: "/etc/conf.d/ntpd".
	File string
	// Line counts from 1; 0 stands for the whole file.
	Line int
}

// String returns "/etc/conf.d/ntpd:3", or only the file for line 0.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Value is what a variable holds, and the line that assigned it.
type Value struct {
	Text string
	Pos  Pos
}

// Error is what a reader returns: a place, a fact, and what to do about it.
type Error struct {
	Pos Pos
	// Msg is the fact, in lower case and without the place.
	Msg string
	// Hint says what to do; it may be empty.
	Hint string
	// Err is the cause, if there is one that a caller may want to match.
	Err error
}

// Error returns the place and the fact: "/etc/conf.d/sshd:7: vrf=... needs a
// shell to read". The hint is left to the caller, who prints it on its own line.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }
