package openrc

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/problem"
)

// keys are the two names that matter, and other spellings that people try.
var keys = []struct {
	name     string
	most     int // edits between the name and a typo of it
	synonyms []string
}{
	{"vrf", 1, []string{"vrfname", "vrfdevice", "vrfdev", "vrfmaster"}},
	{"netns", 2, []string{"netnsname", "netnamespace", "networknamespace", "networkns", "nsname"}},
}

// Hints returns a sentence for each variable that looks as if it was meant to
// be vrf or netns: `/etc/conf.d/ntpd:3: vfr= is not read; is vrf= meant?`. A key that
// is set is not guessed at.
func (c *Conf) Hints() []string {
	var hints, seen []string
	for _, key := range keys {
		if _, set := c.sh.vars[key.name]; set {
			seen = append(seen, key.name)
		}
	}
	for _, m := range c.sh.mentions {
		key := meant(m.name)
		if key == "" || slices.Contains(seen, key) || slices.Contains(seen, m.name) {
			continue
		}
		seen = append(seen, m.name)
		hints = append(hints, fmt.Sprintf("%s: %s= is not read; is %s= meant?", m.pos, m.name, key))
	}
	return hints
}

// meant returns the key that name is a likely misspelling of, or "".
func meant(name string) string {
	bare := strings.ToLower(name)
	for _, prefix := range []string{"rc_", "rdgen_", "svc_", "service_", "openrc_"} {
		bare = strings.TrimPrefix(bare, prefix)
	}
	bare = strings.ReplaceAll(bare, "_", "")
	for _, key := range keys {
		if name == key.name {
			return ""
		}
		if bare == key.name || slices.Contains(key.synonyms, bare) {
			return key.name
		}
		// A typo seldom hits the first letter, and short words are near to
		// everything: var, net and dns are not typos.
		if len(bare) < 3 || bare[0] != key.name[0] {
			continue
		}
		n := problem.Distance(bare, key.name)
		if n <= 1 || n <= key.most && len(bare) >= 4 && strings.Contains(bare, "ns") {
			return key.name
		}
	}
	return ""
}
