package conf

import (
	"net/netip"
	"slices"
	"strings"

	"rdgen/runtime/domain"
)

// domain reads [Domain], or what the file's name says without it.
func (p *parser) domain(sections []section) error {
	f := p.file
	implied, both := p.id.Both()
	if both {
		f.Kind = VRF
	}
	values := map[string]key{}
	var lists []key
	for _, s := range sections {
		if s.header == "Domain" {
			for _, k := range s.keys {
				if values[k.name] = k; repeated[k.name] {
					lists = append(lists, k)
				}
			}
		}
	}
	if k, ok := values["Kind"]; ok {
		if k.value != string(Netns) && k.value != string(VRF) {
			return p.fail(k.line, "Kind=%s: expected netns or vrf", clip(k.value))
		}
		if f.Kind = Kind(k.value); both && f.Kind != VRF {
			return p.fail(k.line, "Kind=%s: the file's name, VRF@NETNS.conf, says that it is a vrf", f.Kind)
		}
	}
	name := p.id.String()
	if both {
		name = implied.VRF.String()
	}
	if k, ok := values["Name"]; ok {
		if both && k.value != name {
			return p.fail(k.line, "Name=%s: the file's name says %s", clip(k.value), name)
		}
		name = k.value
	}
	nameLine := max(values["Name"].line, f.KindLine)
	if err := p.domainName(name, nameLine, values["Netns"], implied); err != nil {
		return err
	}
	f.Description = values["Description"].value
	if k, ok := values["Managed"]; ok {
		switch k.value {
		case "yes":
		case "no":
			f.Managed = false
		default:
			return p.fail(k.line, "Managed=%s: expected yes or no", clip(k.value))
		}
	}
	if err := p.table(values["Table"]); err != nil {
		return err
	}
	if k, ok := values["TimeoutSec"]; ok {
		var err error
		if f.Timeout, err = p.number(k, 0, 3600); err != nil {
			return err
		}
	}
	for _, k := range lists {
		if err := p.list(k); err != nil {
			return err
		}
	}
	return p.search(values["Domains"])
}

// DefaultTimeout is TimeoutSec= where it is not given.
const DefaultTimeout = 30

// list reads a key of [Domain] that may repeat, and may have several values.
func (p *parser) list(k key) error {
	f := p.file
	for word := range strings.FieldsSeq(k.value) {
		one := key{k.line, k.name, word}
		switch k.name {
		case "Requires":
			ref, err := p.ref(one)
			switch {
			case err != nil:
				return err
			case ref.ID == p.id:
				return p.fail(k.line, "Requires=%s: a domain cannot require itself", word)
			case slices.ContainsFunc(f.Requires, func(o Ref) bool { return o.ID == ref.ID }):
				return p.fail(k.line, "Requires=%s stands twice", word)
			}
			f.Requires = append(f.Requires, ref)
		case "RequiresLink":
			name, err := p.name(one)
			switch {
			case err != nil:
				return err
			case slices.ContainsFunc(f.RequiresLinks, func(o Device) bool { return o.Name == name }):
				return p.fail(k.line, "RequiresLink=%s stands twice", word)
			}
			f.RequiresLinks = append(f.RequiresLinks, Device{k.line, name})
		case "DNS":
			a, err := netip.ParseAddr(word)
			switch {
			case f.Kind == VRF:
				return p.fail(k.line, "DNS= is for Kind=netns; a vrf's services use the resolver files of its namespace")
			case err != nil || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast():
				return p.fail(k.line, "DNS=%s: expected addresses, such as 10.0.0.53 or 2001:db8::53%s", clip(word), commentHint(k.value))
			case slices.ContainsFunc(f.DNS, func(o Server) bool { return o.Addr == a }):
				return p.fail(k.line, "DNS=%s stands twice", word)
			}
			f.DNS = append(f.DNS, Server{k.line, a})
			f.DNSLine = k.line
		}
	}
	return nil
}

// search reads Domains=, the search list.
func (p *parser) search(k key) error {
	if k.line == 0 {
		return nil
	}
	if len(p.file.DNS) == 0 {
		return p.fail(k.line, "Domains= needs DNS=, a resolver to ask")
	}
	for word := range strings.FieldsSeq(k.value) {
		if !isHost(word) || slices.Contains(p.file.Search, word) {
			return p.fail(k.line, "Domains=%s: expected names of domains, each once, such as example.org%s", clip(word), commentHint(k.value))
		}
		p.file.Search = append(p.file.Search, word)
	}
	if len(strings.Join(p.file.Search, " ")) > 255 || len(p.file.Search) > 6 {
		return p.fail(k.line, "Domains=: expected at most 6 names with 255 characters, which is what resolvers take")
	}
	return nil
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

// Tables that a VRF must not use: default, main and local. The kernel would
// let it.
const firstReserved, lastReserved = 253, 255

func (p *parser) table(k key) (err error) {
	switch {
	case p.file.Kind == Netns && k.line != 0:
		return p.fail(k.line, "Table= is for Kind=vrf")
	case p.file.Kind == Netns:
		return nil
	case k.line == 0 && p.file.Managed:
		return p.fail(p.file.KindLine, "%w", ErrNoTable)
	case k.line == 0:
		return nil
	}
	if p.file.Table, err = p.number(k, 1, 1<<32-1); err != nil {
		return err
	}
	if t := p.file.Table; t >= firstReserved && t <= lastReserved {
		return p.fail(k.line, "Table=%d is the kernel's own (253 default, 254 main, 255 local); expected another number", t)
	}
	return nil
}
