package rtnl

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// Rules returns the rules of the routing policy database of one family, in
// their order. Netns is left empty. Without IPv6 in the kernel the list is
// empty.
func (c *Conn) Rules(ipv6 bool) ([]object.Rule, error) {
	msg := ruleHeader(ipv6)
	msgs, err := c.dump(unix.RTM_GETRULE, unix.RTM_NEWRULE, msg)
	if ipv6 && isErrno(err, unix.EAFNOSUPPORT, unix.EOPNOTSUPP) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list of rules: %w", err)
	}
	var rules []object.Rule
	for _, m := range msgs {
		r, err := parseRule(m)
		if err != nil {
			return nil, err
		}
		if r.IPv6 == ipv6 {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

func ruleHeader(ipv6 bool) *nl.RtMsg {
	// struct fib_rule_hdr has the layout of struct rtmsg
	// (include/uapi/linux/fib_rules.h).
	msg := &nl.RtMsg{RtMsg: unix.RtMsg{Family: unix.AF_INET}}
	if ipv6 {
		msg.Family = unix.AF_INET6
	}
	return msg
}

func parseRule(m []byte) (object.Rule, error) {
	if len(m) < unix.SizeofRtMsg {
		return object.Rule{}, fmt.Errorf("kernel sent a rule of %d bytes", len(m))
	}
	msg := nl.DeserializeRtMsg(m)
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofRtMsg:])
	if err != nil {
		return object.Rule{}, err
	}
	r := object.Rule{IPv6: msg.Family == unix.AF_INET6, Not: msg.Flags&unix.FIB_RULE_INVERT != 0}
	for name, action := range ruleActions {
		if msg.Type == action {
			r.Type = name
		}
	}
	r.Other = msg.Tos != 0 || r.Type == "" && msg.Type != nl.FR_ACT_TO_TBL
	for _, a := range attrs {
		switch v := a.Value; attrType(a.Attr) {
		case unix.FRA_PRIORITY:
			r.Pref = native32(v)
		case unix.FRA_TABLE:
			r.Table = native32(v)
		case unix.FRA_L3MDEV:
			r.L3mdev = len(v) > 0 && v[0] != 0
		case unix.FRA_PROTOCOL:
			r.Protocol = append(v, 0)[0]
		case unix.FRA_SRC:
			r.From = prefix(v, msg.Src_len)
		case unix.FRA_DST:
			r.To = prefix(v, msg.Dst_len)
		case unix.FRA_FWMARK:
			r.Mark = native32(v)
		case unix.FRA_FWMASK:
			if r.Mask = native32(v); r.Mask == 1<<32-1 {
				r.Mask = 0
			}
		case unix.FRA_IIFNAME:
			r.In = text(v)
		case unix.FRA_OIFNAME:
			r.Out = text(v)
		case unix.FRA_SUPPRESS_PREFIXLEN:
			r.SuppressPrefixLength = native32(v) + 1 // all bits set: none
		case unix.FRA_UID_RANGE:
			r.UIDs = bounds(native32(v), native32(tail(v, 4)))
		case unix.FRA_IP_PROTO:
			r.IPProtocol = append(v, 0)[0]
		case unix.FRA_SPORT_RANGE:
			r.SourcePorts = ports(v)
		case unix.FRA_DPORT_RANGE:
			r.DestinationPorts = ports(v)
		case fraSportMask, fraDportMask:
			r.Other = r.Other || len(v) < 2 || nl.NativeEndian().Uint16(v) != 1<<16-1 // all bits: one port
		case unix.FRA_SUPPRESS_IFGROUP:
			r.Other = r.Other || native32(v) != 1<<32-1
		case unix.FRA_PAD:
		default:
			r.Other = true
		}
	}
	return r, nil
}

// Attributes of a rule since Linux 6.15 (include/uapi/linux/fib_rules.h).
const (
	fraSportMask = 28 // FRA_SPORT_MASK
	fraDportMask = 29 // FRA_DPORT_MASK
)

