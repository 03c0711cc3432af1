package conf

import (
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
	for _, s := range sections {
		if s.header == "Domain" {
			for _, k := range s.keys {
				values[k.name] = k
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
	return p.table(values["Table"])
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
		return &MissingTable{Error{p.path, p.file.KindLine,
			"a vrf needs Table=, a number from 1 to 4294967295 but 253 to 255"}}
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
