package systemd

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// ties are units that a setting of their own ties to a service: the sockets that start it,
// the companions that stop with it.
type ties struct {
	// plain has by service the units that name it, or a template's of any instance.
	plain map[string][]string
	// open are those of which the service depends on the instance, or on what is not known.
	open []tie
}

type tie struct {
	unit, owner string
	set         Setting
}

// What stands in a name for the instance of a template, and for what only systemd knows.
const (
	instanceMark = "\x00"
	unknownMark  = "\x01"
)

// expandName expands a name in a setting of unit as systemd does where a unit is named
// (unit_name_printf, src/core/unit-printf.c): in that of a template, the instance is
// left open.
func expandName(unit, text string) string {
	suffix := path.Ext(unit)
	stem := strings.TrimSuffix(unit, suffix)
	prefix, instance, _ := strings.Cut(stem, "@")
	if strings.HasSuffix(stem, "@") {
		instance, stem = instanceMark, stem+instanceMark
	}
	known := map[byte]string{'%': "%", 'n': stem + suffix, 'N': stem, 'p': prefix, 'i': instance,
		'j': prefix[strings.LastIndexByte(prefix, '-')+1:], 'u': "root", 'g': "root", 'U': "0", 'G': "0"}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if value, ok := known[text[i]]; ok {
			b.WriteString(value)
		} else {
			b.WriteString(unknownMark)
		}
	}
	return b.String()
}

// closed returns such a name as the template has it: without an instance.
func closed(name string) string { return strings.ReplaceAll(name, instanceMark, "") }

func (t *ties) add(u *Units, unit, owner string, set Setting) {
	if strings.ContainsAny(owner, instanceMark+unknownMark) {
		t.open = append(t.open, tie{unit, owner, set})
		return
	}
	if real, _, err := u.resolve(owner); err == nil {
		owner = real
	}
	if !slices.Contains(t.plain[owner], unit) {
		t.plain[owner] = append(t.plain[owner], unit)
	}
}

// of returns the units that are tied to a service. The error is of those among them that
// only may be.
func (t *ties) of(u *Units, service string) ([]string, error) {
	var errs []error
	found := slices.Clone(t.plain[service])
	add := func(unit string) {
		if !slices.Contains(found, unit) && ValidName(unit) {
			found = append(found, unit)
		}
	}
	names := append([]string{service}, u.namesOf(service)...)
	for _, o := range t.open {
		for _, name := range names {
			if may(o, name) && o.unit != name {
				errs = append(errs, fmt.Errorf("%s:%d: %s=%s of %s has a specifier that only systemd knows, so it may be %s: write the name out, by a drop-in",
					o.set.File, o.set.Line, o.set.Key, o.set.Value, o.unit, name))
				add(o.unit)
				break
			}
			instance, ok := solve(o.owner, name)
			if strings.Contains(name, "@.") {
				instance, ok = "", closed(o.owner) == name // the template stands for each of its instances
			} else {
				// Or w@.service that is PartOf=%i.service has w@w@x.service, and so on for ever.
				prefix, _, _ := strings.Cut(o.unit, "@")
				ok = ok && instance != "" && strings.Count(instance, "@") < 2 && !strings.HasPrefix(instance, prefix+"@")
			}
			if !ok {
				continue
			}
			add(strings.Replace(o.unit, "@.", "@"+instance+".", 1))
		}
	}
	return found, errors.Join(errs...)
}

// solve returns the instance with which owner is name.
func solve(owner, name string) (instance string, ok bool) {
	n := strings.Count(owner, instanceMark)
	rest := len(name) - (len(owner) - n)
	if n == 0 || rest < 0 || rest%n != 0 {
		return "", false
	}
	first := strings.Index(owner, instanceMark)
	if first+rest/n > len(name) {
		return "", false
	}
	instance = name[first : first+rest/n]
	return instance, strings.ReplaceAll(owner, instanceMark, instance) == name
}

// may reports whether an owner that is not all known can be name.
func may(o tie, name string) bool {
	if !strings.Contains(o.owner, unknownMark) {
		return false
	}
	parts := strings.FieldsFunc(o.owner, func(r rune) bool { return r == 0 || r == 1 })
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	form := strings.Join(parts, ".*")
	if strings.IndexAny(o.owner, instanceMark+unknownMark) == 0 {
		form = ".*" + form
	}
	ok, err := regexp.MatchString("^"+form+"$", name)
	return ok || err != nil
}

// Tied is a unit that is tied to an instance of a template.
type Tied struct{ Unit, Owner string }

// TiedToInstances returns the sockets and companions of single instances of a template,
// which have files of their own.
func (u *Units) TiedToInstances(template string) (list []Tied) {
	for _, t := range []*ties{u.sockets(), u.index().companions} {
		for owner, units := range t.plain {
			if of, _, ok := Instance(owner); ok && of == template {
				for _, unit := range units {
					list = append(list, Tied{unit, owner})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b Tied) int { return strings.Compare(a.Unit, b.Unit) })
	return list
}