// bounds returns the numbers from first to last. No user has the last of all numbers.
func bounds(first, last uint32) object.Range { return object.Range{First: first, End: last + 1} }

func tail(b []byte, n int) []byte { return b[min(n, len(b)):] }

// ports reads a struct fib_rule_port_range.
func ports(b []byte) object.Range {
	if len(b) < 4 {
		return object.Range{}
	}
	return bounds(uint32(nl.NativeEndian().Uint16(b)), uint32(nl.NativeEndian().Uint16(b[2:])))
}

func prefix(b []byte, bits uint8) netip.Prefix {
	a, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(a, int(bits))
}

// ruleActions are the actions of a rule but that of a lookup
// (include/uapi/linux/fib_rules.h).
var ruleActions = map[string]uint8{"blackhole": nl.FR_ACT_BLACKHOLE, "unreachable": nl.FR_ACT_UNREACHABLE,
	"prohibit": nl.FR_ACT_PROHIBIT}

// Rule adds or deletes a rule.
func (c *Conn) Rule(verb object.Verb, r object.Rule) error {
	msg := ruleHeader(r.IPv6)
	msg.Type = nl.FR_ACT_TO_TBL
	if r.Type != "" {
		msg.Type = ruleActions[r.Type]
	}
	if r.Not {
		msg.Flags |= unix.FIB_RULE_INVERT
	}
	data := []nl.NetlinkRequestData{msg, u32(unix.FRA_PRIORITY, r.Pref)}
	if r.From.IsValid() {
		msg.Src_len = uint8(r.From.Bits())
		data = append(data, raw(unix.FRA_SRC, r.From.Addr().AsSlice()))
	}
	if r.To.IsValid() {
		msg.Dst_len = uint8(r.To.Bits())
		data = append(data, raw(unix.FRA_DST, r.To.Addr().AsSlice()))
	}
	if r.Mark != 0 || r.Mask != 0 {
		data = append(data, u32(unix.FRA_FWMARK, r.Mark))
	}
	if r.Mask != 0 {
		data = append(data, u32(unix.FRA_FWMASK, r.Mask))
	}
	if r.In != "" {
		data = append(data, str(unix.FRA_IIFNAME, r.In))
	}
	if r.Out != "" {
		data = append(data, str(unix.FRA_OIFNAME, r.Out))
	}
	if r.L3mdev {
		data = append(data, raw(unix.FRA_L3MDEV, []byte{1}))
	}
	data = append(data, flow(r)...)
	if r.Table != 0 {
		data = append(data, u32(unix.FRA_TABLE, r.Table))
	}
	if r.SuppressPrefixLength != 0 {
		data = append(data, u32(unix.FRA_SUPPRESS_PREFIXLEN, r.SuppressPrefixLength-1))
	}
	if verb == object.Delete {
		return c.change(unix.RTM_DELRULE, 0, data...)
	}
	if r.Protocol != 0 {
		data = append(data, raw(unix.FRA_PROTOCOL, []byte{r.Protocol}))
	}
	return c.change(unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, data...)
}

// flow returns what is in a rule's packets, and who sends it.
func flow(r object.Rule) (data []nl.NetlinkRequestData) {
	if !r.UIDs.IsZero() {
		data = append(data, raw(unix.FRA_UID_RANGE, append(nl.Uint32Attr(r.UIDs.First), nl.Uint32Attr(r.UIDs.Last())...)))
	}
	if r.IPProtocol != 0 {
		data = append(data, raw(unix.FRA_IP_PROTO, []byte{r.IPProtocol}))
	}
	for _, p := range []struct {
		typ int
		object.Range
	}{{unix.FRA_SPORT_RANGE, r.SourcePorts}, {unix.FRA_DPORT_RANGE, r.DestinationPorts}} {
		if !p.IsZero() {
			data = append(data, raw(p.typ, append(nl.Uint16Attr(uint16(p.First)), nl.Uint16Attr(uint16(p.Last()))...)))
		}
	}
	return data
}

func isErrno(err error, any ...syscall.Errno) bool {
	for _, e := range any {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
