package conf

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"rdgen/runtime/domain"
)

// domainSection is what [Domain] says, before Kind= and the file's name say what its
// names are names of.
type domainSection struct {
	*File
	name, netns key
}

// domainFields are the keys of [Domain]. Kind= is read first.
var domainFields = fields[domainSection]{
	"Kind": once(func(p *parser, d *domainSection, k key) error {
		_, both := p.id.Both()
		if k.value != string(Netns) && k.value != string(VRF) {
			return p.fail(k.line, "Kind=%s: expected netns or vrf", clip(k.value))
		}
		if d.Kind = Kind(k.value); both && d.Kind != VRF {
			return p.fail(k.line, "Kind=%s: the file's name, VRF@NETNS.conf, says that it is a vrf", d.Kind)
		}
		return nil
	}),
	"Name":         set(func(d *domainSection) *key { return &d.name }, asWritten),
	"Netns":        set(func(d *domainSection) *key { return &d.netns }, asWritten),
	"Description":  set(func(d *domainSection) *string { return &d.Description }, text),
	"Managed":      set(func(d *domainSection) *bool { return &d.Managed }, (*parser).yes),
	"Table":        set(func(d *domainSection) *uint32 { return &d.Table }, (*parser).vrfTable),
	"TimeoutSec":   set(func(d *domainSection) *uint32 { return &d.Timeout }, number[uint32](0, 3600)),
	"Requires":     list(words((*parser).requires)),
	"RequiresLink": list(words((*parser).requiresLink)),
	"DNS":          list((*parser).dns),
	"Domains":      once((*parser).search),
	"Firewall":     once((*parser).firewall),
	"AllowUsers":   list(words(account(func(d *domainSection) *[]string { return &d.AllowUsers }))),
	"AllowGroups":  list(words(account(func(d *domainSection) *[]string { return &d.AllowGroups }))),
}

func asWritten(_ *parser, k key) (key, error) { return k, nil }
func text(_ *parser, k key) (string, error)   { return k.value, nil }

// words reads a key that may have several values, one after the other.
func words(read func(*parser, *domainSection, key) error) func(*parser, *domainSection, key) error {
	return func(p *parser, d *domainSection, k key) error {
		for word := range strings.FieldsSeq(k.value) {
			if err := read(p, d, key{k.line, k.name, word}); err != nil {
				return err
			}
		}
		return nil
	}
}

// domain reads [Domain], or what the file's name says without it.
func (p *parser) domain(sections []section) error {
	d := domainSection{File: p.file}
	implied, both := p.id.Both()
	if both {
		d.Kind = VRF
	}
	var found []key
	for _, s := range sections {
		if s.header == "Domain" {
			found = s.keys
		}
	}
	lines, err := domainFields.read(p, &d, found, "Kind")
	if err != nil {
		return err
	}
	name := p.id.String()
	if both {
		name = implied.VRF.String()
	}
	if k := d.name; k.line != 0 {
		if both && k.value != name {
			return p.fail(k.line, "Name=%s: the file's name says %s", clip(k.value), name)
		}
		name = k.value
	}
	if err := p.domainName(name, max(d.name.line, d.KindLine), d.netns, implied); err != nil {
		return err
	}
	switch {
	case d.Kind == VRF && d.Managed && d.Table == 0:
		return p.fail(d.KindLine, "%w", ErrNoTable)
	case lines["Domains"] != 0 && len(d.DNS) == 0:
		return p.fail(lines["Domains"], "Domains= needs DNS=, a resolver to ask")
	case len(d.DNS) > 0 && !d.Managed:
		return p.fail(d.DNSLine, "Managed=no makes nothing, so there can be no DNS=")
	case d.Firewall != "" && !d.Managed:
		return p.fail(d.FirewallLine, "Managed=no makes nothing, so there can be no Firewall=")
	}
	return nil
}

// DefaultTimeout is TimeoutSec= where it is not given.
const DefaultTimeout = 30

func (p *parser) requires(d *domainSection, k key) error {
	ref, err := p.ref(k)
	switch {
	case err != nil:
		return err
	case ref.ID == p.id:
		return p.fail(k.line, "Requires=%s: a domain cannot require itself", k.value)
	case slices.ContainsFunc(d.Requires, func(o Ref) bool { return o.ID == ref.ID }):
		return p.fail(k.line, "Requires=%s stands twice", k.value)
	}
	d.Requires = append(d.Requires, ref)
	return nil
}

