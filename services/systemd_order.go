package services

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/systemd"
)

// tooEarly refuses a service that must be up before its domain can be. A socket counts that
// is started with the machine or with the service.
func tooEarly(units *systemd.Units, s generators.Systemd, list []*systemd.Unit) error {
	domain := domainUnit(s)
	for _, unit := range list {
		if path.Ext(unit.Name) == ".socket" && !units.Enabled(unit.Name, s.Units) {
			continue
		}
		if orders := units.Early(unit, domain); orders != nil {
			return early(s, unit, domain, orders)
		}
	}
	return nil
}

// domainUnit is the name of the unit that makes a service's domain.
func domainUnit(s generators.Systemd) string {
	return strings.Replace(systemd.Rdomain, "@", "@"+s.Domain.ID(), 1)
}

// leaveOut takes sockets out that are started before the domain can be, and that no network has
// anything to do with: systemd's syslog.socket, which rsyslog is given, runs before journald.
func leaveOut(units *systemd.Units, s *generators.Systemd) {
	domain := domainUnit(*s)
	s.Units = slices.DeleteFunc(s.Units, func(u *systemd.Unit) bool {
		return path.Ext(u.Name) == ".socket" && systemd.ListensAtPaths(u) && units.Early(u, domain) != nil
	})
}

// early is the error of a unit that its orders have run before a domain.
func early(s generators.Systemd, unit *systemd.Unit, domain string, orders []systemd.Order) error {
	place := lineOf(orders, s.Place())
	what := unit.Name
	for i, o := range orders {
		if i > 0 {
			what += ", which"
		}
		what += " runs before " + o.Then
		if o.Set.File != "" && placeOf(o.Set) != place {
			what += fmt.Sprintf(" (%s)", placeOf(o.Set))
		}
	}
	if orders[len(orders)-1].Then != domain {
		what += ", and domains are made after it"
	}
	if len(orders) > 1 {
		what += "; with " + unit.Name + " after the domain that is a circle, and systemd would leave one of these out"
	}
	return problem.New(place, "%s", what).WithHint(later(s, unit, orders, place))
}

// lineOf returns the line to be changed: the first one of the orders that is not in a target,
// which is mostly of systemd. otherwise is for orders that no line says.
func lineOf(orders []systemd.Order, otherwise problem.Pos) problem.Pos {
	place := problem.Pos{}
	for _, o := range orders {
		inTarget := path.Ext(o.Set.File) == ".target"
		if o.Set.File != "" && (place == problem.Pos{} || path.Ext(place.File) == ".target" && !inTarget) {
			place = placeOf(o.Set)
		}
	}
	return cmp.Or(place, otherwise)
}

// later is what to do about orders by which a unit runs before a domain; the line at place is
// the first to be changed.
func later(s generators.Systemd, unit *systemd.Unit, orders []systemd.Order, place problem.Pos) string {
	take := "take one of these orders out, in a copy of its unit (systemctl edit --full): no drop-in can"
	if slices.ContainsFunc(orders, func(o systemd.Order) bool { return placeOf(o.Set) == place && o.Set.DropIn() != "" }) {
		take = "take that line out"
	}
	instance := "let it run where it is, and make an instance that runs later: /etc/conf.d/" + s.Name + ".NAME"
	switch {
	case path.Ext(unit.Name) == ".socket":
		return "let the socket stay in the default domain: " + openrc.SocketKey + "=default in " + s.Place().File + "; or " + take
	case s.Instance != nil:
		return take
	case len(orders) == 1 && orders[0].Set.Key == "Before":
		return instance
	}
	return instance + "; or " + take
}
