package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/nat"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// readNAT reads the tables and the forwarding of outer namespaces.
func (s *Session) readNAT(tables []object.NAT, have *plan.State) error {
	if len(tables) == 0 {
		return nil
	}
	if have.Objects == nil {
		have.Objects = map[object.Key]object.Object{}
	}
	have.Forwards, have.Advertised = map[object.Forwarding]bool{}, map[domain.NetnsName][]string{}
	have.Listeners = map[domain.NetnsName][]plan.Listener{}
	these := map[object.Key][]object.NAT{}
	for _, n := range tables {
		these[n.Key()] = append(these[n.Key()], n)
	}
	for _, n := range tables {
		if _, done := have.Objects[n.Key()]; done {
			continue
		}
		err := s.inside(n.Netns, func() error {
			now, ok, err := nat.Read(these[n.Key()])
			if ok {
				have.Objects[n.Key()] = now
			}
			for _, v6 := range []bool{false, true} {
				f := object.Forwarding{Netns: n.Netns, IPv6: v6}
				have.Forwards[f] = isOn(f.Path())
			}
			if publishes(these[n.Key()]) {
				have.Listeners[n.Netns] = s.home.listeners(s.open(n.Netns).ID())
			}
			if !have.Forwards[object.Forwarding{Netns: n.Netns, IPv6: true}] {
				have.Advertised[n.Netns] = advertised()
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // the namespace is gone, or yet to be made
			return err
		}
	}
	return nil
}

// isOn reports whether a variable of the calling thread's namespace is 1.
func isOn(path string) bool {
	text, err := os.ReadFile("/proc/sys/" + path)
	return err == nil && strings.TrimSpace(string(text)) == "1"
}

// advertised returns the links whose routes the kernel has by router advertisements, and
// ignores those as soon as it forwards (accept_ra=1).
func advertised() (links []string) {
	const addrconf = 0x40000 // RTF_ADDRCONF
	text, _ := os.ReadFile("/proc/thread-self/net/ipv6_route")
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 10 || slices.Contains(links, f[9]) {
			continue
		}
		flags, err := strconv.ParseUint(f[8], 16, 32)
		if err == nil && flags&addrconf != 0 && isOn("net/ipv6/conf/"+f[9]+"/accept_ra") {
			links = append(links, f[9])
		}
	}
	return links
}

// publishes reports whether one of the tables publishes a port.
func publishes(tables []object.NAT) bool {
	return slices.ContainsFunc(tables, func(n object.NAT) bool {
		rules, _ := n.NATRules()
		return slices.ContainsFunc(rules, func(r object.NATRule) bool { return r.What == "publish" })
	})
}

// doNAT makes, replaces or deletes a table.
func (s *Session) doNAT(verb object.Verb, n object.NAT) error {
	err := s.inside(n.Netns, func() error {
		if verb == object.Delete {
			return nat.Delete(n)
		}
		return nat.Set(n, verb == object.Replace)
	})
	return gone(verb, err)
}

// Place returns the identity of a namespace.
func (s *Session) Place(netns domain.NetnsName) (id netns.ID, err error) {
	if _, err = s.Conn(netns); err == nil {
		id = s.open(netns).ID()
	}
	return id, err
}

// Forwards reports whether a namespace forwards, and if not, which of its links do.
func (s *Session) Forwards(f object.Forwarding) (on bool, links []string, err error) {
	err = s.inside(f.Netns, func() error {
		if on = isOn(f.Path()); on {
			return nil
		}
		paths, err := filepath.Glob("/proc/sys/net/" + object.Family(f.IPv6) + "/conf/*/forwarding")
		for _, path := range paths {
			if isOn(strings.TrimPrefix(path, "/proc/sys/")) {
				links = append(links, filepath.Base(filepath.Dir(path)))
			}
		}
		return err
	})
	return on, links, err
}

// Forward has a namespace forward, or not; links are those that do all the same.
func (s *Session) Forward(f object.Forwarding, on bool, links []string) error {
	value := map[bool]string{true: "1", false: "0"}[on]
	if err := s.doSysctl(object.Sysctl{Netns: f.Netns, Path: f.Path(), Value: value}); err != nil {
		return err
	}
	for _, l := range links {
		path := "net/" + object.Family(f.IPv6) + "/conf/" + l + "/forwarding"
		err := s.doSysctl(object.Sysctl{Netns: f.Netns, Path: path, Value: "1"})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // the link is gone
			return err
		}
	}
	return nil
}

// Filters returns the chains that what a namespace forwards comes to; none of one that is not
// there.
func (h *Home) Filters(name domain.NetnsName) (list []nat.Filter, err error) {
	if name.IsZero() {
		return nat.Filters()
	}
	ns, err := netns.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	err = ns.Inside(func() (err error) {
		list, err = nat.Filters()
		return err
	})
	return list, err
}
