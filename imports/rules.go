package imports

import (
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maskBits returns the length that a mask stands for: 255.255.255.0, or 24.
func maskBits(mask string) (int, bool) {
	if n, err := strconv.ParseUint(mask, 10, 8); err == nil {
		return int(n), n <= 128
	}
	m, err := netip.ParseAddr(mask)
	if err != nil {
		return 0, false
	}
	ones, ended := 0, false
	for _, b := range m.AsSlice() {
		n := bits.LeadingZeros8(^b)
		if ended && b != 0 || n < 8 && b<<n != 0 {
			return 0, false
		}
		ended, ones = ended || n < 8, ones+n
	}
	return ones, true
}

// ruleWords are words of `ip rule add`, and the keys that they are.
var ruleWords = map[string]string{"pref": "Priority", "preference": "Priority", "priority": "Priority", "prio": "Priority", "order": "Priority",
	"from": "From", "to": "To", "fwmark": "FirewallMark", "iif": "IncomingInterface", "dev": "IncomingInterface", "oif": "OutgoingInterface",
	"suppress_prefixlength": "SuppressPrefixLength", "uidrange": "User", "ipproto": "IPProtocol", "sport": "SourcePort", "dport": "DestinationPort"}

// rule reads `ip rule add` and `ip rule del`. Those that a VRF needs are rdomain's own work.
func (c *command) rule(verb string, words []string, family string) (bool, error) {
	shared := func() (bool, error) {
		c.on.note(c.at, "ip "+strings.TrimSpace(family+" rule "+verb+" "+strings.Join(words, " "))+": rdomain orders the rules of VRFs itself")
		return true, nil
	}
	local := slices.Contains(words, "local")
	switch {
	case (verb == "add" || verb == "del" || verb == "delete") && slices.Contains(words, "l3mdev"), verb == "add" && local && len(words) <= 5:
		return shared()
	case verb == "del" || verb == "delete":
		if at := slices.Index(words, "pref"); local || at >= 0 && at+1 < len(words) && words[at+1] == "0" {
			return shared()
		}
		return false, nil
	case verb != "add":
		return false, nil
	}
	r := &rule{at: c.at, netns: c.netns}
	for i := 0; i < len(words); i++ {
		word, value := words[i], ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch {
		case word == "not":
			r.set(c.at, "InvertRule", "yes")
			continue
		case slices.Contains([]string{"unreachable", "blackhole", "prohibit"}, word):
			r.set(c.at, "Type", word)
			continue
		case word == "table" || word == "lookup":
			r.table = value
		case (word == "from" || word == "to") && value == "all":
		case ruleWords[word] != "":
			r.set(c.at, ruleWords[word], value)
		default:
			return false, nil
		}
		i++
	}
	c.addRule(r, family == "-6")
	return true, nil
}

// addRule adds a rule; one without a priority gets one as the kernel gives it.
func (r *reader) addRule(to *rule, v6 bool) {
	if v6 && valueOf(to.keys, "From") == "" && valueOf(to.keys, "To") == "" {
		to.set(to.at, "Family", "ipv6")
	}
	if valueOf(to.keys, "Priority") == "" {
		lowest := uint64(32766)
		for _, o := range r.rules {
			if n, err := strconv.ParseUint(valueOf(o.keys, "Priority"), 10, 32); err == nil && o.netns == to.netns {
				lowest = min(lowest, n)
			}
		}
		to.keys = append([]item{{to.at, "Priority", strconv.FormatUint(max(lowest, 2)-1, 10)}}, to.keys...)
	}
	r.rules = append(r.rules, to)
}
