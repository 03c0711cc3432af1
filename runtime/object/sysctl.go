package object

import "rdgen/runtime/domain"

// Sysctl is one of the namespace's variables below /proc/sys/net.
type Sysctl struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	// Path is the variable's below /proc/sys, such as
	// "net/ipv4/conf/eth0.5/forwarding".
	Path  string `json:"key"`
	Value string `json:"value"`
}

// Key is the path.
func (s Sysctl) Key() Key { return Key{"sysctl", s.Netns, s.Path} }

// On is no link: a link's variable needs no step of its own to go.
func (s Sysctl) On() string { return "" }

func (s Sysctl) command(Verb) []string {
	w := []string{"sysctl", "-qw", s.Path + "=" + quoteShell(s.Value)}
	if !s.Netns.IsZero() {
		w = append([]string{"ip", "netns", "exec", s.Netns.String()}, w...)
	}
	return w
}
