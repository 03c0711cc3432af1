package nat

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// States of connections, and what is known of one whose destination was translated, as
// both nftables and xtables have them.
const (
	established = 1 << 1
	isNewState  = 1 << 3
	translated  = 1 << 5
)

// value is what a register has of a packet: data, of which the bits of known are known.
// names: it is the packet's link or address.
type value struct {
	data, known []byte
	names       bool
}

func whole(data []byte, names bool) value {
	return value{data, bytes.Repeat([]byte{0xff}, len(data)), names}
}

func number(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func linkName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// place is what is the same for all packets that a namespace forwards: the numbers of its
// links, and those of its default routes, by family.
type place struct {
	index  map[string]uint32
	uplink map[bool]string
}

// link returns the one by which a packet comes in, or goes out, and whether it is the domain's.
func (pl place) link(p Packet, in bool) (name string, own bool) {
	if in != p.In {
		return p.Link, true
	}
	return pl.uplink[p.IPv6], false
}

func (p Packet) state() uint32 {
	if p.Answer {
		return established
	}
	return isNewState
}

func (p Packet) status() uint32 {
	if p.Published {
		return translated
	}
	return 0
}

// load returns what an expression reads of a packet; of most it is not known.
func (pl place) load(e expr.Any, p Packet) value {
	switch e := e.(type) {
	case *expr.Meta:
		in := e.Key == expr.MetaKeyIIFNAME || e.Key == expr.MetaKeyIIF
		name, own := pl.link(p, in)
		switch e.Key {
		case expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME:
			if name != "" {
				return whole(linkName(name), own)
			}
		case expr.MetaKeyIIF, expr.MetaKeyOIF:
			if n, ok := pl.index[name]; ok {
				return whole(number(n), own)
			}
		case expr.MetaKeyNFPROTO:
			return whole([]byte{map[bool]byte{false: unix.NFPROTO_IPV4, true: unix.NFPROTO_IPV6}[p.IPv6]}, false)
		case expr.MetaKeyPROTOCOL:
			kind := map[bool]uint16{false: unix.ETH_P_IP, true: unix.ETH_P_IPV6}[p.IPv6]
			return whole(binary.BigEndian.AppendUint16(nil, kind), false)
		}
	case *expr.Ct:
		switch e.Key {
		case expr.CtKeySTATE:
			return whole(number(p.state()), false)
		case expr.CtKeySTATUS:
			return value{number(p.status()), number(translated), false}
		}
	case *expr.Payload:
		at := map[bool]uint32{false: 12, true: 8}[p.IPv6] // the source
		if p.In {
			at = map[bool]uint32{false: 16, true: 24}[p.IPv6]
		}
		if a := p.Address.AsSlice(); e.Base == expr.PayloadBaseNetworkHeader && e.Offset == at && int(e.Len) <= len(a) {
			return whole(a[:e.Len], true)
		}
	}
	return value{}
}

// masked is what a bitwise expression makes of a value.
func (v value) masked(e *expr.Bitwise) value {
	if len(e.Mask) != len(v.data) || len(e.Xor) != len(v.data) {
		return value{}
	}
	out := value{slices.Clone(v.data), slices.Clone(v.known), v.names}
	for i := range out.data {
		out.data[i] = v.data[i]&e.Mask[i] ^ e.Xor[i]
		out.known[i] |= ^e.Mask[i]
	}
	return out
}

// is reports whether a value begins with data.
func (v value) is(data []byte) match {
	if len(data) > len(v.data) {
		return maybe
	}
	m := sure
	for i, b := range data {
		if (b^v.data[i])&v.known[i] != 0 {
			return never
		}
		if v.known[i] != 0xff {
			m = maybe
		}
	}
	return m
}

func not(m match) match { return sure - m }

// set is one of nftables, or a map.
type set struct {
	interval bool
	list     []nftables.SetElement
}

// has reports whether a value is in a set, and as which element.
func (s set) has(v value) (match, *nftables.SetElement) {
	if len(v.data) == 0 || v.is(v.data) != sure {
		return maybe, nil
	}
	var found *nftables.SetElement
	for i, e := range s.list {
		switch {
		case len(e.Key) != len(v.data):
			return maybe, nil
		case !s.interval && bytes.Equal(e.Key, v.data):
			return sure, &s.list[i]
		case s.interval && bytes.Compare(e.Key, v.data) <= 0 && (found == nil || bytes.Compare(found.Key, e.Key) < 0 || found.IntervalEnd && bytes.Equal(found.Key, e.Key)):
			found = &s.list[i]
		}
	}
	if found == nil || found.IntervalEnd {
		return never, nil
	}
	return sure, found
}

// judge returns what the expressions of a rule do with a packet.
func (pl place) judge(list []expr.Any, sets map[string]set, p Packet) outcome {
	o, registers := outcome{match: sure}, map[uint32]value{}
	for _, e := range list {
		switch e := e.(type) {
		case *expr.Meta:
			if !e.SourceRegister {
				registers[e.Register] = pl.load(e, p)
			}
		case *expr.Ct:
			if !e.SourceRegister {
				registers[e.Register] = pl.load(e, p)
			}
		case *expr.Payload:
			if e.OperationType == expr.PayloadLoad {
				registers[e.DestRegister] = pl.load(e, p)
			}
		case *expr.Bitwise:
			registers[e.DestRegister] = registers[e.SourceRegister].masked(e)
		case *expr.Cmp:
			v := registers[e.Register]
			switch m := v.is(e.Data); e.Op {
			case expr.CmpOpEq:
				o.and(m, v.names)
			case expr.CmpOpNeq:
				o.and(not(m), false)
			default:
				o.and(maybe, false)
			}
		case *expr.Lookup:
			v := registers[e.SourceRegister]
			m, element := sets[e.SetName].has(v)
			if e.Invert {
				m, v.names = not(m), false
			}
			o.and(m, v.names)
			if e.IsDestRegSet && e.DestRegister == unix.NFT_REG_VERDICT && element != nil {
				o.verdict, o.chain = verdictOf(verdictIn(element.Val))
			} else if e.IsDestRegSet {
				delete(registers, e.DestRegister)
			}
		case *expr.Match:
			o.and(matches(e.Name, e.Info, p), false)
		case *expr.Target:
			if e.Name == "REJECT" {
				o.verdict = dropped
			}
		case *expr.Reject:
			o.verdict = dropped
		case *expr.Queue: // a program decides
			o.verdict = passed
		case *expr.Verdict:
			o.verdict, o.chain = verdictOf(e)
		case *expr.Counter, *expr.Log, *expr.Notrack, *expr.Immediate, *expr.NAT, *expr.Masq, *expr.FlowOffload, *expr.Objref:
		default:
			for register := range registers { // what it may have written
				delete(registers, register)
			}
			o.and(maybe, false)
		}
		if o.match == never || o.verdict != goOn {
			return o
		}
	}
	return o
}

func verdictOf(v *expr.Verdict) (verdict, string) {
	switch v.Kind {
	case expr.VerdictAccept:
		return passed, ""
	case expr.VerdictDrop:
		return dropped, ""
	case expr.VerdictReturn:
		return leave, ""
	case expr.VerdictJump:
		return jump, v.Chain
	case expr.VerdictGoto:
		return leap, v.Chain
	}
	return goOn, ""
}

// verdictIn reads what an element of a map of verdicts has: attributes, of which the first is
// a number and the second the name of a chain.
func verdictIn(b []byte) *expr.Verdict {
	v := &expr.Verdict{Kind: expr.VerdictContinue}
	const head = 4
	for len(b) >= head {
		size := int(binary.NativeEndian.Uint16(b))
		if size < head || size > len(b) {
			break
		}
		switch value := b[head:size]; binary.NativeEndian.Uint16(b[2:]) {
		case unix.NFTA_VERDICT_CODE:
			if len(value) == 4 {
				v.Kind = expr.VerdictKind(int32(binary.BigEndian.Uint32(value)))
			}
		case unix.NFTA_VERDICT_CHAIN:
			v.Chain = text(value)
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return v
}

// matches reports whether a match of xtables matches a packet.
func matches(name string, info xt.InfoAny, p Packet) match {
	if name == "comment" {
		return sure
	}
	var base *xt.ConntrackMtinfoBase
	var states, status uint16
	switch c := info.(type) {
	case *xt.ConntrackMtinfo1:
		base, states, status = &c.ConntrackMtinfoBase, uint16(c.StateMask), uint16(c.StatusMask)
	case *xt.ConntrackMtinfo2:
		base, states, status = &c.ConntrackMtinfoBase, c.StateMask, c.StatusMask
	case *xt.ConntrackMtinfo3:
		base, states, status = &c.ConntrackMtinfoBase, c.StateMask, c.StatusMask
	default:
		return maybe
	}
	const dnat = 1 << 7 // a state, of xtables alone
	m, flags := sure, xt.ConntrackFlags(base.MatchFlags)
	is := func(flag xt.ConntrackFlags, has bool) {
		if flags&flag != 0 && has == (xt.ConntrackFlags(base.InvertFlags)&flag != 0) {
			m = never
		}
	}
	is(xt.ConntrackState, uint32(states)&p.state() != 0 || p.Published && states&dnat != 0)
	if status == translated {
		is(xt.ConntrackStatus, p.Published)
	} else if flags&xt.ConntrackStatus != 0 {
		m = min(m, maybe)
	}
	if flags&^(xt.ConntrackState|xt.ConntrackStatus|xt.ConntrackStateAlias) != 0 {
		m = min(m, maybe)
	}
	return m
}
