package lifecycle

import (
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// Changes are what may have changed a domain that is up: its links, outside and inside,
// its record, and the name of its namespace.
type Changes struct {
	h     *Host
	links *rtnl.Watch
	files *record.Watch
	// begun: all domains were looked at once.
	begun bool
}

// Watch begins to collect changes.
func (h *Host) Watch() (*Changes, error) {
	links, err := rtnl.OpenWatch()
	if err != nil {
		return nil, err
	}
	files, err := record.OpenWatch()
	if err != nil {
		links.Close()
		return nil, err
	}
	return &Changes{h: h, links: links, files: files}, nil
}

// Close gives the descriptors back.
func (c *Changes) Close() {
	c.links.Close()
	c.files.Close()
}

// Next waits for changes and returns the domains that are up and that they may concern;
// at first all. A domain whose file cannot be read is one of them.
func (c *Changes) Next() ([]domain.ID, error) {
	if !c.begun {
		c.begun = true
		return c.concerned(func(domain.ID) bool { return true }, func(domain.ID, *conf.File) bool { return true })
	}
	links, err := c.links.Next(c.files.FD())
	if err != nil {
		return nil, err
	}
	files, err := c.files.Names()
	if err != nil {
		return nil, err
	}
	lost := links.Lost || files[""]
	made := func(id domain.ID) bool { return lost || files[id.String()+".json"] }
	return c.concerned(made, func(id domain.ID, f *conf.File) bool {
		n := f.Domain.Netns
		inside := links.Here
		if !n.IsZero() {
			inside = links.Elsewhere
		}
		return lost || inside[f.Domain.VRF.String()] || !n.IsZero() && files[n.String()] ||
			slices.ContainsFunc(f.Links, func(l conf.Link) bool {
				return inside[l.Name.String()] || links.Here[l.Name.String()] || links.Here[l.Peer.String()] || links.Elsewhere[l.Peer.String()]
			})
	})
}

// concerned returns those of the domains that are up. The kernel is asked to tell of the
// links in their namespaces too; a namespace of which it did not is looked at. made reports
// whether a domain's namespace may have been made. One without a file is a namespace of
// that name, or is left alone.
func (c *Changes) concerned(made func(domain.ID) bool, is func(domain.ID, *conf.File) bool) (list []domain.ID, err error) {
	recorded, err := c.h.Recorded()
	for _, id := range recorded {
		t, err := c.h.standing(id)
		f, isNew, bare := t.file, false, err == nil && t.file == nil
		if bare {
			name, invalid := domain.ParseNetns(id.String())
			if invalid != nil {
				continue
			}
			f = &conf.File{Domain: domain.Domain{Netns: name}}
		}
		if err == nil && !bare && !f.Domain.Netns.IsZero() && made(id) {
			if isNew, err = c.h.home.Number(f.Domain.Netns); err != nil {
				return list, err
			}
		}
		if err != nil || isNew || is(id, f) {
			list = append(list, id)
		}
	}
	return list, err
}
