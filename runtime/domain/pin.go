package domain

import "strings"

// PinDir is the folder on the BPF file system that holds the pinned programs,
// one for each VRF.
const PinDir = "/sys/fs/bpf/rdomain"

// Pin returns the path at which rdomain(8) pins the program that binds sockets
// to the VRF of d, and from which systemd attaches it (BPFProgram=):
// PinDir/VRF or PinDir/VRF@NETNS. The BPF file system refuses a name with a dot
// (bpf_lookup, kernel/bpf/inode.c), so each dot becomes "+", which is in no
// name: two domains never share a pin. Pin panics for a domain without a VRF,
// which has no program.
func (d Domain) Pin() string {
	if d.VRF.IsZero() {
		panic("domain: Pin of no vrf")
	}
	return PinDir + "/" + strings.ReplaceAll(d.ID(), ".", "+")
}
