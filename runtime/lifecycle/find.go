package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/rtnl"
)

// target is a domain as it was asked for.
type target struct {
	// id is the domain's ID by its file, under which it is recorded and
	// locked; the ID that was asked for where there is no file.
	id domain.ID
	// file is nil if there is none.
	file *conf.File
}

// find looks for the file of a domain: its own, or, for VRF@NETNS, one that
// defines that VRF in that namespace.
func (h *Host) find(id domain.ID) (target, error) {
	f, err := conf.Read(id)
	if err == nil {
		return target{id, f}, h.unique(id, f)
	}
	if p, ok := errors.AsType[*problem.Error](err); ok && errors.Is(err, conf.ErrNoTable) {
		return target{}, h.nameFreeTable(p)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return target{}, err
	}
	want, both := id.Both()
	if !both {
		return target{id: id}, nil
	}
	files, err := Files()
	if err != nil {
		return target{}, err
	}
	found := target{id: id}
	for _, other := range files {
		f, err := conf.Read(other)
		if err != nil || f.Kind != conf.VRF || f.Domain != want {
			continue // a file that is wrong is its own domain's trouble
		}
		if found.file != nil {
			return target{}, problem.New(f.At(f.KindLine), "defines %s, as %s does; one of them must go", want, found.file.Path)
		}
		found = target{other, f}
	}
	return found, nil
}

// unknown says what may be wrong with the name of a domain that has no file, no record,
// and does not exist. Of others it is "", and where that cannot be found out.
func (h *Host) unknown(t target) string {
	if t.file != nil || h.store != nil && h.store.Has(t.id) { // nil where nothing was ever up
		return ""
	}
	if exists, err := h.exists(t.id); exists || err != nil {
		return ""
	}
	files, err := Files()
	if err != nil {
		return ""
	}
	var names []string
	for _, f := range files {
		names = append(names, f.String())
	}
	return "there is no " + conf.Path(t.id) + nearest(t.id.String(), names)
}

// Unknown says what may be wrong with the name of a domain that nobody knows: it has no
// file, no record, and does not exist. Of others it is "", and where that cannot be found
// out. A VRF in a namespace needs a file to exist.
func (h *Host) Unknown(id domain.ID) string {
	t, err := h.find(id)
	if err != nil {
		return ""
	}
	return h.unknown(t)
}

// unique refuses a file that gives its domain the name of another file's.
func (h *Host) unique(id domain.ID, f *conf.File) error {
	own := f.Domain.ID()
	if own == id.String() {
		return nil
	}
	other, err := domain.ParseID(own)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(conf.Path(other)); err == nil {
		return problem.New(f.At(f.KindLine), "defines %s, as %s does; one of them must go", f.Domain, conf.Path(other))
	}
	return nil
}

// outer returns the namespace that a VRF lives in, zero for home's.
func (t target) outer() domain.NetnsName {
	if t.file != nil && t.file.Kind == conf.VRF {
		return t.file.Domain.Netns
	}
	d, _ := t.id.Both()
	return d.Netns
}

// nameFreeTable adds a number to the message that a VRF needs one: the first
// from 10 on that no VRF, rule, route or file uses.
func (h *Host) nameFreeTable(e *problem.Error) error {
	used := map[uint32]bool{253: true, 254: true, 255: true}
	files, _ := Files()
	for _, id := range files {
		if f, err := conf.Read(id); err == nil {
			used[f.Table] = true
		}
	}
	conn, err := rtnl.Open()
	if err != nil {
		return e
	}
	defer conn.Close()
	vrfs, _ := conn.Links("vrf")
	for _, v := range vrfs {
		used[v.Table] = true
	}
	for _, v6 := range []bool{false, true} {
		rules, _ := conn.Rules(v6)
		for _, r := range rules {
			used[r.Table] = true
		}
	}
	for table := uint32(10); table < 10000; table++ {
		if used[table] {
			continue
		}
		if routes, err := conn.Routes(table, 0); err == nil && len(routes) == 0 {
			e.Msg += fmt.Sprintf("; Table=%d is free", table)
			break
		}
	}
	return e
}

// nearest asks for the name that is nearest to s; it is "" if none is near.
func nearest(s string, names []string) string {
	switch name, ok := strings.CutSuffix(s, ".conf"); {
	case ok:
		return "; did you mean " + name + "?"
	case s == "all":
		return "; did you mean --all?"
	}
	if best := problem.Nearest(s, names...); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}
