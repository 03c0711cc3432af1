package imports

import (
	"slices"
	"strings"

	"rdgen/problem"
)

// networkAddress reads a section [Address].
func (l *link) networkAddress(s section) error {
	peer := section{s.at, "Address", nil}
	for _, k := range s.keys {
		switch {
		case k.key == "Peer" || k.key == "Address" && s.only("Peer") != "":
			peer.keys = append(peer.keys, k)
			continue
		case k.key != "Address":
			l.note(k.at, "[Address] "+k.key+"="+k.value+" has no counterpart")
			continue
		}
		prefix, err := prefixOf(k.at, k.value, "")
		if err != nil {
			return err
		}
		l.set(k.at, "Address", prefix)
	}
	if peer.keys != nil {
		l.more = append(l.more, peer)
	}
	return nil
}

// Keys of [Route] and of [RoutingPolicyRule] that are ours too.
var (
	networkRouteKeys = []string{"Gateway", "GatewayOnLink", "Metric", "PreferredSource", "MTUBytes", "Type", "MultiPathRoute"}
	networkRuleKeys  = []string{"From", "To", "Priority", "FirewallMark", "IncomingInterface", "OutgoingInterface", "Family", "InvertRule",
		"SuppressPrefixLength", "Type", "User", "IPProtocol", "SourcePort", "DestinationPort"}
)

// networkRoute reads a section [Route].
func (r *reader) networkRoute(l *link, s section) error {
	to := &route{at: s.at, netns: l.netns, dev: l.name, of: l}
	var keys []item
	destination := s.only("Destination")
	if destination == "" {
		destination = "default"
	}
	for _, k := range s.keys {
		switch {
		case k.key == "Destination":
		case k.key == "Table":
			to.table = k.value
		case k.key == "Gateway" && strings.HasPrefix(k.value, "_"):
			l.note(k.at, "[Route] Gateway="+k.value+": the gateway is what DHCP= or IPv6AcceptRA= give")
			return nil
		case slices.Contains(networkRouteKeys, k.key):
			value := k.value
			if slices.Contains(truths, k.key) {
				value = yesNo(value)
			}
			if k.key == "Type" && value != "unicast" || k.key == "MultiPathRoute" {
				to.dev = ""
			}
			if value != "no" {
				keys = append(keys, item{k.at, k.key, value})
			}
		default:
			l.note(k.at, "[Route] "+k.key+"="+k.value+" has no counterpart")
		}
	}
	return r.route(to, destination, false, keys)
}

// networkRule reads a section [RoutingPolicyRule].
func (r *reader) networkRule(l *link, s section) error {
	to := &rule{at: s.at, netns: l.netns}
	for _, k := range s.keys {
		switch {
		case k.key == "Table":
			to.table = k.value
		case k.key == "From" || k.key == "To":
			network, err := networkOf(k.at, k.value)
			if err != nil {
				return err
			}
			to.set(k.at, k.key, network)
		case slices.Contains(networkRuleKeys, k.key):
			value := k.value
			if slices.Contains(truths, k.key) {
				value = yesNo(value)
			}
			to.set(k.at, k.key, value)
		default:
			l.note(k.at, "[RoutingPolicyRule] "+k.key+"="+k.value+" has no counterpart; the rule is left out")
			return nil
		}
	}
	if to.table == "" && valueOf(to.keys, "Type") == "" {
		return problem.New(s.at, "a rule needs Table= or Type=")
	}
	r.addRule(to, false)
	return nil
}
