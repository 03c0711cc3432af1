package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// All are the files of all domains below a root.
type All struct {
	Files []*File
	// Errs is what is wrong with single files, each a *problem.Error.
	Errs []error
	ids  map[*File]domain.ID
	// found remembers between: check --all asks for each domain.
	found   func() []between
	clashed func() []between
}

// ReadAll reads every file of [Dir] in fsys, which is rooted at the machine's root.
// What cannot be one, by its name, its kind or who may write it, is an error too.
func ReadAll(fsys fs.FS) *All {
	a := &All{ids: map[*File]domain.ID{}}
	a.found, a.clashed = sync.OnceValue(a.between), sync.OnceValue(a.clashes)
	entries, err := fs.ReadDir(fsys, Dir[1:])
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			a.Errs = append(a.Errs, problem.Unreadable(Dir, err))
		}
		return a
	}
	a.writable(fsys, Dir, "")
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".conf")
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		file := path.Join(Dir, e.Name())
		id, err := domain.ParseID(name)
		if err != nil {
			a.fail(OfNoDomain(e.Name(), err))
			continue
		}
		f, err := readIn(fsys, file, id)
		if err != nil {
			a.fail(err)
			continue
		}
		a.writable(fsys, file, "whoever can write it decides where services run")
		a.Files, a.ids[f] = append(a.Files, f), id
	}
	return a
}

// OfNoDomain is the error for a file whose name is no domain's, because of err.
func OfNoDomain(name string, err error) *problem.Error {
	return problem.New(problem.Pos{File: path.Join(Dir, name)}, "is the file of no domain: %w", err).WithHint("call it NETNS.conf, VRF.conf or VRF@NETNS.conf")
}

func (a *All) fail(err error) { a.Errs = append(a.Errs, err) }

func readIn(fsys fs.FS, file string, id domain.ID) (*File, error) {
	f, err := fsys.Open(file[1:])
	if err != nil {
		e := problem.Unreadable(file, err)
		if errors.Is(err, fs.ErrNotExist) {
			e = toNothing(file)
		}
		return nil, e
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, problem.Unreadable(file, err)
	}
	if !info.Mode().IsRegular() {
		return nil, problem.New(problem.Pos{File: file}, "is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, problem.Unreadable(file, err)
	}
	return Parse(file, id, data, fsys)
}

// writable refuses a file that others than root can write. Below a root that belongs to
// somebody else, that one counts as root.
func (a *All) writable(fsys fs.FS, file, why string) {
	root, err := fs.Stat(fsys, ".")
	if err != nil {
		return
	}
	info, err := fs.Stat(fsys, file[1:])
	if err != nil {
		a.fail(problem.Unreadable(file, err))
		return
	}
	if why == "" {
		why = "whoever can write there decides where services run"
	}
	own, ok := info.Sys().(*unix.Stat_t)
	top, also := root.Sys().(*unix.Stat_t)
	switch {
	case info.Mode()&0o002 != 0:
		a.fail(problem.New(problem.Pos{File: file}, "can be written by everybody; %s", why).WithHint("chmod o-w " + file))
	case !ok || !also:
	case own.Uid != 0 && own.Uid != top.Uid:
		a.fail(problem.New(problem.Pos{File: file}, "belongs to user %d; %s", own.Uid, why).WithHint("chown root " + file))
	case info.Mode()&0o020 != 0 && own.Gid != 0 && own.Gid != top.Gid:
		a.fail(problem.New(problem.Pos{File: file}, "can be written by group %d; %s", own.Gid, why).WithHint("chmod g-w " + file))
	}
}

// Of returns the file that defines d, or nil: that of its name, or for a VRF in a
// namespace any that says so.
func (a *All) Of(d domain.Domain) *File {
	var found *File
	for _, f := range a.Files {
		if id := a.ids[f]; id.String() == d.ID() {
			return f
		}
		if !d.VRF.IsZero() && !d.Netns.IsZero() && f.Domain == d {
			found = f
		}
	}
	return found
}

// end is one end of a link, and where it is.
type end struct{ where, link string }

// Together returns what is wrong between the files, each a *problem.Error at one of the
// places.
func (a *All) Together() (errs []error) {
	for _, b := range a.found() {
		errs = append(errs, b.err)
	}
	return errs
}

// With returns those errors of [All.Together] that a file has a part in.
func (a *All) With(file string) (errs []error) {
	for _, b := range a.found() {
		if b.err.File == file || slices.Contains(b.others, file) {
			errs = append(errs, b.err)
		}
	}
	return errs
}

// between is an error, and the files that have a part in it besides its own.
type between struct {
	err    *problem.Error
	others []string
}

func (a *All) between() []between {
	return slices.Concat(a.twice(), a.absent(), a.circles(), a.fromNothing(), a.clashed())
}

// twice finds what two files name, and only one of them can have. The error is at the
// second of the places.
func (a *All) twice() (errs []between) {
	tables, links := map[string]problem.Pos{}, map[end]problem.Pos{}
	claim := func(in map[end]problem.Pos, p end, at problem.Pos, format string, args ...any) {
		first, taken := in[p]
		if taken && first.File != at.File {
			err := problem.New(at, format+", as in %s", append(args, first)...).WithHint("the second of them does not come up; change one")
			errs = append(errs, between{err, []string{first.File}})
		} else if !taken {
			in[p] = at
		}
	}
	for _, f := range a.Files {
		inside := "netns " + f.Domain.Netns.String()
		if f.Kind == VRF && f.Table != 0 {
			key, at := fmt.Sprint(inside, " ", f.Table), f.At(f.KindLine)
			if first, taken := tables[key]; taken {
				err := problem.New(at, "Table=%d is the table of a VRF already, in %s", f.Table, first).WithHint("give each its own")
				errs = append(errs, between{err, []string{first.File}})
			} else {
				tables[key] = at
			}
		}
		for _, l := range f.Links {
			if l.Name.String() == "lo" {
				continue
			}
			from := inside
			switch {
			case l.Kind == "" && f.Kind == Netns:
				from = "taken from " + a.side(f, l)
			case l.Kind == "":
				from = "taken from " + inside
			}
			claim(links, end{from, l.Name.String()}, f.At(l.Line), "[Link %s] is one link, and cannot be in two domains", l.Name)
			if !l.Peer.IsZero() {
				claim(links, end{a.side(f, l), l.Peer.String()}, f.At(l.LineOf("Peer")), "Peer=%s is the name of another link", l.Peer)
			}
		}
	}
	return errs
}

// side is the namespace of a link's other side.
func (a *All) side(f *File, l Link) string {
	if l.Outer.ID == (domain.ID{}) {
		if f.Kind == VRF {
			return "netns " + f.Domain.Netns.String()
		}
		return "netns "
	}
	for _, o := range a.Files {
		if a.ids[o] == l.Outer.ID {
			return "netns " + o.Domain.Netns.String()
		}
	}
	return "netns " + l.Outer.ID.String()
}
