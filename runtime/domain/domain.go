// Package domain is the leaf that every other package may import: what a
// routing domain is called, the command line of rdexec, and the exit codes.
// It makes no system call and imports nothing but strconv and errors.
package domain

import (
	"errors"
	"strconv"
	"strings"
)

// Domain is the place in the network where a service runs: a network
// namespace, a VRF, or a VRF inside a network namespace. The zero value is the
// default domain, the one that a process is in when nobody put it elsewhere.
type Domain struct {
	// Netns is entered first; zero means the namespace of the caller.
	Netns NetnsName `json:"netns,omitzero"`
	// VRF is looked up inside Netns; zero means none.
	VRF LinkName `json:"vrf,omitzero"`
}

// Parse validates the two values of a conf.d file. An empty string means that
// the key is not set.
func Parse(netns, vrf string) (Domain, error) {
	var d Domain
	var err error
	if netns != "" {
		if d.Netns, err = ParseNetns(netns); err != nil {
			return Domain{}, err
		}
	}
	if vrf != "" {
		if d.VRF, err = ParseVRF(vrf); err != nil {
			return Domain{}, err
		}
	}
	if _, err := makeID(d.ID(), nil); err != nil {
		return Domain{}, err
	}
	return d, nil
}

// IsDefault reports whether d is the default domain.
func (d Domain) IsDefault() bool { return d == Domain{} }

// ID returns the name by which init systems and rdomain(8) know the domain:
// the namespace's name, the VRF's name, or VRF@NETNS for a VRF inside a
// namespace. It is the instance in rdomain@ID.service and rdomain.ID, and
// /etc/rdomain/ID.conf is the domain's file. Every character of it stands for
// itself in a systemd unit name, an OpenRC service name and an s6-rc name.
// The ID of the default domain is "".
func (d Domain) ID() string { return SpellID(d.Netns.String(), d.VRF.String()) }

// SpellID returns the ID of a domain whose names the kernel reports, which may be
// names that no file can have.
func SpellID(netns, vrf string) string {
	switch {
	case vrf == "":
		return netns
	case netns == "":
		return vrf
	}
	return vrf + "@" + netns
}

// String describes the domain for a message: `netns blue`, `vrf mgmt`,
// `vrf mgmt in netns blue` or `the default domain`.
func (d Domain) String() string {
	switch {
	case d.IsDefault():
		return "the default domain"
	case d.VRF.IsZero():
		return "netns " + d.Netns.String()
	case d.Netns.IsZero():
		return "vrf " + d.VRF.String()
	}
	return "vrf " + d.VRF.String() + " in netns " + d.Netns.String()
}

// ID is the validated name of a domain as init systems and rdomain(8) use it:
// a NetnsName (which a VRF's name always is too), or VRF@NETNS. The zero value
// names nothing.
type ID struct{ id string }

// ParseID validates s as a domain's ID. Whether NAME alone is a VRF or a
// namespace is decided by /etc/rdomain/NAME.conf or by what exists.
func ParseID(s string) (ID, error) {
	vrf, netns, both := strings.Cut(s, "@")
	if !both {
		_, err := ParseNetns(s)
		return makeID(s, err)
	}
	if _, err := ParseVRF(vrf); err != nil {
		return ID{}, err
	}
	_, err := ParseNetns(netns)
	return makeID(s, err)
}

// MaxID is the longest ID in bytes: rdomain@ID.service is the name of a unit, which has at
// most 255 (systemd.unit(5)).
const MaxID = 255 - len("rdomain@.service")

func makeID(s string, err error) (ID, error) {
	if err == nil && len(s) > MaxID {
		err = errors.New("domain name " + quote(s) + " has " + strconv.Itoa(len(s)) + " bytes, rdomain allows " + strconv.Itoa(MaxID))
	}
	if err != nil {
		return ID{}, err
	}
	return ID{s}, nil
}

// String returns the ID as it was parsed, or "" for the zero value.
func (id ID) String() string { return id.id }

// IsZero reports whether nothing is named.
func (id ID) IsZero() bool { return id.id == "" }

// MarshalText makes the ID a plain string in JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.id), nil }

// UnmarshalText reads an ID back; an empty one names nothing.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id = ID{}
	if len(text) > 0 {
		*id, err = ParseID(string(text))
	}
	return err
}

// Both returns the domain that an ID of the form VRF@NETNS names, and whether
// it has that form.
func (id ID) Both() (Domain, bool) {
	vrf, netns, both := strings.Cut(id.id, "@")
	if !both {
		return Domain{}, false
	}
	return Domain{Netns: NetnsName{netns}, VRF: LinkName{vrf}}, true
}

// Exit codes of rdexec and rdomain, which supervisors act on. 100 and 111 are
// those of s6 and execline (skarnet.org, "exit codes"), 126 and 127 those of
// the shell.
const (
	ExitPermanent = 100 // trying again cannot help: usage, a bad name, a bad file
	ExitTemporary = 111 // a system call failed: trying again may help
	ExitCannotRun = 126 // the program was found but cannot be executed
	ExitNotFound  = 127 // the program was not found
)
