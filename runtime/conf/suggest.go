package conf

import (
	"maps"
	"slices"
	"strings"

	"rdgen/problem"
)

// suggestion returns "; did you mean X?" for the name that is nearest to s, or
// "" if none is near.
func suggestion(s string, names ...string) string {
	if best := problem.Nearest(s, names...); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// elsewhere are sections and keys of other programs, and what stands for them here.
var elsewhere = map[string]string{
	"interface": "[Link NAME] with Kind=wireguard, and PrivateKeyFile= for the key, or ConfigFile= for a file of wg-quick as it is",
	"peer":      "[WireGuardPeer NAME], with the name of the link",
	"netdev":    "[Link NAME] with Kind=", "match": "[Link NAME]", "network": "[Domain] for DNS=, [Link NAME] for Address=, [Route] for Gateway=",
	"vrf": "[Domain] with Kind=vrf", "netns": "[Domain]", "rule": "[RoutingPolicyRule]",
}

// sectionHint says which section may have been meant.
func sectionHint(name string) string {
	if other := elsewhere[strings.ToLower(name)]; other != "" {
		return "; what is meant is " + other
	}
	if hint := suggestion(name, slices.Sorted(maps.Keys(keys))...); hint != "" {
		return hint
	}
	return "; expected " + expected
}

// commands are keys by which other programs run one, in small letters: those of wg-quick
// and of units.
var commands = []string{"preup", "postup", "predown", "postdown", "execstart", "execstartpre", "execstartpost", "execstop", "execstoppost"}

// keyHint says which key of the section may have been meant, or in which section
// the key stands.
func keyHint(name, section string) string {
	names := sortedKeys(keys[section])
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return "; did you mean " + n + "?"
		}
	}
	var others []string
	for other, allowed := range keys {
		for n := range allowed {
			if !strings.EqualFold(n, name) {
				continue
			}
			if several[other] {
				other += " NAME"
			}
			others = append(others, "["+other+"]")
		}
	}
	if slices.Sort(others); len(others) > 0 {
		return "; it stands in " + strings.Join(others, " or ")
	}
	if rest, ok := strings.CutPrefix(strings.ToLower(name), "ipv6"); ok && (rest == "privacyextensions" || rest == "forwarding") {
		return "; [Sysctl] has it: net.ipv6.conf.LINK." + map[string]string{"privacyextensions": "use_tempaddr", "forwarding": "forwarding"}[rest]
	}
	if slices.Contains(commands, strings.ToLower(name)) {
		return "; rdomain runs no command: make it a service, a oneshot with the domain in its conf.d"
	}
	for _, n := range names {
		if len(name) > 2 && strings.HasPrefix(strings.ToLower(n), strings.ToLower(name)) {
			return "; did you mean " + n + "?"
		}
	}
	if hint := suggestion(name, names...); hint != "" {
		return hint
	}
	return "; expected one of " + strings.Join(names, ", ")
}

// commentHint helps who put a comment behind a value.
func commentHint(value string) string {
	if strings.ContainsAny(value, "#;") {
		return "; a comment needs a line of its own"
	}
	return ""
}

func clip(s string) string {
	q := quote(s)
	return q[1 : len(q)-1]
}

func sortedKeys(m map[string]bool) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
