package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"rdgen/problem"
	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
)

func (c *command) ps(args []string) error {
	given, args, err := options(args, "--json")
	if err == nil && len(args) > 1 {
		err = wrong("ps takes one NAME or none")
	}
	if err != nil {
		return err
	}
	match, unknown := inAny, ""
	if len(args) == 1 {
		if match, unknown, err = inDomain(args[0]); err != nil {
			return err
		}
	}
	look, err := newLooker()
	if err != nil {
		return err
	}
	defer look.Close()
	list, unseen, err := look.Processes(match)
	if err != nil {
		return err
	}
	if len(list) == 0 && unknown != "" { // a domain that is gone may have left processes
		fmt.Fprintf(c.stderr, "rdomain: note: %s: nothing of that name is up, and %s\n", args[0], unknown)
	}
	if given["--json"] {
		return errors.Join(c.json(append([]identify.Location{}, list...)), hidden(unseen.Err()))
	}
	err = c.table("ID\tPID\tCOMMAND", len(list), func(i int) string {
		at := list[i]
		if at.Note != "" {
			at.Command += " (" + at.Note + ")"
		}
		if at.Unknown != "" {
			at.Command += " (perhaps in a vrf: " + at.Unknown + ")"
		}
		at.Command = escape(at.Command, "") // a line break would make a row of its own
		return fmt.Sprintf("%s\t%d\t%s", dash(at.ID), at.PID, at.Command)
	})
	return errors.Join(err, hidden(unseen.Err()))
}

// hidden adds to an error about what cannot be seen that root can see it, for who is not.
func hidden(err error) error {
	if err == nil || needRoot() == nil {
		return err
	}
	return &problem.Error{Msg: err.Error(), Hint: "root sees all", Err: err, Temporary: true}
}

// newLooker is identify.New, which is told of the domains that are down.
func newLooker() (*identify.Looker, error) {
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return nil, err
	}
	defer host.Close()
	list, err := host.Pasts()
	if err != nil {
		return nil, err
	}
	look, err := identify.New()
	if err == nil {
		look.Remember(past(list))
	}
	return look, err
}

// inAny is for the processes of all domains, and those of which something is odd.
func inAny(at identify.Location) identify.Match {
	switch {
	case at.Outlived != "":
		return identify.In
	case at.Unnamed:
		return identify.Out
	case at.ID != "" || at.Note != "":
		return identify.In
	case at.Unknown != "":
		return identify.Unsure
	}
	return identify.Out
}

// inDomain returns whether a process is in a domain; in a namespace are those
// in its VRFs too. Of a name that nobody knows, unknown says what may be wrong with it.
func inDomain(name string) (match func(identify.Location) identify.Match, unknown string, err error) {
	list, err := ids([]string{name})
	if err != nil {
		return nil, "", err
	}
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return nil, "", err
	}
	defer host.Close()
	d, err := host.Domain(list[0])
	if err != nil {
		return nil, "", err
	}
	return func(at identify.Location) identify.Match {
		switch {
		case at.Outlived != "" && at.Outlived == list[0].String():
			return identify.In
		case at.Unnamed || at.Netns != d.Netns.String():
			return identify.Out
		case d.VRF.IsZero() || at.VRF == d.VRF.String():
			return identify.In
		case at.Unknown != "":
			return identify.Unsure
		}
		return identify.Out
	}, host.Unknown(list[0]), nil
}

func (c *command) identify(args []string) error {
	given, args, err := options(args, "--json")
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{strconv.Itoa(os.Getpid())}
	}
	if len(args) > 1 {
		return wrong("identify takes one PID or none, for itself")
	}
	pid, err := strconv.Atoi(args[0])
	if err != nil || pid <= 0 {
		return wrong("%q is not a PID", args[0])
	}
	look, err := newLooker()
	if err != nil {
		return err
	}
	defer look.Close()
	at, err := look.Process(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no process %d", pid)
	}
	if err != nil {
		return hidden(fmt.Errorf("unable to look at process %d: %w", pid, err))
	}
	if at.Note != "" {
		fmt.Fprintf(c.stderr, "rdomain: note: process %d: %s\n", pid, at.Note)
	}
	var unknown error
	if at.Unknown != "" {
		unknown = hidden(fmt.Errorf("unable to say in which vrf process %d is, or whether it is in one: %s", pid, at.Unknown))
	}
	if given["--json"] {
		return errors.Join(c.json(at), unknown)
	}
	if unknown == nil && at.ID != "" {
		fmt.Fprintln(c.stdout, at.ID)
	}
	return unknown
}
