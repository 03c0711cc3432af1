package dump

import (
	"slices"
	"strings"

	"rdgen/runtime/draft"
	"rdgen/runtime/object"
)

// vlans writes the section of a port's VLANs, or a bridge's, if it has others than a new one.
func vlans(f *draft.File, l Link) {
	usual := func(v object.BridgeVLAN) bool { return v.ID == l.UsualVLAN && v.PVID && v.Untagged }
	missing := l.UsualVLAN != 0 && !slices.ContainsFunc(l.VLANs, func(v object.BridgeVLAN) bool { return v.ID == l.UsualVLAN })
	if !missing && !slices.ContainsFunc(l.VLANs, func(v object.BridgeVLAN) bool { return !usual(v) }) {
		return
	}
	if l.Kind == "bridge" && l.Taken {
		f.Section("Link "+l.Name, nowhere).Note("its own VLANs are somebody else's, as the bridge is")
		return
	}
	if missing {
		f.Section("Link "+l.Name, nowhere).Note("is not in VLAN " + utoa(uint32(l.UsualVLAN)) + ", in which each new port is: DefaultPVID=none in the bridge's section says so of all")
	}
	if len(l.VLANs) == 0 {
		return
	}
	var pvid uint16
	var tagged, untagged []uint16
	for _, v := range l.VLANs {
		if v.PVID {
			pvid = v.ID
		}
		switch {
		case v.Untagged:
			untagged = append(untagged, v.ID)
		case !v.PVID:
			tagged = append(tagged, v.ID)
		}
	}
	d := f.Add("BridgeVLAN", nowhere)
	d.Set("Device", l.Name, nowhere)
	if len(tagged) > 0 {
		d.Set("VLAN", ranges(tagged), nowhere)
	}
	if len(untagged) > 0 {
		d.Set("EgressUntagged", ranges(untagged), nowhere)
	}
	if pvid != 0 {
		d.Set("PVID", utoa(uint32(pvid)), nowhere)
	}
}

// ranges writes numbers as a file has them: those that follow one another with a dash.
func ranges(list []uint16) string {
	slices.Sort(list)
	var words []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		word := utoa(uint32(list[i]))
		if j > i {
			word += "-" + utoa(uint32(list[j]))
		}
		words, i = append(words, word), j+1
	}
	return strings.Join(words, " ")
}
