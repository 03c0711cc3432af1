package plan

import (
	"fmt"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/object"
)

// wantedRoute returns the route of the file as ip(8) makes it.
func (p *planner) wantedRoute(r conf.Route) object.Route {
	w := object.Route{Netns: p.in, Destination: r.Destination, Type: r.Type, Gateway: r.Gateway,
		Dev: r.Device.String(), Table: r.Table, Metric: r.Metric, OnLink: r.OnLink, Source: r.Source, MTU: r.MTU, Hops: object.NewHops(r.Hops)}
	if w.Table == 0 {
		w.Table = object.MainTable
		if p.f.Kind == conf.VRF {
			w.Table = p.f.Table
		}
	}
	w.Scope = w.UsualScope()
	return w
}

// route plans one route. Another route of the same key is replaced if it is
// ours to change, and is a contradiction otherwise.
func (p *planner) route(line int, want object.Route) error {
	now, ok := p.have.route(want)
	switch {
	case !ok || now.Dev != "" && p.remakes(now.Dev):
		p.add(line, object.Add, want)
	case same(now, want) && !p.remakesHop(now):
	case p.plan.Record.Made() != nil || p.f.Kind == conf.VRF && want.Table == p.f.Table || p.old.Find(want.Key()) != nil:
		now.Netns = p.in
		p.set(line, object.Replace, want, now)
	default:
		now.Netns = p.in
		return p.fail(line, fmt.Sprintf("another route exists already: %s",
			object.Step{Verb: object.Add, Object: now}))
	}
	return nil
}

// remakesHop reports whether the plan makes a link of a route with several gateways again,
// with which one of IPv4 goes, and one of IPv6 loses a gateway.
func (p *planner) remakesHop(r object.Route) bool {
	return slices.ContainsFunc(r.Hops.List(), func(h object.Hop) bool { return h.Dev != "" && p.remakes(h.Dev) })
}

// route returns the route of the domain's namespace that has the key of want, and
// whether there is one.
func (s *State) route(want object.Route) (object.Route, bool) {
	for _, r := range s.Routes {
		if r.Netns = want.Netns; r.Key() == want.Key() {
			return r.Route, true
		}
	}
	return object.Route{}, false
}

// same reports whether a route does what the wanted one does. The device of a
// route with a gateway is the kernel's choice unless it is wanted.
func same(now, want object.Route) bool {
	return now.Type == want.Type && now.Gateway == want.Gateway && now.Hops.Same(want.Hops) && (want.Dev == "" || now.Dev == want.Dev) &&
		now.MTU == want.MTU && now.OnLink == want.OnLink && (!want.Source.IsValid() || now.Source == want.Source)
}
