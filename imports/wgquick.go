package imports

import (
	"net/netip"
	"path"
	"strings"

	"rdgen/problem"
)

// wgQuick reads a file of wg-quick(8): a namespace of the file's name, or of --netns, whose way
// out is the tunnel.
func (r *reader) wgQuick(file string) error {
	data, err := r.open(file)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(path.Base(file), ".conf")
	in := r.netns.String()
	if in == "" {
		in = name
		r.namespaces = append(r.namespaces, in)
	}
	var lines []string
	for line := range strings.SplitSeq(string(data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		lines = append(lines, line+" ") // a backslash at the end means nothing there
	}
	list, err := sections(file, strings.Join(lines, "\n"))
	if err != nil {
		return err
	}
	at := problem.Pos{File: file}
	l, err := r.link(at, in, name)
	if err != nil {
		return err
	}
	l.become(at, "wireguard")
	q := quick{reader: r, l: l, table: "auto"}
	for _, s := range list {
		if err := q.section(s); err != nil {
			return err
		}
	}
	if valueOf(l.keys, "PrivateKeyFile") == "" {
		return problem.New(at, "has no PrivateKey in [Interface]")
	}
	q.routes(in)
	return nil
}

// quick is a file of wg-quick.
type quick struct {
	*reader
	l *link
	// table is what Table says.
	table   string
	allowed []route
	via     []netip.Prefix
	own     []netip.Prefix
}

func (q *quick) section(s section) error {
	switch strings.ToLower(s.name) {
	case "interface":
		for _, k := range s.keys {
			if err := q.interfaceKey(k); err != nil {
				return err
			}
		}
	case "peer":
		q.l.peers = append(q.l.peers, nil)
		for _, k := range s.keys {
			if err := q.peerKey(k); err != nil {
				return err
			}
		}
		if valueOf(q.l.peers[len(q.l.peers)-1], "PublicKey") == "" {
			return problem.New(s.at, "a peer needs PublicKey")
		}
	default:
		return problem.New(s.at, "unknown section [%s]; expected [Interface] or [Peer]", s.name)
	}
	return nil
}

func (q *quick) interfaceKey(k item) error {
	switch strings.ToLower(k.key) {
	case "privatekey":
		q.l.secretFile(k.at, ini)
	case "listenport":
		q.l.set(k.at, "ListenPort", k.value)
	case "fwmark":
		q.l.mark(k.at, k.value)
	case "mtu":
		q.l.set(k.at, "MTUBytes", k.value)
	case "address":
		for word := range strings.FieldsFuncSeq(k.value, func(r rune) bool { return r == ',' || r == ' ' }) {
			prefix, err := prefixOf(k.at, word, "")
			if err != nil {
				return err
			}
			q.l.set(k.at, "Address", prefix)
			q.own = append(q.own, netip.MustParsePrefix(prefix).Masked())
		}
	case "dns":
		for word := range strings.FieldsFuncSeq(k.value, func(r rune) bool { return r == ',' || r == ' ' }) {
			key := "Domains"
			if _, err := netip.ParseAddr(word); err == nil {
				key = "DNS"
			}
			q.l.dns = append(q.l.dns, item{k.at, key, word})
		}
	case "table":
		q.table = k.value
	case "preup", "postup", "predown", "postdown":
		return q.command(k.at, q.l.netns, q.l, k.key, k.value)
	default:
		q.l.note(k.at, k.key+" = "+k.value+": has no counterpart")
	}
	return nil
}

func (q *quick) peerKey(k item) error {
	p := q.l.peer1()
	switch strings.ToLower(k.key) {
	case "publickey":
		p.add(k.at, "PublicKey", k.value)
	case "presharedkey":
		q.l.presharedFile(k.at, ini)
	case "endpoint":
		p.add(k.at, "Endpoint", k.value)
	case "persistentkeepalive":
		if k.value != "off" && k.value != "0" {
			p.add(k.at, "PersistentKeepalive", k.value)
		}
	case "allowedips":
		list, err := q.l.allow(k.at, k.value)
		if err != nil {
			return err
		}
		for _, prefix := range list {
			q.via = append(q.via, prefix)
			q.allowed = append(q.allowed, route{at: k.at, keys: []item{{k.at, "Destination", prefix.String()}}})
		}
	default:
		p.add(k.at, "", shown(k.key+" = "+k.value+": has no counterpart"))
	}
	return nil
}

// routes adds a route for each network of the peers, as wg-quick does: except those that the
// addresses lead to already.
func (q *quick) routes(netns string) {
	if q.table == "off" {
		return
	}
	seen := map[netip.Prefix]bool{}
	for i, to := range q.allowed {
		connected := seen[q.via[i]]
		for _, own := range q.own {
			connected = connected || own.Bits() <= q.via[i].Bits() && own.Contains(q.via[i].Addr())
		}
		if connected {
			continue
		}
		seen[q.via[i]] = true
		to.netns, to.dev = netns, q.l.name
		if q.table != "auto" {
			to.table = q.table
		}
		q.network.routes = append(q.network.routes, &to)
	}
}
