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

// warn says of a domain that came up why it may not be, or not stay, what the file says.
func (w *work) warn() {
	if w.f.Loose != "" {
		w.h.say(w.id, "%s", w.f.Loose)
	}
	if len(w.f.DNS) == 0 && (w.f.Kind != conf.VRF || len(w.f.Links) == 0) {
		return
	}
	have, err := w.Read(w.f, w.r)
	if err != nil {
		w.h.say(w.id, "it is up; whether others take part of it away is not known: %v", err)
		return
	}
	for _, text := range append(plan.NotInEffect(w.f, have), beside(w.f, have, nil)...) {
		w.h.say(w.id, "%s", text)
	}
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
