package imports

import (
	"cmp"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/draft"
)

// owner returns the VRF that has a table, nil if none has.
func (a *assembly) owner(netns, table, vrf string) *link {
	for _, l := range a.links {
		if l.kind == "vrf" && l.netns == netns && (vrf != "" && l.name == vrf || vrf == "" && table != "" && l.table == table) {
			return l
		}
	}
	return nil
}

// followed returns the VRF of the link that a route is of, "" if that is in none or the route
// names its table.
func (a *assembly) followed(r *route) string {
	if r.of == nil || r.table != "" {
		return ""
	}
	for _, name := range []string{r.of.name, r.of.master} {
		if vrf := a.find(r.netns, name); vrf != nil && vrf.kind == "vrf" {
			return name
		}
	}
	return ""
}

func (a *assembly) allRoutes() error {
	for _, r := range a.routes {
		own := a.owner(r.netns, r.table, cmp.Or(r.vrf, a.followed(r)))
		var f *draft.File
		var err error
		switch {
		case own != nil:
			vrf, _ := domain.ParseVRF(own.name) // it was looked at before
			f, err = a.file(domain.Domain{VRF: vrf}, r.netns, r.at)
		case r.vrf != "":
			err = problem.New(r.at, "no file that is read makes the VRF %s", r.vrf)
		case r.netns != "":
			f, err = a.file(domain.Domain{}, r.netns, r.at)
		default:
			a.result.Left = append(a.result.Left, lineNote(r.at, "route to "+valueOf(r.keys, "Destination")+" is in no table of a VRF: it is the default domain's"))
			continue
		}
		if err != nil {
			return err
		}
		s := f.Add("Route", r.at)
		for _, k := range r.keys {
			s.Set(k.key, k.value, k.at)
		}
		if r.dev != "" {
			s.Set("Device", r.dev, r.at)
		}
		if own == nil && r.table != "" && r.table != "254" && r.table != "main" {
			s.Set("Table", r.table, r.at)
		}
	}
	return nil
}

func (a *assembly) allRules() error {
	for _, r := range a.rules {
		f, err := a.ruleFile(r)
		if err != nil {
			return err
		}
		if f == nil {
			a.result.Left = append(a.result.Left, lineNote(r.at, "a rule for table "+r.table+" is the default domain's"))
			continue
		}
		s := f.Add("RoutingPolicyRule", r.at)
		for _, k := range r.keys {
			s.Set(k.key, k.value, k.at)
		}
		if r.table != "" {
			s.Set("Table", strings.Replace(r.table, "main", "254", 1), r.at)
		}
	}
	return nil
}

func (a *assembly) ruleFile(r *rule) (*draft.File, error) {
	if r.netns != "" {
		return a.file(domain.Domain{}, r.netns, r.at)
	}
	own := a.owner("", r.table, "")
	if own == nil {
		return nil, nil
	}
	vrf, err := domain.ParseVRF(own.name)
	if err != nil {
		return nil, err
	}
	return a.file(domain.Domain{VRF: vrf}, "", r.at)
}

func (a *assembly) allSysctls() error {
	for _, v := range a.sysctls {
		if v.netns == "" {
			a.result.Left = append(a.result.Left, lineNote(v.at, "the variable "+v.name+" is the default domain's"))
			continue
		}
		f, err := a.file(domain.Domain{}, v.netns, v.at)
		if err != nil {
			return err
		}
		f.Section("Sysctl", v.at).Set(v.name, v.value, v.at)
	}
	return nil
}

func valueOf(list []item, key string) string {
	for _, k := range list {
		if k.key == key {
			return k.value
		}
	}
	return ""
}
