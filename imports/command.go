package imports

import (
	"net/netip"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
)

// command reads a command of a hook: those of ip(8) and sysctl(8) that make what a domain
// can have, and those that start a service in one. netns is the namespace that it runs in, on
// the link of whose hook it is. Others are noted.
func (r *reader) command(at problem.Pos, netns string, on *link, hook, text string) error {
	words := strings.Fields(strings.NewReplacer("${IFACE}", on.name, "$IFACE", on.name, "%i", on.name).Replace(text))
	if n := len(words); n > 2 && words[n-2] == "||" && (words[n-1] == "true" || words[n-1] == ":") {
		words = words[:n-2]
	}
	c := &command{reader: r, at: at, netns: netns, on: on, undoes: strings.HasSuffix(strings.ToLower(hook), "down")}
	known := false
	var err error
	if len(words) > 1 && !strings.ContainsAny(strings.Join(words, " "), "|&;<>$`\"'(){}*?\\#") {
		known, err = c.run(words)
	}
	if err == nil && !known {
		on.note(at, hook+" "+text+": rdomain runs no commands")
	}
	return err
}

// command is one command.
type command struct {
	*reader
	at    problem.Pos
	netns string
	on    *link
	// undoes: it runs when the link is taken away.
	undoes bool
}

// run reads a command, and returns false if it is not known.
func (c *command) run(words []string) (bool, error) {
	switch name := path.Base(words[0]); {
	case name == "ip":
		return c.ip(words[1:], "")
	case name == "wg" && len(words) == 5 && words[1] == "set" && words[3] == "private-key" && !c.undoes:
		l, err := c.link(c.at, c.netns, words[2])
		if err == nil {
			l.set(c.at, "PrivateKeyFile", words[4])
		}
		return true, err
	case name == "sysctl" && words[1] == "-w" && len(words) == 3:
		name, value, ok := strings.Cut(words[2], "=")
		if ok && strings.HasPrefix(name, "net") {
			c.sysctls = append(c.sysctls, sysctl{c.at, c.netns, name, value})
		}
		return ok, nil
	case c.undoes:
	case name == "rc-service" && len(words) == 3 && words[2] == "start":
		return c.service(words[1], domain.Domain{})
	case name == "systemctl" && len(words) == 3 && words[1] == "start":
		return c.service(strings.TrimSuffix(words[2], ".service"), domain.Domain{})
	case name == "service" && len(words) == 3 && words[2] == "start":
		return c.service(words[1], domain.Domain{})
	case path.Dir(words[0]) == "/etc/init.d" && len(words) == 2 && words[1] == "start":
		return c.service(name, domain.Domain{})
	}
	return false, nil
}

// service notes a service that a hook starts. Which domain it is in, the hook says, or the
// link: it is started where that is.
func (c *command) service(name string, in domain.Domain) (bool, error) {
	if strings.ContainsFunc(name, notInNames) || name[0] == '.' || name[0] == '-' {
		return false, nil
	}
	var err error
	switch {
	case !in.IsDefault():
	case c.on.kind == "vrf":
		in.VRF, err = domain.ParseVRF(c.on.name)
	case c.on.master != "":
		in.VRF, err = domain.ParseVRF(c.on.master)
	}
	if in.Netns.IsZero() && c.netns != "" && err == nil {
		in.Netns, err = domain.ParseNetns(c.netns)
	}
	if err != nil {
		return false, problem.New(c.at, "%w", err)
	}
	if in.IsDefault() {
		return false, nil
	}
	c.services = append(c.services, Service{c.at, name, in})
	return true, nil
}

// notInNames reports whether names of services do not have a rune.
func notInNames(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.@+", r)
}

