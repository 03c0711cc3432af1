package lifecycle

import (
	"io/fs"
	"os"
	"path"
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
		l := networkd.Device{Name: name, MAC: now.MAC, Kind: now.Kind, Type: devType(name)}
		if err, _ := networkd.Taken(conf.Machine(), l, vrf, have.Inside[vrf].Table); err != nil {
			problems = append(problems, err.Error()+"; "+err.Hint)
		}
	}
	return problems
}

// loose says what others than root can write of the file, and of the files that the
// namespace's services find in /etc instead of the host's: who writes there a passwd, an
// nsswitch.conf or an ld.so.preload has what root's services have.
func loose(f *conf.File) (problems []string) {
	if f.Loose != "" {
		problems = append(problems, f.Loose)
	}
	if f.Domain.Netns.IsZero() {
		return problems
	}
	dir := f.Domain.Netns.Etc()
	files := []string{path.Dir(dir), dir}
	entries, _ := os.ReadDir(dir) // mostly there is none
	for _, e := range entries {
		files = append(files, path.Join(dir, e.Name()))
	}
	for _, name := range files {
		info, err := os.Lstat(name)
		if err != nil || info.Mode()&fs.ModeSymlink != 0 {
			continue // is not there; or is a program's of the host, as systemd-resolved's is
		}
		if text := conf.Loose(name, info, "what services in it find in /etc"); text != "" {
			problems = append(problems, text)
		}
	}
	return problems
}

// warn says of a domain that came up why it may not be, or not stay, what the file says.
func (w *work) warn() {
	for _, text := range loose(w.f) {
		w.h.say(w.id, "%s", text)
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
