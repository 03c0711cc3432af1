// Package wire is what a guest's agent and the tests say to each other, JSON
// values in both directions over one connection, and how the agent answers.
package wire

import "time"

// Port is the name of a test machine's virtio-console port, /sys/class/virtio-ports/*/name.
const Port = "rdgen.agent"

// Request asks the agent for one thing. Several may be under way; the replies
// carry the ID.
type Request struct {
	ID int

	// Argv is a program to run and its arguments; nil if a file is meant.
	Argv    []string      `json:",omitempty"`
	Env     []string      `json:",omitempty"` // added to PATH and HOME
	UID     uint32        `json:",omitempty"` // 0 is root
	Stdin   []byte        `json:",omitempty"`
	Timeout time.Duration `json:",omitempty"` // the program is killed, with its process group

	// Put is a file to write, with Mode and Data.
	Put  string `json:",omitempty"`
	Mode uint32 `json:",omitempty"`
	Data []byte `json:",omitempty"`
}

// Reply answers the Request of the same ID. ID 0 is the agent's greeting.
type Reply struct {
	ID     int
	Stdout []byte `json:",omitempty"`
	Stderr []byte `json:",omitempty"`
	// Code is the exit code, or 128 plus the signal that ended the program.
	Code int `json:",omitempty"`
	// Error is what kept the agent from doing it at all.
	Error string `json:",omitempty"`
}
