package dump

import "rdgen/runtime/draft"

// usualMonitor is MIIMonitorSec= of a file that does not say it, in milliseconds.
const usualMonitor = 100

// bond writes what a bond has that a file can say.
func bond(d *draft.Section, l Link) {
	d.Set("Mode", l.Mode, nowhere)
	if l.Monitor != usualMonitor {
		d.Set("MIIMonitorSec", utoa(l.Monitor)+"ms", nowhere)
	}
	if l.Hash != "" {
		d.Set("TransmitHashPolicy", l.Hash, nowhere)
	}
	if l.FastLACP && l.Mode == "802.3ad" {
		d.Set("LACPTransmitRate", "fast", nowhere)
	}
}

// member writes that a link is a member of a bond. The bond has the addresses, the MTU and the
// hardware address.
func member(d *draft.Section, l Link) {
	d.Set("Bond", l.Bridge, nowhere)
	for _, alt := range l.AltNames {
		d.Note("the alternative name " + alt + " is not taken over")
	}
	for _, a := range Unusual(l.Addresses) {
		d.Note("the address " + a.Prefix.String() + " of a member of a bond has no counterpart")
	}
	for _, n := range l.Notes {
		d.Note(n)
	}
}
