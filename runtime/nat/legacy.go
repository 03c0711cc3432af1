package nat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"github.com/google/nftables"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// The tables of iptables-legacy, which the kernel keeps beside those of nftables
// (linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h).
type layout struct {
	v6             bool
	family, list   string
	domain, level  int
	links          int // where the names of the two links are, and then their masks
	address        int // the length of one
	flags, inverts int
	target, size   int // where the place of the target is, the length of an entry
	goTo           byte
}

var layouts = []layout{
	{false, "ip", "ip_tables_names", unix.AF_INET, unix.SOL_IP, 16, 4, 82, 83, 88, 112, 2},
	{true, "ip6", "ip6_tables_names", unix.AF_INET6, unix.SOL_IPV6, 64, 16, 131, 132, 140, map[bool]int{false: 168, true: 164}[runtime.GOARCH == "386"], 4},
}

const (
	getInfo    = 64 // IPT_SO_GET_INFO
	getEntries = 65
	forward    = 2 // NF_INET_FORWARD
	nameLength = 32
	infoLength = nameLength + 4*(1+5+5+2)
	// The head of a match and of a target: its length, name and revision.
	headLength = 32
)

// legacy returns the chains at which iptables-legacy sees what is forwarded. A table that is
// not there is not asked for: that would make the kernel have it.
func legacy(pl place) (list []Filter, err error) {
	for _, l := range layouts {
		names, err := os.ReadFile("/proc/thread-self/net/" + l.list)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, table := range strings.Fields(string(names)) {
			f, err := l.read(pl, table)
			if err != nil {
				return nil, fmt.Errorf("table %s of iptables-legacy: %w", table, err)
			}
			if f.chains != nil {
				list = append(list, f)
			}
		}
	}
	return list, nil
}

// read reads a table; it has no chains if it sees nothing that is forwarded.
func (l layout) read(pl place, table string) (f Filter, err error) {
	fd, err := unix.Socket(l.domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return f, err
	}
	defer unix.Close(fd)
	for range 10 { // it may be changed between the two calls
		info := make([]byte, infoLength)
		copy(info, table)
		if err = l.get(fd, getInfo, info); err != nil {
			return f, err
		}
		word := func(i int) uint32 { return binary.NativeEndian.Uint32(info[nameLength+4*i:]) }
		if word(0)&(1<<forward) == 0 {
			return f, nil
		}
		size := word(12)
		b := make([]byte, nameLength+8+int(size))
		copy(b, table)
		binary.NativeEndian.PutUint32(b[nameLength:], size)
		if err = l.get(fd, getEntries, b); err == unix.EAGAIN {
			continue
		}
		if err != nil {
			return f, err
		}
		chains := l.parse(pl, b[nameLength+8:], word(1+forward))
		return Filter{Family: l.family, Table: table, Chain: "FORWARD", Legacy: true, chains: chains}, nil
	}
	return f, err
}

func (l layout) get(fd, option int, b []byte) error {
	size := uint32(len(b))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(l.level), uintptr(option), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// parse returns the chains of a table's entries; that of the hook begins at a place in it.
func (l layout) parse(pl place, b []byte, hook uint32) map[string][]rule {
	chains, starts, chain := map[string][]rule{}, map[uint32]string{}, ""
	for place := 0; place+l.size <= len(b); {
		target, next := int(binary.NativeEndian.Uint16(b[place+l.target:])), int(binary.NativeEndian.Uint16(b[place+l.target+2:]))
		if target < l.size || target+headLength > next || place+next > len(b) {
			break
		}
		entry := b[place : place+next]
		if place == int(hook) {
			chain = "FORWARD"
		}
		if text(entry[target+2:target+31]) == "ERROR" { // the head of a chain, or the end of all
			chain = text(entry[target+headLength:])
			chains[chain], starts[uint32(place+next)] = nil, chain
		} else {
			chains[chain] = append(chains[chain], l.rule(pl, entry, target, uint32(place+next), starts))
		}
		place += next
	}
	return chains
}

func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// rule is that of an entry; next is where the one after it begins, and starts are where the
// chains do.
func (l layout) rule(pl place, entry []byte, target int, next uint32, starts map[uint32]string) rule {
	then, to := outcome{match: sure}, uint32(0)
	switch name := text(entry[target+2 : target+31]); {
	case name == "REJECT":
		then.verdict = dropped
	case name == "NFQUEUE": // a program decides
		then.verdict = passed
	case name == "" && target+headLength+4 <= len(entry):
		switch v := int32(binary.NativeEndian.Uint32(entry[target+headLength:])); {
		case v == -1:
			then.verdict = dropped
		case v == -2, v == -4:
			then.verdict = passed
		case v == -5:
			then.verdict = leave
		case v >= 0 && uint32(v) != next:
			then.verdict, to = jump, uint32(v)
			if entry[l.flags]&l.goTo != 0 {
				then.verdict = leap
			}
		}
	}
	return func(p Packet) outcome {
		o := then
		o.chain = starts[to]
		if p.IPv6 != l.v6 {
			o.match = never
			return o
		}
		l.header(pl, entry, p, &o)
		for i := l.size; i+headLength <= target; {
			size := int(binary.NativeEndian.Uint16(entry[i:]))
			if size < headLength || i+size > target {
				o.and(maybe, false)
				break
			}
			name := text(entry[i+2 : i+31])
			family := map[bool]nftables.TableFamily{false: nftables.TableFamilyIPv4, true: nftables.TableFamilyIPv6}[l.v6]
			info, err := xt.Unmarshal(name, xt.TableFamily(family), uint32(entry[i+31]), entry[i+headLength:i+size])
			if err != nil {
				info = nil
			}
			o.and(matches(name, info, p), false)
			i += size
		}
		return o
	}
}

// header adds what an entry compares in every packet: links, addresses and a protocol.
func (l layout) header(pl place, entry []byte, p Packet, o *outcome) {
	const (
		viaIn, viaOut, source, destination, protocol = 1, 2, 8, 16, 64
		name                                         = unix.IFNAMSIZ
	)
	inverts := entry[l.inverts]
	compare := func(flag byte, v value, want, mask []byte) {
		if bytes.Count(mask, []byte{0}) == len(mask) {
			return
		}
		m := maybe
		if len(v.data) == len(want) {
			m = sure
			for i := range want {
				if (want[i]^v.data[i])&mask[i] != 0 {
					m = never
				}
			}
		}
		if inverts&flag != 0 {
			m, v.names = not(m), false
		}
		o.and(m, v.names)
	}
	linkOf := func(in bool) (v value) {
		if name, own := pl.link(p, in); name != "" {
			v = whole(linkName(name), own)
		}
		return v
	}
	links := entry[l.links:]
	compare(viaIn, linkOf(true), links[:name], links[2*name:3*name])
	compare(viaOut, linkOf(false), links[name:2*name], links[3*name:4*name])
	from, to := value{}, whole(p.Address.AsSlice(), true)
	if !p.In {
		from, to = to, from
	}
	a := l.address
	compare(source, from, entry[:a], entry[2*a:3*a])
	compare(destination, to, entry[a:2*a], entry[3*a:4*a])
	if p := entry[l.links+4*name:]; p[0] != 0 || p[1] != 0 || inverts&protocol != 0 {
		o.and(maybe, false)
	}
}
