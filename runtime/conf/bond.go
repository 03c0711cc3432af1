package conf

import (
	"strconv"
	"strings"
)

// bond returns the keys of a bond.
func bond() fields[Link] {
	return fields[Link]{
		"Mode":          mode("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"),
		"MIIMonitorSec": set(func(l *Link) *uint32 { return &l.Monitor }, (*parser).milliseconds),
		"TransmitHashPolicy": once(func(p *parser, l *Link, k key) (err error) {
			l.Hash, err = oneOf("layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac")(p, k)
			if l.Hash == "layer2" {
				l.Hash = ""
			}
			return err
		}),
		"LACPTransmitRate": once(func(p *parser, l *Link, k key) error {
			rate, err := oneOf("slow", "fast")(p, k)
			l.FastLACP = rate == "fast"
			return err
		}),
	}
}

// milliseconds reads seconds, with a point, or milliseconds with their unit.
func (p *parser) milliseconds(k key) (uint32, error) {
	n, err := strconv.ParseFloat(k.value, 64)
	n *= 1000
	if ms, ok := strings.CutSuffix(k.value, "ms"); ok {
		n, err = strconv.ParseFloat(ms, 64)
	}
	if err != nil || !(n >= 0 && n <= 10000) || n != float64(uint32(n)) {
		return 0, p.fail(k.line, "%s=%s: expected seconds or milliseconds, up to 10 seconds, such as 0.1 or 100ms%s", k.name, clip(k.value), commentHint(k.value))
	}
	return uint32(n), nil
}

// bonded looks at the keys of a bond and of its members together.
func (p *parser) bonded(l *Link) error {
	if l.Kind == "bond" && l.Mode != "802.3ad" && l.lines["LACPTransmitRate"] != 0 {
		return p.fail(l.lines["LACPTransmitRate"], "LACPTransmitRate= is for Mode=802.3ad")
	}
	if l.Kind == "bond" && l.Mode == "802.3ad" && l.Monitor == 0 {
		return p.fail(l.lines["MIIMonitorSec"], "Mode=802.3ad needs MIIMonitorSec=; a member without a carrier would get its share")
	}
	if !l.Bonded {
		return nil
	}
	if l.Kind == "bond" {
		return p.fail(l.lines["Bond"], "Bond= is for the members of a bond, and no bond is one")
	}
	for _, name := range []string{"Bridge", "Address", "DHCP", "IPv6AcceptRA", "MACAddress", "MTUBytes", "Masquerade"} {
		if l.lines[name] != 0 {
			return p.fail(l.lines[name], "%s= and Bond= exclude each other: the bond has it, not its members", name)
		}
	}
	return nil
}