// ip reads a command of ip(8).
func (c *command) ip(words []string, family string) (bool, error) {
	if len(words) < 2 {
		return false, nil
	}
	switch words[0] {
	case "-4", "-6":
		return c.ip(words[1:], words[0])
	case "-n", "-netns":
		inside := *c
		inside.netns = words[1]
		return inside.ip(words[2:], family)
	}
	verb := words[1]
	if len(words) > 3 && verb == "exec" {
		return c.exec(words)
	}
	if c.undoes {
		return strings.HasPrefix("delete", verb) || strings.HasPrefix("flush", verb) || words[0] == "link" && verb == "set" && words[len(words)-1] == "down", nil
	}
	makes := verb == "add" || verb == "replace" || verb == "append"
	switch object := words[0]; {
	case strings.HasPrefix("link", object) && makes:
		return c.addLink(words[2:])
	case strings.HasPrefix("link", object) && verb == "set":
		return c.setLink(words[2:])
	case strings.HasPrefix("address", object) && makes:
		return c.addAddress(words[2:])
	case strings.HasPrefix("route", object) && len(object) > 1 && makes:
		return c.addRoute(words[2:], family)
	case strings.HasPrefix("rule", object) && len(object) > 1:
		return c.rule(verb, words[2:], family)
	}
	return false, nil
}

// exec reads `ip vrf exec NAME` and `ip netns exec NAME`.
func (c *command) exec(words []string) (bool, error) {
	in, err := domain.Domain{}, error(nil)
	switch words[0] {
	case "vrf":
		in.VRF, err = domain.ParseVRF(words[2])
	case "netns":
		in.Netns, err = domain.ParseNetns(words[2])
	}
	if err != nil {
		return false, problem.New(c.at, "%w", err)
	}
	if in.IsDefault() || c.undoes {
		return false, nil
	}
	inside := words[3:]
	if path.Base(inside[0]) == "ip" && words[0] == "netns" {
		there := *c
		there.netns = words[2]
		return there.ip(inside[1:], "")
	}
	before := len(c.services)
	if known, err := c.run(inside); err != nil || !known {
		return false, err
	}
	for i := range c.services[before:] {
		c.services[before+i].In = in
	}
	return true, nil
}

// linkWords are words of `ip link add`, and the keys that they are.
var linkWords = map[string]string{"mtu": "MTUBytes", "address": "MACAddress", "local": "Local", "remote": "Remote", "group": "Remote",
	"ttl": "TTL", "hoplimit": "TTL", "key": "Key", "dstport": "DestinationPort", "if_id": "InterfaceId", "mode": "Mode", "protocol": "Protocol"}

func (c *command) addLink(words []string) (bool, error) {
	l := &link{at: c.at, netns: c.netns}
	kind := ""
	for i := 0; i < len(words); i++ {
		word, value := words[i], ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		key := linkWords[word]
		switch {
		case word == "link", word == "dev" && l.name != "":
			l.parent = value
		case word == "name", word == "dev":
			l.name = value
		case word == "type":
			kind = value
		case word == "table":
			l.table = value
		case word == "id" && kind == "vxlan":
			l.set(c.at, "VNI", value)
		case word == "id" || word == "vni":
			l.set(c.at, "Id", value)
		case word == "peer" && value == "name" && i+2 < len(words):
			l.peer, i = words[i+2], i+1
		case key != "":
			l.set(c.at, key, value)
		case i == 0:
			l.name, i = word, i-1
		default:
			return false, nil
		}
		i++
	}
	if l.name == "" || kind == "" {
		return false, nil
	}
	known, err := c.link(c.at, c.netns, l.name)
	if err != nil {
		return false, err
	}
	known.become(c.at, kind)
	known.parent, known.peer = l.parent, l.peer
	known.setTable(c.at, l.table)
	known.keys = append(known.keys, l.keys...)
	return true, nil
}

