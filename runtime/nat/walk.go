package nat

import "net/netip"

// Packet is one that an outer namespace forwards between a domain's link and its own
// default route.
type Packet struct {
	// Link is the outer end of the domain's, and Address what the domain has there.
	Link    string
	Address netip.Addr
	IPv6    bool
	// In: it goes to the domain. Answer: it is not the first of its connection. Published:
	// the connection is one to a published port.
	In, Answer, Published bool
}

// verdict is what a rule does with a packet that it matches.
type verdict int

const (
	goOn verdict = iota
	passed
	dropped
	leave // the chain
	jump
	leap // jump, and leave
)

// match is whether a rule matches a packet of which not all is known.
type match int

const (
	never match = iota
	maybe
	sure
)

// outcome is what a rule does with a packet.
type outcome struct {
	match match
	// names: the rule compares the packet's link or address, and they are the same.
	names   bool
	verdict verdict
	chain   string
}

// and adds a condition.
func (o *outcome) and(m match, names bool) {
	o.match = min(o.match, m)
	o.names = o.names || names && m == sure
}

type rule func(Packet) outcome

// deepest is how far chains jump; the kernel allows 16.
const deepest = 16

// walk returns what a chain does with a packet: passed, dropped, or goOn at its end. A rule
// that matches some packets of the link counts only if it accepts and names the link: then
// somebody thought of it.
func walk(chains map[string][]rule, chain string, p Packet, named bool, depth int) verdict {
	for _, r := range chains[chain] {
		o := r(p)
		if o.match == never || o.verdict == goOn {
			continue
		}
		counts, v := o.match == sure || o.names || named, o.verdict
		if v == jump || v == leap {
			v = goOn
			if depth < deepest {
				v = walk(chains, o.chain, p, o.match == maybe && (o.names || named), depth+1)
			}
			if v == goOn && o.verdict == leap {
				v = leave
			}
		}
		switch {
		case v == passed && counts:
			return passed
		case v == dropped && o.match == sure:
			return dropped
		case v == leave && o.match == sure:
			return goOn
		}
	}
	return goOn
}

// comes reports whether a packet may come to the chain want, from the beginning of another.
func comes(chains map[string][]rule, chain string, p Packet, want string, depth int) bool {
	for _, r := range chains[chain] {
		o := r(p)
		switch {
		case o.match == never || o.verdict == goOn:
		case o.verdict == jump || o.verdict == leap:
			if o.chain == want || depth < deepest && comes(chains, o.chain, p, want, depth+1) {
				return true
			}
		case o.match == sure:
			return false
		}
	}
	return false
}
