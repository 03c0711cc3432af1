package conf

import (
	"encoding/base64"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/object"
)

// provided returns the file with what the ConfigFile= of its links say, as if it stood in
// its own sections, and the keys that they have. text reads the one of a link. Without a
// ConfigFile= the file is returned as it is; it is never changed.
//
// What stands in the file itself comes before what is provided: DNS=, MTUBytes= and a
// [Route] to the same network.
func (f *File) provided(text func(Link) ([]byte, error)) (*File, map[object.Secret]Key, error) {
	isQuick := func(l Link) bool { return l.ConfigFile != "" }
	keys := map[object.Secret]Key{}
	if !slices.ContainsFunc(f.Links, isQuick) {
		return f, keys, nil
	}
	c := *f
	c.Links, c.Routes = slices.Clone(f.Links), slices.Clone(f.Routes)
	c.DNS, c.Search = slices.Clone(f.DNS), slices.Clone(f.Search)
	routes := map[routeKey]problem.Pos{}
	for i := range c.Links {
		l := &c.Links[i]
		if !isQuick(*l) {
			continue
		}
		data, err := text(*l)
		if err != nil {
			return nil, nil, err
		}
		q := quick{link: l, file: &c, own: f, keys: keys, routes: routes, line: l.LineOf("ConfigFile")}
		sections, err := q.read(data)
		if err != nil {
			return nil, nil, err
		}
		f.Note(l.ConfigFile, withoutKeys(sections))
	}
	return &c, keys, nil
}

// quick is what the file of a link says.
type quick struct {
	*parser
	link *Link
	// file is what is provided so far, own the file without that.
	file, own *File
	keys      map[object.Secret]Key
	// routes are those of all links so far.
	routes map[routeKey]problem.Pos
	// line is that of ConfigFile=: where all that is provided comes from.
	line int
	mtu  uint32
	// noRoutes is Table=off.
	noRoutes bool
	peer     Peer
}

// instead says what to do where a file has a command.
const instead = "take the line out; routes, rules and variables that it sets belong into the domain's file;\n" +
	"a kill switch is not needed: a namespace has no way out but its links"

// hook refuses a command: what it does, nobody could take back.
func hook(p *parser, _ *quick, k key) error {
	return problem.New(problem.Pos{File: p.path, Line: k.line}, "%s= is a command, which rdomain does not run", k.name).WithHint(instead)
}

// interfaceFields are the keys of [Interface] in a file of wg-quick(8).
var interfaceFields = fields[quick]{
	"PrivateKey": once(func(p *parser, q *quick, k key) (err error) {
		q.link.KeyFile, err = q.secret(k)
		return err
	}),
	"ListenPort": set(func(q *quick) *uint16 { return &q.link.ListenPort }, number[uint16](0, 65535)),
	"FwMark":     set(func(q *quick) *uint32 { return &q.link.Mark }, (*parser).quickMark),
	"MTU":        set(func(q *quick) *uint32 { return &q.mtu }, number[uint32](68, 65535)),
	"Address":    list(quickAddress),
	"DNS":        list(quickDNS),
	"Table": once(func(p *parser, q *quick, k key) error {
		if q.noRoutes = k.value == "off"; q.noRoutes || k.value == "auto" {
			return nil
		}
		return problem.New(problem.Pos{File: p.path, Line: k.line}, "Table=%s: expected auto (a route for each of AllowedIPs) or off", clip(k.value)).
			WithHint("write Table = off, and what is to be in another table as [Route] and [RoutingPolicyRule] into the domain's file")
	}),
	"SaveConfig": once(func(p *parser, _ *quick, k key) error {
		if k.value == "false" {
			return nil
		}
		return problem.New(problem.Pos{File: p.path, Line: k.line}, "SaveConfig=%s: rdomain writes to no file of others", clip(k.value)).
			WithHint("take the line out; wg showconf prints what the link has")
	}),
	"PreUp": list(hook), "PostUp": list(hook), "PreDown": list(hook), "PostDown": list(hook),
}

// quickPeerFields are the keys of [Peer] there.
var quickPeerFields = fields[quick]{
	"PublicKey": set(func(q *quick) *string { return &q.peer.PublicKey }, (*parser).publicKey),
	"PresharedKey": once(func(p *parser, q *quick, k key) (err error) {
		q.peer.PresharedKeyFile, err = q.secret(k)
		return err
	}),
	"Endpoint":   set(func(q *quick) *string { return &q.peer.Endpoint }, (*parser).endpoint),
	"AllowedIPs": list(quickAllowedIPs),
	"PersistentKeepalive": set(func(q *quick) *uint16 { return &q.peer.Keepalive }, func(p *parser, k key) (uint16, error) {
		if k.value == "off" {
			return 0, nil
		}
		return number[uint16](0, 65535)(p, k)
	}),
}

// quickSections are the sections there, in lower case.
var quickSections = map[string]fields[quick]{"[interface]": interfaceFields, "[peer]": quickPeerFields}

