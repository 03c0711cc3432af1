package conf

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/object"
)

// ruleSection is what a section [RoutingPolicyRule] says, before its networks say which
// families are meant.
type ruleSection struct {
	Rule
	family string
}

// ruleFields are the keys of [RoutingPolicyRule].
var ruleFields = fields[ruleSection]{
	"Priority":          set(func(r *ruleSection) *uint32 { return &r.Pref }, number[uint32](1, 1<<32-1)),
	"Family":            once(readFamily),
	"From":              set(func(r *ruleSection) *netip.Prefix { return &r.From }, (*parser).network),
	"To":                set(func(r *ruleSection) *netip.Prefix { return &r.To }, (*parser).network),
	"FirewallMark":      once(func(p *parser, r *ruleSection, k key) error { return p.mark(&r.Rule.Rule, k) }),
	"IncomingInterface": set(func(r *ruleSection) *string { return &r.In }, (*parser).nameString),
	"OutgoingInterface": set(func(r *ruleSection) *string { return &r.Out }, (*parser).nameString),
	"Table":             set(func(r *ruleSection) *uint32 { return &r.Table }, (*parser).anyTable),
	"SuppressPrefixLength": once(func(p *parser, r *ruleSection, k key) error {
		n, err := number[uint32](0, 128)(p, k)
		r.SuppressPrefixLength = n + 1
		return err
	}),
	"User":            once(readUser),
	"IPProtocol":      set(func(r *ruleSection) *uint8 { return &r.IPProtocol }, (*parser).ipProtocol),
	"SourcePort":      set(func(r *ruleSection) *object.Range { return &r.SourcePorts }, (*parser).ports),
	"DestinationPort": set(func(r *ruleSection) *object.Range { return &r.DestinationPorts }, (*parser).ports),
	"InvertRule":      set(func(r *ruleSection) *bool { return &r.Not }, (*parser).yes),
	"Type": once(func(p *parser, r *ruleSection, k key) error {
		kind, err := oneOf(RuleTypes...)(p, k)
		if kind != RuleTypes[0] {
			r.Type = kind
		}
		return err
	}),
}

func readFamily(p *parser, r *ruleSection, k key) error {
	if r.family = k.value; r.family != "ipv4" && r.family != "ipv6" && r.family != "both" {
		return p.fail(k.line, "Family=%s: expected ipv4, ipv6 or both", clip(k.value))
	}
	return nil
}

// readUser reads the name of a user, whose number is looked up later, or numbers.
func readUser(p *parser, r *ruleSection, k key) error {
	if r.userLine = k.line; k.value[0] < '0' || k.value[0] > '9' {
		if !isOwner(k.value) {
			return p.fail(k.line, "User=%s: expected a name, a number or two with a dash, such as 1000-1999%s", clip(k.value), commentHint(k.value))
		}
		r.User = k.value
		return nil
	}
	var ok bool
	if r.UIDs, ok = numbers(k.value, 0, 1<<32-2); !ok {
		return p.fail(k.line, "User=%s: expected a name, a number or two with a dash, such as 1000-1999%s", clip(k.value), commentHint(k.value))
	}
	return nil
}

// numbers reads a number, or two with a dash.
func numbers(s string, low, high uint64) (object.Range, bool) {
	from, to, both := strings.Cut(s, "-")
	if !both {
		to = from
	}
	first, err := strconv.ParseUint(from, 10, 32)
	last, err2 := strconv.ParseUint(to, 10, 32)
	ok := err == nil && err2 == nil && low <= first && first <= last && last <= high
	return object.Range{First: uint32(first), End: uint32(last + 1)}, ok
}

// ports reads what FRA_SPORT_RANGE can hold; Linux takes no 65535 there.
func (p *parser) ports(k key) (object.Range, error) {
	r, ok := numbers(k.value, 1, 65534)
	if !ok {
		return r, p.fail(k.line, "%s=%s: expected a port, 1 to 65534, or two with a dash, such as 5000-5099%s", k.name, clip(k.value), commentHint(k.value))
	}
	return r, nil
}

// ipProtocols are the numbers of protocols above IP, by the names of the IANA that are known
// everywhere.
var ipProtocols = map[string]uint8{"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58,
	"sctp": 132, "udplite": 136}

