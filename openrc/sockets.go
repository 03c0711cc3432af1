package openrc

import (
	"slices"
	"strings"

	"rdgen/problem"
)

// SocketKey is the variable of conf.d that says where a service's sockets are, if not
// in the service's own domain. The one value that it can have is [SocketValue].
const (
	SocketKey   = "socket_domain"
	SocketValue = "default"
)

// SocketHint says how a line is written that lets sockets stay outside.
const SocketHint = "write " + SocketKey + "=" + SocketValue + ", which lets the service's socket units stay in the default domain; or nothing, and they are in the service's"

// Sockets returns the line that lets the service's sockets stay in the default domain;
// no place, and they are where the service is. The error is a *problem.Error, also for
// what was meant to be such a line and is not.
func (c *Conf) Sockets() (problem.Pos, error) {
	v, set, err := c.Lookup(SocketKey)
	if err != nil {
		return problem.Pos{}, err
	}
	for _, src := range c.sources {
		if err := socketSlip(src, set); err != nil {
			return problem.Pos{}, err
		}
	}
	switch {
	case v.Text == "":
		return problem.Pos{}, nil
	case v.Text != SocketValue:
		return problem.Pos{}, problem.New(v.Pos, "%s=%s is not known", SocketKey, v.Text).WithHint(SocketHint)
	}
	return v.Pos, nil
}

// socketSlip returns the first line that is nearly such a line, or nil. set says that
// the file sets the variable. It does not lead outside, as a slip of vrf= does: the
// sockets stay inside, and somebody waits for what never comes.
func socketSlip(src *source, set bool) error {
	n := 0
	for line := range strings.Lines(string(src.text)) {
		n++
		line = strings.TrimLeft(line, blanks)
		line = strings.TrimLeft(strings.TrimPrefix(line, "export "), blanks)
		rest := strings.TrimLeft(line, word)
		name := line[:len(line)-len(rest)]
		if !meansSockets(name) {
			continue
		}
		value, assigned := strings.CutPrefix(rest, "=")
		pos := problem.Pos{File: src.path, Line: n}
		after := strings.TrimSpace(value)
		switch sign := strings.TrimLeft(rest, blanks); {
		case assigned && name == SocketKey && (after == "" || after[0] == '#' || strings.TrimLeft(value, blanks) == value):
			if !set {
				return problem.New(pos, "%s= stands here, but the file does not set it", SocketKey).WithHint(SocketHint)
			}
		case assigned && name != SocketKey:
			return problem.New(pos, "%s= is not read; is %s= meant?", name, SocketKey).WithHint(SocketHint)
		case assigned || strings.HasPrefix(sign, "=") || strings.HasPrefix(sign, ":") || strings.HasPrefix(sign, SocketValue):
			return problem.New(pos, "this does not set %s", SocketKey).WithHint(SocketHint)
		}
	}
	return nil
}

// meansSockets reports whether name is the key or a likely misspelling of it.
func meansSockets(name string) bool {
	name = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
	key := strings.ReplaceAll(SocketKey, "_", "")
	return name != "" && name[0] == 's' && problem.Distance(name, key) <= 2 ||
		slices.Contains([]string{"socketnetns", "socketsnetns", "socketvrf", "socketsvrf", "socketns", "rdgensocketdomain", "rcsocketdomain"}, name)
}
