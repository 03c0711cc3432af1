package rtnl

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// Words of ip(8) for numbers of a bond (include/uapi/linux/if_bonding.h).
var (
	bondModes = map[string]uint32{"balance-rr": 0, "active-backup": 1, "balance-xor": 2, "broadcast": 3, "802.3ad": 4,
		"balance-tlb": 5, "balance-alb": 6}
	bondHashes = map[string]uint32{"layer2": 0, "layer3+4": 1, "layer2+3": 2, "encap2+3": 3, "encap3+4": 4, "vlan+srcmac": 5}
)

// bond has its mode first: what else there can be depends on it.
func bond() []attribute {
	return []attribute{
		modeAt(unix.IFLA_BOND_MODE, 1, bondModes),
		u32at(unix.IFLA_BOND_MIIMON, func(l *object.Link) *uint32 { return &l.Monitor }),
		{unix.IFLA_BOND_XMIT_HASH_POLICY, func(l *object.Link) []byte {
			if l.Hash == "" {
				return nil
			}
			return []byte{byte(bondHashes[l.Hash])}
		}, func(l *object.Link, b []byte) {
			for word, n := range bondHashes {
				if n == uint32(b[0]) && n != 0 {
					l.Hash = word
				}
			}
		}},
		{unix.IFLA_BOND_AD_LACP_RATE, func(l *object.Link) []byte {
			if !l.FastLACP {
				return nil // in other modes not even the default can be said
			}
			return []byte{1}
		}, func(l *object.Link, b []byte) { l.FastLACP = b[0] == 1 }},
	}
}
