package services

import (
	"errors"
	"net/netip"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
)

// Drafted returns what is wrong with a domain's file that is not there yet, by itself, with
// what it refers to and together with the others; and a Loader that reads the machine as it is
// with it.
func (l *Loader) Drafted(id domain.ID, text []byte) (*Loader, []error) {
	file := conf.Path(id)
	after := NewLoader(&changed{l.confs.fsys, file[1:], text}, domain.Domain{})
	all := after.confs.domains()
	var errs []error
	for _, f := range all.Files {
		if f.Path == file {
			errs = append(errs, f.Inputs(l.confs.fsys)...)
		}
	}
	for _, err := range all.Errs {
		if e, ok := errors.AsType[*problem.Error](err); ok && e.File == file {
			errs = append(errs, err)
		}
	}
	return after, append(errs, all.With(file)...)
}

// FreeTable returns the first number from 10 on that no file has as a VRF's table.
func (l *Loader) FreeTable() uint32 {
	table := uint32(10)
	for slices.ContainsFunc(l.confs.domains().Files, func(f *conf.File) bool { return f.Table == table }) {
		table++
	}
	return table
}

// FreePair returns two addresses for a cable, of a network that no file has an address in.
func (l *Loader) FreePair() (inside, outside netip.Prefix) {
	outside = netip.MustParsePrefix("10.255.0.1/30")
	for l.taken(outside) {
		a := outside.Addr()
		for range 4 {
			a = a.Next()
		}
		outside = netip.PrefixFrom(a, outside.Bits())
	}
	return netip.PrefixFrom(outside.Addr().Next(), outside.Bits()), outside
}

// taken reports whether a file has an address in a network.
func (l *Loader) taken(p netip.Prefix) bool {
	overlaps := func(a conf.Address) bool { return a.Prefix.Overlaps(p.Masked()) }
	return l.links(func(link conf.Link) bool {
		return slices.ContainsFunc(link.Addresses, overlaps) || slices.ContainsFunc(link.PeerAddresses, overlaps)
	})
}

// FreeLink returns a name for the outer end of a domain's cable that no file has.
func (l *Loader) FreeLink(id domain.ID) domain.LinkName {
	for n := 0; ; n++ {
		end := string(rune('0' + n%10))
		if n == 0 {
			end = ""
		}
		text := "veth-" + id.String()
		name, err := domain.ParseLink(text[:min(len(text), domain.MaxLink-len(end))] + end)
		if err == nil && (n > 9 || !l.links(func(link conf.Link) bool { return link.Peer == name || link.Name == name })) {
			return name
		}
	}
}

// links reports whether some link of a file is such a one.
func (l *Loader) links(is func(conf.Link) bool) bool {
	return slices.ContainsFunc(l.confs.domains().Files, func(f *conf.File) bool { return slices.ContainsFunc(f.Links, is) })
}
