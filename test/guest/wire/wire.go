// Package wire is what a guest's agent and the tests say to each other, lines of JSON
// in both directions over one connection, and how the agent answers.
package wire

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

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
	Stdin   []byte        `json:"-"`
	Timeout time.Duration `json:",omitempty"` // the program is killed, with its process group

	// Put is a file to write, with Mode and Data.
	Put  string `json:",omitempty"`
	Mode uint32 `json:",omitempty"`
	Data []byte `json:"-"`

	// Sizes are those of Stdin and of Data, whose bytes follow the line: an emulated guest
	// takes seconds to read megabytes of JSON.
	Sizes [2]int
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

// Send writes r to the agent.
func (r Request) Send(w io.Writer) error {
	r.Sizes = [2]int{len(r.Stdin), len(r.Data)}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{append(line, '\n'), r.Stdin, r.Data} {
		if len(part) == 0 {
			continue
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// receive reads a request.
func receive(in *bufio.Reader) (r Request, err error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	r.Stdin, r.Data = make([]byte, r.Sizes[0]), make([]byte, r.Sizes[1])
	if _, err := io.ReadFull(in, r.Stdin); err != nil {
		return r, err
	}
	_, err = io.ReadFull(in, r.Data)
	return r, err
}
