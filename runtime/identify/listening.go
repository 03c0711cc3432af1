package identify

import "rdgen/runtime/netns"

// EachNetns calls visit in the namespace of pid 1, which it names "", and in each other that has
// a name, with what listens there, as Sockets has it. The error matches fs.ErrPermission if the
// caller may not enter one.
func EachNetns(visit func(name string, listens map[uint64]Socket)) error {
	enter := func(ns *netns.NS, name string) error {
		defer ns.Close()
		return ns.Inside(func() error {
			all, err := sockets()
			if err == nil {
				visit(name, all)
			}
			return err
		})
	}
	first, err := netns.OpenPath("/proc/1/ns/net")
	if err != nil {
		return err
	}
	if err := enter(first, ""); err != nil {
		return err
	}
	names, err := netns.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		ns, err := netns.Open(name)
		if err != nil {
			continue // it has just gone, or is none, or is pid 1's: rdomain list says so
		}
		if err := enter(ns, name.String()); err != nil {
			return err
		}
	}
	return nil
}