func (p *parser) ipProtocol(k key) (uint8, error) {
	if n, ok := ipProtocols[k.value]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(k.value, 10, 8)
	if err != nil || n == 0 {
		return 0, p.fail(k.line, "IPProtocol=%s: expected one of %s, or a number from 1 to 255%s", clip(k.value),
			strings.Join(slices.Sorted(maps.Keys(ipProtocols)), ", "), commentHint(k.value))
	}
	return uint8(n), nil
}

// rule reads a section [RoutingPolicyRule].
func (p *parser) rule(s section) error {
	said := ruleSection{Rule: Rule{Line: s.line}}
	lines, err := ruleFields.read(p, &said, s.keys)
	if err != nil {
		return err
	}
	r := said.Rule
	if err := p.ruleTogether(&r, said.family, lines); err != nil {
		return err
	}
	for _, one := range r.families() {
		if first := p.again([2]any{one, r.User}, r.Line); first != 0 {
			return p.fail(r.Line, "the same rule stands twice, first in line %d", first)
		}
	}
	p.file.Rules = append(p.file.Rules, r)
	return nil
}

// families returns the rules that r is for the kernel: one for each family.
func (r Rule) families() (list []object.Rule) {
	for _, f := range []struct{ has, ipv6 bool }{{r.IPv4, false}, {r.IPv6, true}} {
		if one := r.Rule; f.has {
			one.IPv6 = f.ipv6
			list = append(list, one)
		}
	}
	return list
}

func (p *parser) ruleTogether(r *Rule, family string, lines map[string]int) error {
	switch {
	case r.Pref == 0:
		return p.fail(r.Line, "a rule needs Priority=, a number from 1 to 4294967295")
	case r.Type == "" && r.Table == 0:
		return p.fail(r.Line, "a rule needs Table= or another Type=")
	case r.Type != "" && r.Table != 0:
		return p.fail(lines["Table"], "Table= is not for Type=%s", r.Type)
	case r.Type != "" && r.SuppressPrefixLength != 0:
		return p.fail(lines["SuppressPrefixLength"], "SuppressPrefixLength= is not for Type=%s", r.Type)
	case r.From.IsValid() && r.To.IsValid() && r.From.Addr().Is4() != r.To.Addr().Is4():
		return p.fail(lines["To"], "To=%s: expected a network of the same family as From=%s", r.To, r.From)
	}
	of := r.From
	if !of.IsValid() {
		of = r.To
	}
	r.IPv4, r.IPv6 = family != "ipv6", family == "ipv6" || family == "both"
	if of.IsValid() {
		if family != "" && (family == "both" || of.Addr().Is6() != (family == "ipv6")) {
			return p.fail(lines["Family"], "Family=%s: the rule has the network %s", family, of)
		}
		r.IPv4, r.IPv6 = of.Addr().Is4(), of.Addr().Is6()
	}
	if r.IPv4 && r.SuppressPrefixLength > 33 {
		return p.fail(lines["SuppressPrefixLength"], "SuppressPrefixLength=%d: expected a number from 0 to 32", r.SuppressPrefixLength-1)
	}
	return nil
}

func (p *parser) mark(r *object.Rule, k key) error {
	mark, mask, both := strings.Cut(k.value, "/")
	n, err := strconv.ParseUint(mark, 0, 32)
	m := uint64(1<<32 - 1)
	if both && err == nil {
		m, err = strconv.ParseUint(mask, 0, 32)
	}
	if err != nil || n == 0 || n&m != n {
		return p.fail(k.line, "FirewallMark=%s: expected MARK or MARK/MASK, such as 7 or 0x10/0xf0%s", clip(k.value), commentHint(k.value))
	}
	r.Mark, r.Mask = uint32(n), uint32(m)
	if r.Mask == 1<<32-1 {
		r.Mask = 0
	}
	return nil
}

// network reads an address with length; an address alone is one host.
func (p *parser) network(k key) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(k.value)
	if a, bare := netip.ParseAddr(k.value); bare == nil && a.Zone() == "" {
		prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil || prefix.Addr().Is4In6() || prefix.Bits() == 0:
		return prefix, p.fail(k.line, "%s=%s: expected NETWORK/LENGTH, such as 10.1.0.0/16%s", k.name, clip(k.value), commentHint(k.value))
	case prefix != prefix.Masked():
		return prefix, p.fail(k.line, "%s=%s: has bits set behind the length; expected %s", k.name, prefix, prefix.Masked())
	}
	return prefix, nil
}

func (p *parser) nameString(k key) (string, error) {
	n, err := p.name(k)
	return n.String(), err
}
