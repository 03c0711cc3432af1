package imports

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
)

// network is what files say, whichever program they are of.
type network struct {
	links      []*link
	routes     []*route
	rules      []*rule
	sysctls    []sysctl
	namespaces []string
	left       []string
	services   []Service
}

// item is a key of a domain's file, and where its value comes from.
type item struct {
	at         problem.Pos
	key, value string
}

// link is a link that a source describes.
type link struct {
	at          problem.Pos
	name, netns string
	// kind is one of conf.LinkKinds, "vrf", or "" for a link that exists already.
	kind string
	// master is the VRF, bridge or bond that it is a member of, "" for none.
	master string
	// parent is the link below, peer the other end of a veth.
	parent, peer string
	// outer is the namespace of the link's other side, nil where the source does not say.
	outer *string
	keys  []item
	// table is that of a VRF.
	table   string
	tableAt problem.Pos
	peers   [][]item
	// more are sections that name the link as their Device=.
	more  []section
	vlans vlans
	// dns are the keys of [Domain] for the resolvers that the link brings.
	dns   []item
	notes []string
}

func (l *link) set(at problem.Pos, key, value string) {
	l.keys = append(l.keys, item{at, key, value})
}

// mark adds the mark of what a wireguard link sends, which may be hexadecimal.
func (l *link) mark(at problem.Pos, text string) {
	if n, err := strconv.ParseUint(text, 0, 32); err == nil && n != 0 {
		text = strconv.FormatUint(n, 10)
	}
	if text != "off" && text != "0" {
		l.set(at, "FirewallMark", text)
	}
}

func (l *link) setTable(at problem.Pos, table string) { l.table, l.tableAt = table, at }

// note notes a line that has no counterpart, and why.
func (l *link) note(at problem.Pos, text string) { l.notes = append(l.notes, lineNote(at, text)) }

func lineNote(at problem.Pos, text string) string { return at.String() + ": " + shown(text) }

// route is a route; vrf is the one whose table it is in, table another's number.
type route struct {
	at problem.Pos
	// of is the link whose VRF has the table that it is in, nil for none. plain: it is no more
	// than a gateway of that link.
	of                     *link
	plain                  bool
	netns, vrf, table, dev string
	keys                   []item
}

// sysctl is a variable of a namespace.
type sysctl struct {
	at                 problem.Pos
	netns, name, value string
}

// rule is a rule of the routing policy.
type rule struct {
	at           problem.Pos
	netns, table string
	keys         []item
}

func (r *rule) set(at problem.Pos, key, value string) { r.keys = append(r.keys, item{at, key, value}) }

// link returns the link of a name in a namespace; it is new if nobody spoke of it yet.
func (r *reader) link(at problem.Pos, netns, name string) (*link, error) {
	if _, err := domain.ParseLink(name); err != nil {
		return nil, problem.New(at, "%w", err)
	}
	if l := r.find(netns, name); l != nil {
		return l, nil
	}
	l := &link{at: at, name: name, netns: netns}
	r.links = append(r.links, l)
	return l, nil
}

func (n *network) find(netns, name string) *link {
	if i := slices.IndexFunc(n.links, func(l *link) bool { return l.netns == netns && l.name == name }); i >= 0 {
		return n.links[i]
	}
	return nil
}

// otherKinds are the words that others have for kinds of ours.
var otherKinds = map[string]string{"sit6": "sit", "ip6ip6": "ip6tnl", "ipip6": "ip6tnl", "any": "ip6tnl", "6in4": "sit", "ipv6ip6": "ip6tnl",
	"ipv6": "ip6tnl", "vti6": "vti6", "ip6vti": "vti6"}

// become gives the link a kind. One that rdomain cannot make is taken as a link that exists.
func (l *link) become(at problem.Pos, kind string) {
	if ours, ok := otherKinds[kind]; ok {
		kind = ours
	}
	if kind != "vrf" && !slices.Contains(conf.LinkKinds, kind) {
		l.note(at, fmt.Sprintf("rdomain makes no link of kind %s: somebody else has to make it", kind))
		return
	}
	l.kind = kind
}

// secretive are words in lines whose values nobody is shown.
var secretive = regexp.MustCompile(`(?i)psk|passw|passphrase|secret|private.?key|preshared|shared.?key|token|credential|\bauth|\bpin\b|wep.?key|\bkeys?\b|key[0-9]+\b|pass\b`)

// keyLike is what may be a key in base64, also one that was cut at its "=", or in hexadecimal,
// and a user with a password, as curl(1) and addresses of the web have them.
var keyLike = regexp.MustCompile(`[A-Za-z0-9+/]{43} ?=|[0-9A-Fa-f]{32,}|(?:-u|--user)[ =]?[^ :]+:[^ ]+|//[^/ :@]+:[^/ @]+@`)

// discreet takes what may be a key out of an error: somebody put it where an address belongs.
func discreet(err error) error {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		p.Msg = keyLike.ReplaceAllString(p.Msg, "(not shown)")
	}
	return err
}

// shown returns a line without what may be a secret.
func shown(text string) string {
	text = keyLike.ReplaceAllString(text, "(not shown)")
	at := secretive.FindStringIndex(text)
	if at == nil {
		return text
	}
	rest := text[at[1]:]
	end := strings.IndexAny(rest, " \t=:")
	if end < 0 || strings.TrimLeft(rest[end:], " \t=:") == "" {
		return text
	}
	return text[:at[1]+end] + " (not shown)"
}
