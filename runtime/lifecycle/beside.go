package lifecycle

import (
	"os"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/networkd"
	"rdgen/runtime/plan"
)

// beside says which links of a VRF another network manager takes out of it: those of
// its file, and links.
func beside(f *conf.File, have *plan.State, links []string) (problems []string) {
	if f.Kind != conf.VRF || !f.Domain.Netns.IsZero() {
		return nil // networkd sees the links of its own namespace
	}
	links = slices.Clone(links)
	for _, l := range f.Links {
		if name := l.Name.String(); !slices.Contains(links, name) {
			links = append(links, name)
		}
	}
	vrf := f.Domain.VRF.String()
	for _, name := range links {
		now := have.Inside[name]
		l := networkd.Link{Name: name, MAC: now.MAC, Kind: now.Kind, Type: devType(name)}
		if err, _ := networkd.Taken(os.DirFS("/"), l, vrf, have.Inside[vrf].Table); err != nil {
			problems = append(problems, err.Error()+"; "+err.Hint)
		}
	}
	return problems
}

// sayBeside says the same of a domain that came up: it may not stay as it is.
func (w *work) sayBeside() error {
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return err
	}
	for _, text := range beside(w.f, have, nil) {
		w.h.say(w.id, "%s", text)
	}
	return nil
}

// devType is what Type= of networkd's [Match] is compared with.
func devType(link string) string {
	text, _ := os.ReadFile("/sys/class/net/" + link + "/uevent")
	for line := range strings.Lines(string(text)) {
		if t, ok := strings.CutPrefix(strings.TrimSpace(line), "DEVTYPE="); ok {
			return t
		}
	}
	return "ether"
}
