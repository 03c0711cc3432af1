package main

import (
	"fmt"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
)

// session is what pam_exec(8) calls when somebody logs in.
func (c *command) session(args []string) error {
	list, err := ids(args)
	if err == nil && len(list) > 1 {
		err = wrong("session takes one NAME")
	}
	if err == nil {
		err = needRoot()
	}
	if err != nil {
		return err
	}
	return inside(list[0], func(d domain.Domain) error {
		if d.VRF.IsZero() {
			return &problem.Error{
				Msg:  fmt.Sprintf("%s: a process that runs cannot be put into a namespace by another, so a session has to begin there", list[0]),
				Hint: "an sshd in the namespace, by a line in its conf.d, has its sessions there; docs/logins.md has more"}
		}
		return enter.EnterParent(d)
	})
}
