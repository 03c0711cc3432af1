package services

import (
	"fmt"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/networkd"
	"rdgen/runtime/nm"
	"rdgen/runtime/uplink"
)

// Beside returns what other programs of the machine will do to the links of domains, by
// their files: an error each, or a note where that is not certain.
func (l *Loader) Beside() (errs []error, notes []string) {
	for _, f := range l.confs.domains().Files {
		if f.Kind != conf.VRF || !f.Managed || !f.Domain.Netns.IsZero() {
			continue // networkd sees the links of its own namespace, and sets the master of those
		}
		for _, link := range f.Links {
			seen := networkd.Device{Name: link.Name.String(), MAC: link.MAC, Kind: link.Kind, Type: linkType(link), Unseen: true}
			err, sure := networkd.Taken(l.confs.fsys, seen, f.Domain.VRF.String(), f.Table)
			switch {
			case err != nil && sure:
				errs = append(errs, err)
			case err != nil:
				notes = append(notes, err.Error()+"; "+err.Hint)
			}
			if link.Kind == "" && nm.MayTake(l.confs.fsys, link.Name.String(), link.MAC) {
				notes = append(notes, fmt.Sprintf("%s: NetworkManager is not told to leave link %s alone, and takes what it manages out of vrf %s; write "+
					"[keyfile] and unmanaged-devices+=interface-name:%[2]s into a file of /etc/NetworkManager/conf.d", f.At(link.Line), link.Name, f.Domain.VRF))
			}
			for _, err := range uplink.By(l.confs.fsys, link.Name.String(), link.Kind == "") {
				errs = append(errs, err)
			}
		}
	}
	return errs, notes
}

// linkType is what Type= of networkd's [Match] is compared with, or "" where it is not
// known. A link that is there already is hardware if its name is one of udev's.
func linkType(l conf.Link) string {
	switch l.Kind {
	case "veth", "vlan", "macvlan", "macvtap", "ipvlan", "bridge", "dummy", "vxlan", "geneve", "gretap", "ip6gretap", "tap", "macsec":
		return "ether"
	case "":
		for prefix, of := range map[string]string{"eth": "ether", "en": "ether", "wl": "wlan", "ww": "wwan"} {
			if strings.HasPrefix(l.Name.String(), prefix) {
				return of
			}
		}
	}
	return ""
}
