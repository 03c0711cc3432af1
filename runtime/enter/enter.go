// Package enter puts the calling process into a routing domain and executes a
// program there: all that rdexec(8) does. Nothing is forked and nothing is
// left open, so the program has the pid, the descriptors, the working
// directory and the environment that the caller was given.
//
// Every step either works or ends in an error, and after an error nothing is
// executed: a service that names a domain runs in it or not at all.
//
// The package is linked into a program that runs as root at every start of a
// service, so it imports neither os, fmt nor net.
package enter

import (
	"runtime"

	"rdgen/runtime/domain"
)

// Error is what Exec, Check, Hold and RemoveEtc return: an exit code and the sentence
// for the person who has to act on it.
type Error struct {
	// Code is one of the exit codes of package domain.
	Code int
	// Text is the whole message, without the name of a program: "unable to
	// enter netns blue (/run/netns/blue): no such file or directory".
	Text string
	// Err is the cause, mostly a syscall.Errno; nil where the text is all.
	Err error
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Exec enters c.Domain, becomes c.User and replaces the calling process by
// c.Prog with the environment environ ("NAME=value"). It does not return when
// it succeeds; otherwise it returns an *Error.
//
// The order is fixed. The user is looked up first, because the files of the
// host say who that is. Then come the namespace, its private /etc, the resolver
// files of the VRF, the VRF (which is a link of that namespace), the user, and
// the program.
//
// Namespaces and credentials belong to a thread. Exec locks the calling
// goroutine to its thread and never unlocks it; execve(2) keeps this thread and
// ends all others. After an error the thread is in no defined state, and the
// process must exit with Error.Code.
func Exec(c domain.Command, environ []string) error {
	if c.User == "" {
		return execAs(c, nil, environ)
	}
	who, err := lookUser(c.User)
	if err != nil {
		return err
	}
	return execAs(c, &who, environ)
}

// ExecAs is Exec for an identity that is known by other means than the files of the host;
// c.User is empty.
func ExecAs(c domain.Command, who Identity, environ []string) error {
	return execAs(c, &who, environ)
}

// execAs is Exec. With nil the identity is kept.
func execAs(c domain.Command, who *Identity, environ []string) error {
	runtime.LockOSThread()
	if !c.Netns.IsZero() {
		if err := enterNetns(c.Netns); err != nil {
			return err
		}
		if err := enterEtc(c.Netns); err != nil {
			return err
		}
	}
	switch {
	case !c.VRF.IsZero():
		if err := enterResolver(c); err != nil {
			return err
		}
		if err := enterVRF(c); err != nil {
			return err
		}
	case !c.Netns.IsZero():
		if err := leaveVRF(c.Netns); err != nil {
			return err
		}
	}
	if who != nil {
		if err := who.become(); err != nil {
			return err
		}
	}
	return run(c.Prog, environ)
}

// unable is the error of a system call: trying again may help.
func unable(to string, err error) *Error {
	return &Error{domain.ExitTemporary, "unable to " + to + ": " + err.Error(), err}
}

// wrong is the error of something that is there, but is not what it should be.
func wrong(to, fact string) *Error {
	return &Error{domain.ExitTemporary, "unable to " + to + ": " + fact, nil}
}
