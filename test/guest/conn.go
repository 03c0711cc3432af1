package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"rdgen/test/guest/wire"
)

// CommandLimit is how long a command in the guest may take. It is there so that
// a guest that hangs fails its test, not to measure anything: under a load of 18 on two
// processors a script of 20 s took more than three minutes.
const CommandLimit = 20 * time.Minute

// ErrDead is returned for what was asked of a guest that is no more, or never
// was.
var ErrDead = errors.New("the guest died")

// Connection is the way to the agent of a guest that runs.
type Connection struct {
	Agent     io.ReadWriter
	Dead      <-chan struct{} // closed when the guest has ended
	LastWords func() string   // the end of its console
}

// conn speaks with the agent of a running guest.
type conn struct {
	link Connection

	greeting chan wire.Reply // what the agent says when it has started, number 0

	mu      sync.Mutex
	nextID  int
	waiting map[int]chan wire.Reply
}

func newConn(link Connection) *conn {
	greeting := make(chan wire.Reply, 1)
	c := &conn{link: link, greeting: greeting, waiting: map[int]chan wire.Reply{0: greeting}}
	go c.receive()
	return c
}

func (c *conn) receive() {
	in := json.NewDecoder(c.link.Agent)
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
func (c *conn) greet(limit time.Duration) error {
	_, err := c.await(c.greeting, limit)
	return err
}

func (c *conn) ask(r wire.Request, limit time.Duration) (wire.Reply, error) {
	c.mu.Lock()
	c.nextID++
	r.ID = c.nextID
	answer := make(chan wire.Reply, 1)
	c.waiting[r.ID] = answer
	err := r.Send(c.link.Agent)
	c.mu.Unlock()
	if err != nil {
		return wire.Reply{}, fmt.Errorf("%w: %w", ErrDead, err)
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
	case <-c.link.Dead:
		return wire.Reply{}, fmt.Errorf("%w: %s", ErrDead, c.link.LastWords())
	case <-time.After(limit):
		return wire.Reply{}, fmt.Errorf("%w: no answer in %v: %s", ErrDead, limit, c.link.LastWords())
	}
}
