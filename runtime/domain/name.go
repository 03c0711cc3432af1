package domain

import (
	"errors"
	"strconv"
)

// NetnsName is the validated name of a network namespace, a file in /run/netns.
// The zero value means that no namespace is named. Values compare with ==.
type NetnsName struct{ name string }

// LinkName is the validated name of a network link; a VRF is one. The zero value
// means that no link is named. Values compare with ==.
type LinkName struct{ name string }

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
func ParseNetns(s string) (NetnsName, error) {
	if err := check("netns", s, MaxNetns); err != nil {
		return NetnsName{}, err
	}
	return NetnsName{s}, nil
}

// ParseLink validates s as the name of a link: 1 to 15 bytes of [A-Za-z0-9_.-],
// not "." or "..", not starting with "-". This is stricter than the kernel
// (dev_valid_name, net/core/dev.c), which accepts control bytes and expands
// "%d" to a number.
func ParseLink(s string) (LinkName, error) { return parseLink("link", s) }

// ParseVRF is ParseLink for the name of a VRF, which the error then calls so.
func ParseVRF(s string) (LinkName, error) { return parseLink("vrf", s) }

func parseLink(what, s string) (LinkName, error) {
	if err := check(what, s, MaxLink); err != nil {
		return LinkName{}, err
	}
	return LinkName{s}, nil
}

// String returns the name, or "" for the zero value.
func (n NetnsName) String() string { return n.name }

// String returns the name, or "" for the zero value.
func (l LinkName) String() string { return l.name }

// IsZero reports whether no namespace is named.
func (n NetnsName) IsZero() bool { return n.name == "" }

// IsZero reports whether no link is named.
func (l LinkName) IsZero() bool { return l.name == "" }

// NetnsDir has the files that stand for namespaces, as ip-netns(8) has it.
const NetnsDir = "/run/netns"

// Path returns the file that stands for the namespace: /run/netns/NAME. It panics for
// the zero value, which has no file.
func (n NetnsName) Path() string {
	if n.IsZero() {
		panic("domain: Path of no netns")
	}
	return NetnsDir + "/" + n.name
}

// Etc returns the folder of the namespace's own resolver files: /etc/netns/NAME, as
// ip-netns(8) has it.
func (n NetnsName) Etc() string { return "/etc/netns/" + n.name }

// ResolverDir has a folder for each VRF that has resolver files of its own.
const ResolverDir = "/run/rdomain/resolver"

// Etc returns the folder of the domain's own resolver files: that of the namespace, or
// ResolverDir/ID for a VRF. That one is rdomain's alone: where it is there, the VRF's
// services look up names by what is in it.
func (d Domain) Etc() string {
	if d.VRF.IsZero() {
		return d.Netns.Etc()
	}
	return ResolverDir + "/" + d.ID()
}

// ID returns the ID of the domain that the namespace is.
func (n NetnsName) ID() ID { return ID{n.name} }

// MarshalText makes the name a plain string in JSON.
func (n NetnsName) MarshalText() ([]byte, error) { return []byte(n.name), nil }

// MarshalText makes the name a plain string in JSON.
func (l LinkName) MarshalText() ([]byte, error) { return []byte(l.name), nil }

// UnmarshalText reads a name back; an empty one names nothing.
func (n *NetnsName) UnmarshalText(text []byte) error {
	d, err := Parse(string(text), "")
	*n = d.Netns
	return err
}

// UnmarshalText reads a name back; an empty one names nothing.
func (l *LinkName) UnmarshalText(text []byte) error {
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
			end := i + 1
			for end < len(s) && s[end]&0xc0 == 0x80 { // the letter as it was typed
				end++
			}
			return errors.New(what + " name " + quote(s) + " contains " + quote(s[i:end]) +
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
	return strconv.Quote(s)
}
