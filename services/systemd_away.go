package services

import (
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// away refuses a unit that asks systemd for a link which its own domain takes out of the default
// one: systemd looks there, so it would pass over the unit in silence (ConditionPathExists=), or
// wait for a link that does not come (BindsTo= of its device).
func (sd *Systemd) away(s generators.Systemd) error {
	links := sd.taken(s.Domain)
	if len(links) == 0 {
		return nil
	}
	for _, unit := range s.Units {
		for _, set := range slices.Concat(conditions(unit, "Condition"), conditions(unit, "Assert"), needs(unit)) {
			value, err := systemd.Specifiers(unit.Name, set.Value)
			if err != nil {
				continue // of a template: its instances are judged by themselves
			}
			for _, l := range links {
				if asksFor(set.Key, value, l.name) {
					return problem.New(placeOf(set), "%s=%s asks for link %s, which %s takes out of the default domain (%s), so %s would not start",
						set.Key, set.Value, l.name, s.Domain, l.at, unit.Name).WithHint(without(unit, set))
				}
			}
		}
	}
	return nil
}

// link is one that a domain's file takes.
type link struct {
	name domain.LinkName
	at   problem.Pos
}

// taken returns the links of the machine that a domain's namespace takes.
func (sd *Systemd) taken(d domain.Domain) (list []link) {
	if d.Netns.IsZero() {
		return nil // those of a VRF stay where systemd sees them
	}
	files := []*conf.File{sd.confs.domains().Of(domain.Domain{Netns: d.Netns})}
	if !d.VRF.IsZero() {
		files = append(files, sd.confs.domains().Of(d))
	}
	for _, f := range files {
		if f == nil {
			continue
		}
		for _, l := range f.Links {
			if l.Kind == "" { // it is there already
				list = append(list, link{l.Name, f.At(l.Line)})
			}
		}
	}
	return list
}

// conditions are the settings of a unit that systemd asks before a start, Condition or Assert. An
// empty one empties all of its kind (systemd.unit(5)). Of those with "|" one has to be true, so
// they are not among them unless there is one alone.
func conditions(unit *systemd.Unit, kind string) (list []systemd.Setting) {
	var either []systemd.Setting
	for _, set := range unit.Settings {
		switch {
		case set.Section != "Unit" || !strings.HasPrefix(set.Key, kind):
		case set.Value == "":
			list, either = nil, nil
		case set.Value[0] == '|':
			either = append(either, set)
		default:
			list = append(list, set)
		}
	}
	if len(either) == 1 {
		list = append(list, either[0])
	}
	return list
}

// needs are the settings by which a unit does not start without another one.
func needs(unit *systemd.Unit) (list []systemd.Setting) {
	for _, key := range []string{"Requires", "Requisite", "BindsTo"} {
		list = append(list, unit.All("Unit", key)...)
	}
	return list
}

// asksFor reports whether a setting of a unit wants that a link is there.
func asksFor(key, value string, name domain.LinkName) bool {
	if !strings.HasPrefix(key, "Condition") && !strings.HasPrefix(key, "Assert") {
		return slices.Contains(strings.Fields(value), "sys-subsystem-net-devices-"+escaped(name.String())+".device")
	}
	const links = "/sys/class/net/"
	of, ok := strings.CutPrefix(path.Clean(strings.TrimPrefix(value, "|")), links)
	of, _, _ = strings.Cut(of, "/")
	return ok && of == name.String()
}

// escaped is a link's name as a part of a unit's (systemd-escape(1)).
func escaped(name string) string {
	const kept = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_."
	var b strings.Builder
	for i := range len(name) {
		if strings.IndexByte(kept, name[i]) >= 0 {
			b.WriteByte(name[i])
		} else {
			b.WriteString(`\x` + string("0123456789abcdef"[name[i]>>4]) + string("0123456789abcdef"[name[i]&15]))
		}
	}
	return b.String()
}

// without is how a unit does without a setting.
func without(unit *systemd.Unit, set systemd.Setting) string {
	if slices.Contains([]string{"Requires", "Requisite", "BindsTo"}, set.Key) {
		return "take it out, in a copy of the unit (" + problem.Command("systemctl", "edit", "--full", unit.Name) + "): no drop-in can"
	}
	return "an empty " + set.Key + "= in a drop-in of " + unit.Name + ", with the unit's other conditions again, which that empties too"
}
