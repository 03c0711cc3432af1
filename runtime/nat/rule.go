package nat

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// inChain returns the rules that a chain has, as the kernel lists them. They say the same
// as [object.NATRule.In].
func inChain(rules []object.NATRule, chain string) (list [][]expr.Any) {
	for _, r := range rules {
		if r.In(chain) != "" {
			list = append(list, encode(r))
		}
	}
	return list
}

func encode(r object.NATRule) []expr.Any {
	switch r.What {
	case "masquerade":
		return append(append(name(expr.MetaKeyIIFNAME, r.Link), family(r.IPv6)...), &expr.Masq{})
	case "answers":
		return append(append(append(name(expr.MetaKeyIIFNAME, r.Link), family(r.IPv6)...), isNew()...), drop())
	case "guard":
		e := append(name(expr.MetaKeyOIFNAME, r.Link), family(r.IPv6)...)
		e = append(append(e, to(r.Connect.Addr(), expr.CmpOpEq)...), isNew()...)
		const dnat = 1 << 5 // IPS_DST_NAT
		return append(append(e, ct(expr.CtKeySTATUS, dnat, expr.CmpOpEq)...), drop())
	}
	return publish(r)
}

func publish(r object.NATRule) []expr.Any {
	e := family(r.IPv6)
	if a := r.Listen.Addr(); a.IsValid() {
		e = append(e, to(a, expr.CmpOpEq)...)
	} else {
		local := binary.NativeEndian.AppendUint32(nil, unix.RTN_LOCAL)
		e = append(e, &expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: local})
		if r.IPv6 {
			e = append(e, to(netip.IPv6Loopback(), expr.CmpOpNeq)...)
		} else {
			e = append(e, header(16, 1), &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{127}})
		}
	}
	protocol, nfproto := byte(unix.IPPROTO_TCP), uint32(unix.NFPROTO_IPV4)
	if r.Protocol == "udp" {
		protocol = unix.IPPROTO_UDP
	}
	if r.IPv6 {
		nfproto = unix.NFPROTO_IPV6
	}
	port := func(p uint16) []byte { return binary.BigEndian.AppendUint16(nil, p) }
	return append(e,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: port(r.Listen.Port())},
		&expr.Immediate{Register: 1, Data: r.Connect.Addr().AsSlice()}, &expr.Immediate{Register: 2, Data: port(r.Connect.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: nfproto, RegAddrMin: 1, RegAddrMax: 1, RegProtoMin: 2, RegProtoMax: 2, Specified: true})
}

func name(key expr.MetaKey, link string) []expr.Any {
	data := make([]byte, unix.IFNAMSIZ)
	copy(data, link)
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data}}
}

func family(v6 bool) []expr.Any {
	f := byte(unix.NFPROTO_IPV4)
	if v6 {
		f = unix.NFPROTO_IPV6
	}
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f}}}
}

func header(offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
}

// to compares where a packet goes to.
func to(a netip.Addr, op expr.CmpOp) []expr.Any {
	h := header(16, 4)
	if a.Is6() {
		h = header(24, 16)
	}
	return []expr.Any{h, &expr.Cmp{Op: op, Register: 1, Data: a.AsSlice()}}
}

// ct compares bits of what the kernel knows of the connection with 0.
func ct(key expr.CtKey, bits uint32, op expr.CmpOp) []expr.Any {
	return []expr.Any{&expr.Ct{Key: key, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binary.NativeEndian.AppendUint32(nil, bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: op, Register: 1, Data: make([]byte, 4)}}
}

func isNew() []expr.Any { return ct(expr.CtKeySTATE, expr.CtStateBitNEW, expr.CmpOpNeq) }

func drop() expr.Any { return &expr.Verdict{Kind: expr.VerdictDrop} }
