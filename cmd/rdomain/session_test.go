package main

import "testing"

// What cannot be done to a session is refused, with what can be.
func TestSessionRefuses(t *testing.T) {
	start(t)
	file(t, "private", "[Domain]\n")
	file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n")
	says(t, 100, "", "rdomain: fatal: private: a process that runs cannot be put into a namespace by another, so a session has to begin there\n"+
		"rdomain: hint: an sshd in the namespace, by a line in its conf.d, has its sessions there; docs/logins.md has more\n", "session", "private")
	says(t, 111, "", "rdomain: fatal: unable to enter vrf mgmt: no such device\n", "session", "mgmt")
	says(t, 100, "", "rdomain: fatal: no NAME given\nrdomain: hint: rdomain --help shows what is possible\n", "session")
	says(t, 100, "", "rdomain: fatal: session takes one NAME\nrdomain: hint: rdomain --help shows what is possible\n", "session", "a", "b")
}
