package domain

// VRFMark is the bit that rdexec(8)'s program sets in the mark (SO_MARK,
// socket(7)) of every socket that it binds to a VRF. rdomain(8) has a rule for
// packets with this bit behind those for VRFs: they have no other way. The bit
// is the highest; what other tools set (WireGuard, Tailscale, Kubernetes) is
// below.
const VRFMark = 1 << 31