func (c *command) setLink(words []string) (bool, error) {
	if words[0] == "dev" {
		words = words[1:]
	}
	if len(words) < 2 {
		return false, nil
	}
	l, err := c.link(c.at, c.netns, words[0])
	if err != nil {
		return false, err
	}
	for words = words[1:]; len(words) > 0; {
		switch {
		case words[0] == "up":
			words = words[1:]
			continue
		case len(words) < 2:
			return false, nil
		case words[0] == "master" || words[0] == "vrf":
			l.master = words[1]
		case words[0] == "mtu" || words[0] == "address":
			l.set(c.at, linkWords[words[0]], words[1])
		default:
			return false, nil
		}
		words = words[2:]
	}
	return true, nil
}

func (c *command) addAddress(words []string) (bool, error) {
	at := slices.Index(words, "dev")
	if at < 1 || len(words) < at+2 {
		return false, nil
	}
	l, err := c.link(c.at, c.netns, words[at+1])
	if err != nil {
		return false, err
	}
	rest := slices.Concat(words[:at], words[at+2:])
	if len(rest) > 1 && !(len(rest) == 3 && (rest[1] == "brd" || rest[1] == "broadcast")) {
		return false, nil
	}
	prefix, err := prefixOf(c.at, rest[0], "")
	if err == nil {
		l.set(c.at, "Address", prefix)
	}
	return true, err
}

// routeWords are words of `ip route add`, and the keys that they are.
var routeWords = map[string]string{"via": "Gateway", "metric": "Metric", "src": "PreferredSource", "mtu": "MTUBytes"}

func (c *command) addRoute(words []string, family string) (bool, error) {
	r := &route{at: c.at, netns: c.netns}
	var keys []item
	destination := ""
	for i := 0; i < len(words); i++ {
		word, value := words[i], ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch {
		case destination == "" && slices.Contains(conf.RouteTypes, word):
			keys = append(keys, item{c.at, "Type", word})
			continue
		case word == "onlink":
			keys = append(keys, item{c.at, "GatewayOnLink", "yes"})
			continue
		case routeWords[word] != "":
			keys = append(keys, item{c.at, routeWords[word], value})
		case word == "dev":
			r.dev = value
		case word == "vrf":
			r.vrf = value
		case word == "table":
			r.table = value
		case word == "proto" || word == "protocol": // who made it; that is rdomain then
		case destination == "":
			destination = word
			continue
		default:
			return false, nil
		}
		i++
	}
	return true, c.route(r, destination, family == "-6", keys)
}

// route adds a route to a destination, whose family a bare "default" has of its gateway, or
// else is IPv6 if v6.
func (r *reader) route(to *route, destination string, v6 bool, keys []item) error {
	gateway := valueOf(keys, "Gateway")
	if destination == "default" && gateway == "" && v6 {
		destination = "::/0"
	}
	if destination != "default" {
		prefix, err := networkOf(to.at, destination)
		if err != nil {
			return err
		}
		destination = prefix
	}
	if (destination == "0.0.0.0/0" || destination == "::/0") && gateway != "" {
		destination = "default"
	}
	if valueOf(keys, "GatewayOnLink") != "" && gateway == "" {
		keys = slices.DeleteFunc(keys, func(k item) bool { return k.key == "GatewayOnLink" })
	}
	to.keys = append([]item{{to.at, "Destination", destination}}, keys...)
	r.routes = append(r.routes, to)
	return nil
}

// networkOf reads a network; an address alone is one host.
func networkOf(at problem.Pos, text string) (string, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()).String(), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return "", problem.New(at, "%q is no network; expected one such as 10.1.0.0/16", text)
	}
	return p.Masked().String(), nil
}

// prefixOf reads an address with its length, or with a mask in words of its own.
func prefixOf(at problem.Pos, text, mask string) (string, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.String(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return "", problem.New(at, "%q is no address; expected one such as 10.0.0.2/24", text)
	}
	if mask == "" {
		return netip.PrefixFrom(a, a.BitLen()).String(), nil
	}
	bits, ok := maskBits(mask)
	if !ok || bits > a.BitLen() {
		return "", problem.New(at, "%q is no mask of %s; expected one such as 255.255.255.0, or 24", mask, a)
	}
	return netip.PrefixFrom(a, bits).String(), nil
}
