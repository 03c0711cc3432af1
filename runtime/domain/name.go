package domain

import (
	"errors"
	"strconv"
)

// Netns is the validated name of a network namespace, a file in /run/netns.
// The zero value means that no namespace is named. Values compare with ==.
type Netns struct{ name string }

// Link is the validated name of a network link; a VRF is one. The zero value
// means that no link is named. Values compare with ==.
type Link struct{ name string }

// Limits of the kernel, in bytes.
const (
	// MaxLink is IFNAMSIZ less the closing NUL (include/uapi/linux/if.h).
	MaxLink = 15
	// MaxNetns is NAME_MAX (include/uapi/linux/limits.h): the name is a file's.
	MaxNetns = 255
)

// ParseNetns validates s as the name of a network namespace: 1 to 255 bytes of
// [A-Za-z0-9_.-], not "." or "..", not starting with "-". iproute2 accepts more
// (anything that is one path element); what it accepts and we refuse would have
// to be quoted differently in every file that names it.
func ParseNetns(s string) (Netns, error) {
	if err := check("netns", s, MaxNetns); err != nil {
		return Netns{}, err
	}
	return Netns{s}, nil
}

// ParseLink validates s as the name of a link: 1 to 15 bytes of [A-Za-z0-9_.-],
// not "." or "..", not starting with "-". This is stricter than the kernel
// (dev_valid_name, net/core/dev.c), which accepts control bytes and expands
// "%d" to a number.
func ParseLink(s string) (Link, error) { return parseLink("link", s) }

// ParseVRF is ParseLink for the name of a VRF, which the error then calls so.
func ParseVRF(s string) (Link, error) { return parseLink("vrf", s) }

func parseLink(what, s string) (Link, error) {
	if err := check(what, s, MaxLink); err != nil {
		return Link{}, err
	}
	return Link{s}, nil
}

// String returns the name, or "" for the zero value.
func (n Netns) String() string { return n.name }

// String returns the name, or "" for the zero value.
func (l Link) String() string { return l.name }

// IsZero reports whether no namespace is named.
func (n Netns) IsZero() bool { return n.name == "" }

// IsZero reports whether no link is named.
func (l Link) IsZero() bool { return l.name == "" }

// Path returns the file that stands for the namespace: /run/netns/NAME, as
// ip-netns(8) has it. It panics for the zero value, which has no file.
func (n Netns) Path() string {
	if n.IsZero() {
		panic("domain: Path of no netns")
	}
	return "/run/netns/" + n.name
}

// ID returns the ID of the domain that the namespace is.
func (n Netns) ID() ID { return ID{n.name} }

// MarshalText makes the name a plain string in JSON.
func (n Netns) MarshalText() ([]byte, error) { return []byte(n.name), nil }

// MarshalText makes the name a plain string in JSON.
func (l Link) MarshalText() ([]byte, error) { return []byte(l.name), nil }

// UnmarshalText reads a name back; an empty one names nothing.
func (n *Netns) UnmarshalText(text []byte) error {
	d, err := Parse(string(text), "")
	*n = d.Netns
	return err
}

// UnmarshalText reads a name back; an empty one names nothing.
func (l *Link) UnmarshalText(text []byte) error {
	d, err := Parse("", string(text))
	*l = d.VRF
	return err
}

func check(what, s string, limit int) error {
	switch {
	case s == "":
		return errors.New(what + " name is empty")
	case len(s) > limit:
		return errors.New(what + " name " + quote(s) + " has " + strconv.Itoa(len(s)) +
			" bytes, the kernel allows " + strconv.Itoa(limit))
	case s == "." || s == "..":
		return errors.New(what + " name " + quote(s) + " is a directory, not a name")
	case s[0] == '-':
		return errors.New(what + " name " + quote(s) + " starts with \"-\" and would be read as an option")
	}
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return errors.New(what + " name " + quote(s) + " contains " + quote(s[i:i+1]) +
				"; letters, digits, \"_\", \".\" and \"-\" are allowed")
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '.' || c == '-'
}

// quote quotes a rejected string for a message, cut to a readable length.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.QuoteToASCII(s)
}
