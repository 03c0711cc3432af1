package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"rdgen/test/vm/wire"
)

// A guest that has not greeted by then is dead. Emulated machines boot OpenRC
// in a minute; this is not a measurement but the end of hope.
const bootLimit = 6 * time.Minute

// commandLimit is how long a command in the guest may take. It is there so that
// a guest that hangs fails its test, not to measure anything.
const commandLimit = 3 * time.Minute

// errDead is returned for what was asked of a guest that is no more, or never
// was.
var errDead = errors.New("the guest died")

// conn speaks with the agent of a running guest.
type conn struct {
	q   *qemu
	out *json.Encoder

	mu      sync.Mutex
	nextID  int
	waiting map[int]chan wire.Reply
}

func newConn(q *qemu) *conn {
	c := &conn{q: q, out: json.NewEncoder(q.agent), waiting: map[int]chan wire.Reply{0: make(chan wire.Reply, 1)}}
	go c.receive()
	return c
}

func (c *conn) receive() {
	in := json.NewDecoder(c.q.agent)
	for {
		var r wire.Reply
		if in.Decode(&r) != nil {
			return
		}
		c.mu.Lock()
		if answer := c.waiting[r.ID]; answer != nil {
			answer <- r
			delete(c.waiting, r.ID)
		}
		c.mu.Unlock()
	}
}

// greet waits for what the agent says when it has started.
func (c *conn) greet() error {
	c.mu.Lock()
	greeting := c.waiting[0]
	c.mu.Unlock()
	_, err := c.await(greeting, bootLimit)
	return err
}

func (c *conn) ask(r wire.Request, limit time.Duration) (wire.Reply, error) {
	c.mu.Lock()
	c.nextID++
	r.ID = c.nextID
	answer := make(chan wire.Reply, 1)
	c.waiting[r.ID] = answer
	err := c.out.Encode(r)
	c.mu.Unlock()
	if err != nil {
		return wire.Reply{}, fmt.Errorf("%w: %w", errDead, err)
	}
	return c.await(answer, limit)
}

func (c *conn) await(answer chan wire.Reply, limit time.Duration) (wire.Reply, error) {
	select {
	case r := <-answer:
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	case <-c.q.dead:
		return wire.Reply{}, fmt.Errorf("%w: %s", errDead, c.q.lastWords())
	case <-time.After(limit):
		return wire.Reply{}, fmt.Errorf("%w: no answer in %v: %s", errDead, limit, c.q.lastWords())
	}
}