func (p *parser) requiresLink(d *domainSection, k key) error {
	name, err := p.name(k)
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(d.RequiresLinks, func(o Device) bool { return o.Name == name }):
		return p.fail(k.line, "RequiresLink=%s stands twice", k.value)
	}
	d.RequiresLinks = append(d.RequiresLinks, Device{k.line, name})
	return nil
}

func (p *parser) dns(d *domainSection, k key) error {
	for word := range strings.FieldsSeq(k.value) {
		a, err := netip.ParseAddr(word)
		switch {
		case err != nil || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast():
			return p.fail(k.line, "DNS=%s: expected addresses, such as 10.0.0.53 or 2001:db8::53%s", clip(word), commentHint(k.value))
		case slices.ContainsFunc(d.DNS, func(o Server) bool { return o.Addr == a }):
			return p.fail(k.line, "DNS=%s stands twice", word)
		}
		d.DNS, d.DNSLine = append(d.DNS, Server{k.line, a}), k.line
	}
	return nil
}

// search reads Domains=, the search list.
func (p *parser) search(d *domainSection, k key) error {
	for word := range strings.FieldsSeq(k.value) {
		if !isHost(word) || slices.Contains(d.Search, word) {
			return p.fail(k.line, "Domains=%s: expected names of domains, each once, such as example.org%s", clip(word), commentHint(k.value))
		}
		d.Search = append(d.Search, word)
	}
	if len(strings.Join(d.Search, " ")) > 255 || len(d.Search) > 6 {
		return p.fail(k.line, "Domains=: expected at most 6 names with 255 characters, which is what resolvers take")
	}
	return nil
}

// firewall reads the path of a ruleset.
func (p *parser) firewall(d *domainSection, k key) error {
	switch {
	case d.Kind == VRF:
		return p.fail(k.line, "Firewall= is for Kind=netns; a vrf has no rules of its own, those of its namespace are for all")
	case !isPath(k.value):
		return p.fail(k.line, "Firewall=%s: expected the path of a file, such as /etc/rdomain/private.nft%s", clip(k.value), commentHint(k.value))
	}
	d.Firewall, d.FirewallLine = k.value, k.line
	return nil
}

// account reads the name or the number of a user or a group.
func account(to func(*domainSection) *[]string) func(*parser, *domainSection, key) error {
	return func(p *parser, d *domainSection, k key) error {
		all := to(d)
		switch {
		case strings.Trim(k.value, "0") == "" || k.value == "root":
			return p.fail(k.line, "%s=%s: root may enter every domain, and no user becomes root by it", k.name, clip(k.value))
		case strings.ContainsAny(k.value, ",:/*%!") || strings.ContainsFunc(k.value, unicode.IsControl) || strings.HasPrefix(k.value, "-"):
			return p.fail(k.line, "%s=%s: expected names or numbers with a space between them, such as alice bob%s", k.name, clip(k.value), commentHint(k.value))
		case slices.Contains(*all, k.value):
			return p.fail(k.line, "%s=%s stands twice", k.name, clip(k.value))
		}
		*all = append(*all, k.value)
		return nil
	}
}

func (p *parser) domainName(name string, line int, netns key, implied domain.Domain) (err error) {
	f := p.file
	if f.Kind == Netns {
		if netns.line != 0 {
			return p.fail(netns.line, "Netns= is for Kind=vrf; a namespace's own name is Name=")
		}
		if f.Domain.Netns, err = domain.ParseNetns(name); err != nil {
			return p.fail(line, "%v", err)
		}
		return nil
	}
	if f.Domain.VRF, err = domain.ParseVRF(name); err != nil {
		return p.fail(line, "%v; Name= gives the VRF another name than the file's", err)
	}
	f.Domain.Netns = implied.Netns
	if netns.line != 0 {
		if f.Domain.Netns, err = domain.ParseNetns(netns.value); err != nil {
			return p.fail(netns.line, "%v", err)
		}
		if implied != (domain.Domain{}) && f.Domain.Netns != implied.Netns {
			return p.fail(netns.line, "Netns=%s: the file's name says %s", netns.value, implied.Netns)
		}
	}
	return nil
}
