// Package object holds the things that rdomain makes in the kernel as data, in the
// words of ip(8): a namespace, its firewall, a link, a setting of a link, an address, a route,
// a rule, a neighbour, a wireguard peer, a sysctl, a NAT table, a resolver file, a pinned
// program. A Step adds, changes or deletes one of them. Nothing here touches the
// kernel; package rtnl does.
//
// Namespaces have checked names. A link's name is a string: what the kernel reports
// may be a name that no file can have.
package object

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
)

// Verb says what a Step does with its thing.
type Verb string

// The verbs. Replace makes the thing whether or not it exists, as
// `ip route replace` does; Set is for a Setting alone.
const (
	Add     Verb = "add"
	Replace Verb = "replace"
	Delete  Verb = "delete"
	Set     Verb = "set"
)

// Object is a thing that a step can be about, or a record. All but Taken are
// comparable.
type Object interface {
	// command is ip's command line for the verb, that of another program
	// where ip has no word for it, or a comment of the shell.
	command(Verb) []string
	// Key tells the object from all others, as the kernel does: of two objects
	// with one key the second is refused, or replaces the first.
	Key() Key
	// On is the link that the object goes with when that is deleted, "" for none.
	On() string
}

// Key is what tells objects apart: their kind, their namespace, and what is one of
// a kind there.
type Key struct {
	Kind  string
	Netns domain.NetnsName
	Name  string
}

// kinds are the objects that a record can have, in the order in which up makes
// them.
var kinds = []Object{File{}, Netns{}, Firewall{}, NAT{}, Forwarding{}, Pin{}, Link{}, Taken{}, Sysctl{}, WireGuardPeer{}, AltName{}, BridgeVLAN{}, Address{}, Neighbor{}, Rule{}, Route{}}

// Kinds returns the kinds that a record can have, in the order in which up makes
// objects of them.
func Kinds() (names []string) {
	for _, o := range kinds {
		names = append(names, o.Key().Kind)
	}
	return names
}

// Unmarshal reads an object of a kind from JSON.
func Unmarshal(kind string, data []byte) (Object, error) {
	for _, o := range kinds {
		if o.Key().Kind != kind {
			continue
		}
		v := reflect.New(reflect.TypeOf(o))
		err := json.Unmarshal(data, v.Interface())
		return v.Elem().Interface().(Object), err
	}
	return nil, fmt.Errorf("objects of kind %q are not known here", kind)
}

// Step is one change to the kernel. It can be printed, done, and taken back.
type Step struct {
	Verb   Verb
	Object Object
	// Old is what was there before a Set or Replace; nil if nothing was, or if
	// it need not come back because the link that it belongs to is deleted.
	Old Object
	// Line is the line of the domain's file that asks for the step, 0 if it
	// comes from no line.
	Line int
}

// Command returns the step in the syntax of ip(8), ready for a shell. Its first
// word is "ip", another program's name where ip cannot express the step, or "#"
// where only rdomain can do it.
func (s Step) Command() []string { return s.Object.command(s.Verb) }

// String returns Command as one line.
func (s Step) String() string { return strings.Join(s.Command(), " ") }

// Undo returns the step that takes a Set or a Replace back, and false if nothing
// was there before. What was added is taken back by its record.
func (s Step) Undo() (Step, bool) {
	if s.Old == nil {
		return Step{}, false
	}
	return Step{Verb: s.Verb, Object: s.Old, Old: s.Object, Line: s.Line}, true
}

// Diff returns what the step changes as lines of a diff in the syntax of ip(8):
// "-" before what there is, "+" before what there will be.
func (s Step) Diff() []string {
	line := func(sign string, thing Object) string {
		return sign + strings.Join(thing.command(Add), " ")
	}
	if s.Verb == Delete {
		return []string{line("-", s.Object)}
	}
	if f, ok := s.Object.(Firewall); ok {
		return f.diff(s.Old)
	}
	lines := []string{line("+", s.Object)}
	if s.Old != nil {
		lines = []string{line("-", s.Old), lines[0]}
	}
	return lines
}

// in returns the beginning of a command line in the namespace called netns, or
// in the caller's if netns is empty.
func in(netns domain.NetnsName, words ...string) []string {
	if netns.IsZero() {
		return append([]string{"ip"}, words...)
	}
	return append([]string{"ip", "-n", netns.String()}, words...)
}

func utoa(u uint32) string { return strconv.FormatUint(uint64(u), 10) }

func scopeName(s uint8) string {
	switch s {
	case 0:
		return "global"
	case 200:
		return "site"
	case 253:
		return "link"
	case 254:
		return "host"
	}
	return strconv.Itoa(int(s))
}

func tableName(t uint32) string {
	switch t {
	case 253:
		return "default"
	case MainTable:
		return "main"
	case 255:
		return "local"
	}
	return utoa(t)
}

func protocolName(p uint8) string {
	switch p {
	case ProtocolKernel:
		return "kernel"
	case protocolBoot:
		return "boot"
	case 4:
		return "static"
	}
	return strconv.Itoa(int(p))
}