// withoutKeys is a file of the same lines without comments, and with the prints of keys.
func withoutKeys(sections []section) []byte {
	var lines []string
	put := func(n int, text string) {
		lines = append(lines, make([]string, n-len(lines))...)
		lines[n-1] = text
	}
	for _, s := range sections {
		put(s.line, s.header)
		for _, k := range s.keys {
			if k.name == "PrivateKey" || k.name == "PresharedKey" {
				b, _ := base64.StdEncoding.DecodeString(k.value)
				k.value = printed(Key(b))
			}
			put(k.line, k.name+" = "+k.value)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// read reads the file into the link, and returns its sections.
func (q *quick) read(data []byte) ([]section, error) {
	q.parser = &parser{path: q.link.ConfigFile, file: q.file, once: map[place]int{}, allowed: map[place]int{}}
	sections, err := q.scan(data)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		if err := q.checkKeys(s.header, quickSections[s.header].names(), s.keys); err != nil {
			return nil, err
		}
		if s.header == "[peer]" {
			err = q.onePeer(s)
		} else {
			_, err = interfaceFields.read(q.parser, q, s.keys)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.link.KeyFile == "" {
		return nil, q.fail(0, "has no PrivateKey= in a section [Interface]")
	}
	if q.link.MTU == 0 {
		q.link.MTU = q.mtu
	}
	q.link.lines = maps.Clone(q.link.lines)
	q.link.lines["PrivateKeyFile"] = q.line
	return sections, q.allRoutes()
}

// scan reads the lines as wg(8) does: "#" begins a comment anywhere, names are in any
// case. No message has what may be a key that stands in the wrong place.
func (q *quick) scan(data []byte) (sections []section, err error) {
	if len(data) > MaxSize {
		return nil, q.fail(0, "file has more than %d bytes", MaxSize)
	}
	for i, line := range strings.Split(string(data), "\n") {
		n := i + 1
		line = strings.TrimSuffix(line, "\r")
		if what := notText(line); what != "" {
			return nil, q.fail(n, "line contains %s", what)
		}
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if line[0] == '[' {
			header := strings.ToLower(line)
			if quickSections[header] == nil {
				return nil, q.fail(n, "unknown section %s; expected [Interface] or [Peer]", clip(line))
			}
			if header == "[interface]" && slices.ContainsFunc(sections, func(s section) bool { return s.header == header }) {
				return nil, q.fail(n, "section [Interface] stands twice")
			}
			sections = append(sections, section{line: n, header: header})
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		const longest = 20 // a key has more, and its end looks like a delimiter
		switch {
		case !ok || !isKey(name) || len(name) > longest:
			return nil, q.fail(n, "expected KEY = VALUE, or [Interface] or [Peer]")
		case len(sections) == 0:
			return nil, q.fail(n, "%s= stands before the first section; expected [Interface] or [Peer]", name)
		}
		s := &sections[len(sections)-1]
		for known := range quickSections[s.header] {
			if strings.EqualFold(known, name) {
				name = known
			}
		}
		if value == "" && name != "AllowedIPs" {
			return nil, q.fail(n, "%s= has no value", name)
		}
		s.keys = append(s.keys, key{n, name, value})
	}
	return sections, nil
}

// checkKeys refuses what is unknown, and what stands twice.
func (q *quick) checkKeys(section string, allowed map[string]bool, found []key) error {
	seen := map[string]int{}
	for _, k := range found {
		repeats, ok := allowed[k.name]
		if !ok {
			return q.fail(k.line, "unknown key %s=; expected one of %s", k.name, strings.Join(sortedKeys(allowed), ", "))
		}
		if first := seen[k.name]; first != 0 && !repeats {
			return q.fail(k.line, "%s= stands twice in this section, first in line %d", k.name, first)
		}
		seen[k.name] = k.line
	}
	return nil
}

// secret notes a key, and where it is.
func (q *quick) secret(k key) (object.Secret, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(k.value)
	if err != nil || len(b) != len(Key{}) {
		return "", q.fail(k.line, "%s= is not a key: expected 44 characters of base64, as wg genkey prints them", k.name)
	}
	at := object.SecretAt(q.path, k.line)
	q.keys[at] = Key(b)
	return at, nil
}

func (p *parser) quickMark(k key) (uint32, error) {
	if k.value == "off" {
		return 0, nil
	}
	n, err := strconv.ParseUint(k.value, 0, 32)
	if err != nil {
		return 0, p.fail(k.line, "FwMark=%s: expected off, or a number such as 51820 or 0xca6c", clip(k.value))
	}
	return uint32(n), nil
}

// words returns the values of a line, which have commas between them.
func (k key) words() (list []key) {
	for word := range strings.SplitSeq(k.value, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, key{k.line, k.name, word})
		}
	}
	return list
}

// quickAddress reads addresses; one without a length is that of a host.
func quickAddress(p *parser, q *quick, k key) error {
	for _, w := range k.words() {
		if a, err := netip.ParseAddr(w.value); err == nil && a.Zone() == "" {
			w.value = netip.PrefixFrom(a, a.BitLen()).String()
		}
		var one []Address
		if err := p.address(&one, w); err != nil {
			return err
		}
		if !slices.ContainsFunc(q.link.Addresses, func(a Address) bool { return a.Prefix == one[0].Prefix }) {
			q.link.Addresses = append(slices.Clip(q.link.Addresses), Address{Line: q.line, Prefix: one[0].Prefix})
		}
	}
	return nil
}

// quickDNS reads resolvers, and names of domains to search.
func quickDNS(p *parser, q *quick, k key) error {
	f := q.file
	if f.Kind == VRF && len(q.own.DNS) == 0 {
		return problem.New(problem.Pos{File: p.path, Line: k.line}, "DNS= of a vrf stands in the domain's own file, where rdgen sees it").
			WithHint("write DNS= into [Domain] of " + f.Path)
	}
	for _, w := range k.words() {
		a, err := netip.ParseAddr(w.value)
		switch {
		case err == nil && (a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast()), err != nil && !isHost(w.value):
			return p.fail(k.line, "DNS=%s: expected addresses, such as 10.0.0.53, and names of domains to search", clip(w.value))
		case len(q.own.DNS) > 0: // the domain's own says something else
		case err != nil && !slices.Contains(f.Search, w.value):
			f.Search = append(f.Search, w.value)
		case err == nil && !slices.ContainsFunc(f.DNS, func(o Server) bool { return o.Addr == a }):
			f.DNS, f.DNSLine = append(f.DNS, Server{q.line, a}), q.line
		}
	}
	if len(strings.Join(f.Search, " ")) > 255 || len(f.Search) > 6 {
		return p.fail(k.line, "DNS=: expected at most 6 domains to search with 255 characters, which is what resolvers take")
	}
	return nil
}

// quickAllowedIPs reads networks; of an address with a length the network counts.
func quickAllowedIPs(p *parser, q *quick, k key) error {
	for _, w := range k.words() {
		prefix, err := netip.ParsePrefix(w.value)
		if a, bare := netip.ParseAddr(w.value); bare == nil && a.Zone() == "" {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || prefix.Addr().Is4In6() {
			return p.fail(k.line, "AllowedIPs=%s: expected networks, such as 10.0.0.0/8, 2001:db8::/32", clip(w.value))
		}
		if prefix = prefix.Masked(); !slices.Contains(q.peer.AllowedIPs, prefix) {
			q.peer.AllowedIPs = append(q.peer.AllowedIPs, prefix)
		}
	}
	return nil
}

// onePeer reads a section [Peer].
func (q *quick) onePeer(s section) error {
	q.peer = Peer{Line: q.line}
	lines, err := quickPeerFields.read(q.parser, q, s.keys)
	if err != nil {
		return err
	}
	if q.peer.PublicKey == "" {
		return q.fail(s.line, "a peer needs PublicKey=, 44 characters of base64")
	}
	if slices.ContainsFunc(q.link.Peers, func(o Peer) bool { return o.PublicKey == q.peer.PublicKey }) {
		return q.fail(lines["PublicKey"], "PublicKey=%s stands twice", q.peer.PublicKey)
	}
	for _, a := range q.peer.AllowedIPs {
		at := place{"", a}
		if other := q.allowed[at]; other != 0 {
			return q.fail(lines["AllowedIPs"], "AllowedIPs=%s is that of the peer in line %d; a network has one peer", a, other)
		}
		q.allowed[at] = s.line
	}
	q.link.Peers = append(q.link.Peers, q.peer)
	return nil
}

// allRoutes adds a route through the link for each network of its peers, as wg-quick(8)
// does: except those that its addresses lead to already.
func (q *quick) allRoutes() error {
	if q.noRoutes {
		return nil
	}
	for _, peer := range q.link.Peers {
		for _, a := range peer.AllowedIPs {
			r := Route{Line: q.line, Destination: a, Device: q.link.Name, Type: "unicast"}
			key := routeKey{a, r.metric(), 0}
			same := func(o Route) bool { return routeKey{o.Destination, o.metric(), o.Table} == key }
			connected := func(own Address) bool {
				p := own.Network()
				return p.Bits() <= a.Bits() && p.Masked().Contains(a.Addr())
			}
			if slices.ContainsFunc(q.own.Routes, same) || slices.ContainsFunc(q.link.Addresses, connected) {
				continue
			}
			if first, ok := q.routes[key]; ok {
				return problem.New(q.own.At(q.line), "AllowedIPs=%s of %s is routed to another link already (%s)", a, q.path, first).
					WithHint("write Table = off into one of the two files, and the routes that are meant as [Route] here")
			}
			q.routes[key] = q.own.At(q.line)
			q.file.Routes = append(q.file.Routes, r)
		}
	}
	return nil
}
