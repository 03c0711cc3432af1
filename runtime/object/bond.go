package object

// Bond is what a bond has besides its Mode.
type Bond struct {
	// Monitor is how often the carriers of its links are looked at, in milliseconds, 0 for
	// never.
	Monitor uint32 `json:"monitor,omitempty"`
	// Hash says what tells flows apart, in the words of ip(8); "" for layer2.
	Hash string `json:"hash,omitempty"`
	// FastLACP: the other side of one with mode 802.3ad is asked every second, not every 30.
	FastLACP bool `json:"fast_lacp,omitempty"`
}

func (b Bond) words() []string {
	w := []string{"miimon", utoa(b.Monitor)}
	if b.Hash != "" {
		w = append(w, "xmit_hash_policy", b.Hash)
	}
	if b.FastLACP {
		w = append(w, "lacp_rate", "fast")
	}
	return w
}
