package imports

import (
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
)

// bondKey is the key that says the same as an option of a bond, "" for none: the kernel and
// netplan have other words for it.
func bondKey(option string) string {
	switch strings.ReplaceAll(option, "_", "-") {
	case "mode":
		return "Mode"
	case "miimon", "mii-monitor-interval":
		return "MIIMonitorSec"
	case "xmit-hash-policy", "transmit-hash-policy":
		return "TransmitHashPolicy"
	case "lacp-rate", "ad-lacp-rate":
		return "LACPTransmitRate"
	}
	return ""
}

// bondNumbers are the words of values that may be numbers.
var bondNumbers = map[string][]string{
	"Mode":               {"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"},
	"TransmitHashPolicy": {"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"},
	"LACPTransmitRate":   {"slow", "fast"},
}

// bondOption reads an option of a bond, and reports whether it has a counterpart. A time without
// a unit is in unit.
func (l *link) bondOption(at problem.Pos, key, value, unit string) bool {
	words := bondNumbers[key]
	n, err := strconv.Atoi(value)
	switch {
	case l.kind != "bond":
		return false
	case key == "MIIMonitorSec":
		seconds := strings.TrimSuffix(value, "s")
		if _, err := strconv.ParseFloat(value, 64); err == nil {
			value += unit
		} else if _, err := strconv.ParseFloat(seconds, 64); err == nil {
			value = seconds
		}
	case words == nil:
		return false
	case err == nil && n >= 0 && n < len(words):
		value = words[n]
	case !slices.Contains(words, value):
		return false
	}
	l.set(at, key, value)
	return true
}

// bonded makes notes of what a domain's file cannot say of a bond and its members.
func (a *assembly) bonded(l *link) {
	member := func() bool { m := a.find(l.netns, l.master); return m != nil && m.kind == "bond" }()
	fits := func(k item) (why string) {
		switch {
		case member && (k.key == "MTUBytes" || k.key == "MACAddress" || k.key == "Address" || k.key == "DHCP" || k.key == "IPv6AcceptRA"):
			return " of a member of a bond: the bond has it"
		case l.kind == "bond" && k.key == "LACPTransmitRate" && valueOf(l.keys, "Mode") != "802.3ad":
			return " is for Mode=802.3ad"
		case l.kind == "bond" && k.key == "MIIMonitorSec" && strings.Trim(k.value, "0.ms") == "" && valueOf(l.keys, "Mode") == "802.3ad":
			return " is not for Mode=802.3ad: a member without a carrier would get its share"
		}
		return ""
	}
	l.keys = slices.DeleteFunc(l.keys, func(k item) bool {
		why := fits(k)
		if why != "" {
			l.note(k.at, k.key+"="+k.value+why)
		}
		return why != ""
	})
}

// portKey is the key of a link for what it is a port or a member of.
func (a *assembly) portKey(l *link) string {
	if m := a.find(l.netns, l.master); m != nil && m.kind == "bond" {
		return "Bond"
	}
	return "Bridge"
}
