package lifecycle

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/networkd"
)

// beside says which links of a VRF another network manager takes out of it.
func (v *view) beside() (problems []string) {
	if v.f.Kind != conf.VRF || !v.f.Domain.Netns.IsZero() || v.kind != ours {
		return nil // networkd sees the links of its own namespace
	}
	links := slices.Clone(v.links)
	for _, l := range v.f.Links {
		if name := l.Name.String(); !slices.Contains(links, name) {
			links = append(links, name)
		}
	}
	vrf := v.f.Domain.VRF.String()
	for _, name := range links {
		now := v.have.Inside[name]
		l := networkd.Link{Name: name, MAC: now.MAC, Kind: now.Kind, Type: devType(name)}
		at, sure, ok := networkd.Takes(os.DirFS("/"), l, vrf)
		if !ok {
			continue
		}
		is := "is"
		if !sure {
			is = "may be"
		}
		problems = append(problems, fmt.Sprintf("%s: this file of systemd-networkd %s for link %s, and takes it out of vrf %s; "+
			"write KeepMaster=yes into its [Network], and RouteTable=%d or Table=%[5]d where it says of routes, or Unmanaged=yes into its [Link]",
			at, is, name, vrf, v.have.Inside[vrf].Table))
	}
	return problems
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
