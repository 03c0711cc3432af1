package imports

import (
	"fmt"
	"net/netip"
	"strings"

	"rdgen/problem"
)

// keyFile returns the file that a key of WireGuard is to be in, and the comment that says how
// it gets there: before is a regular expression for what stands before it in its line. The
// key itself is not looked at any further.
func keyFile(at problem.Pos, link, name, before string) (path, how string) {
	path = "/etc/wireguard/" + link + "." + name
	how = fmt.Sprintf("the key is not taken over; this does it: (umask 077; sed -n '%ds/^%s[\"'\\'']*\\([A-Za-z0-9+\\/=]*\\).*/\\1/p' %s >%s)",
		at.Line, before, problem.Command(at.File), path)
	return path, how
}

// ini is what stands before a value in an INI file.
const ini = "[^=]*=[[:space:]]*"

// before is what stands before a value in its line of a YAML file.
func (v value) before() string { return fmt.Sprintf(`.\{%d\}`, v.Column-1) }

// secretFile adds a key of a section that names a file, and the comment.
func (l *link) secretFile(at problem.Pos, before string) {
	path, how := keyFile(at, l.name, "key", before)
	l.set(at, "PrivateKeyFile", path)
	l.notes = append(l.notes, at.String()+": "+how)
}

// presharedFile is secretFile for the newest peer.
func (l *link) presharedFile(at problem.Pos, before string) {
	path, how := keyFile(at, l.name, fmt.Sprintf("psk%d", len(l.peers)), before)
	l.peer1().add(at, "PresharedKeyFile", path)
	l.peer1().add(at, "", how)
}

// peerList is the newest peer of a link.
type peerList struct{ l *link }

func (l *link) peer1() peerList { return peerList{l} }

func (p peerList) add(at problem.Pos, key, value string) {
	last := &p.l.peers[len(p.l.peers)-1]
	*last = append(*last, item{at, key, value})
}

// allowedIPs reads the networks of a peer; of an address with a length the network counts.
func allowedIPs(at problem.Pos, text string) (list []netip.Prefix, err error) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		network, err := networkOf(at, word)
		if err != nil {
			return nil, err
		}
		p, err := netip.ParsePrefix(network)
		if err != nil {
			return nil, problem.New(at, "%w", err)
		}
		list = append(list, p)
	}
	return list, nil
}

// allow adds networks to the newest peer.
func (l *link) allow(at problem.Pos, text string) ([]netip.Prefix, error) {
	list, err := allowedIPs(at, text)
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	if err == nil && len(words) > 0 {
		l.peer1().add(at, "AllowedIPs", strings.Join(words, ", "))
	}
	return list, err
}
