package services

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"time"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
)

// Edit is a change of the file that names a service's domain, which is not yet made.
type Edit struct {
	openrc.Edited
	// After reads the machine as it is with the change.
	After *Loader
	// Service is the service then, in no domain perhaps.
	Service generators.Service
}

// Edit puts the assignments into the file that names the service's domain: its own in
// conf.d, or that of s6's own configuration where a machine has that and conf.d is silent.
// The new text was read as any other is, and says what was asked for; else it is an error,
// with the line and the reason, beside the Edit whose text has that line.
func (l *Loader) Edit(name string, want []openrc.Assignment) (*Edit, error) {
	edited, err := l.edited(name, want)
	if err != nil {
		return nil, err
	}
	e := &Edit{Edited: edited, After: NewLoader(&changed{l.confs.fsys, edited.File[1:], edited.New}, domain.Domain{}).Below(l.confs.root)}
	var values map[string]openrc.Value
	e.Service, values, err = e.After.confs.values(name)
	if err != nil {
		if _, _, before := l.confs.values(name); before != nil {
			return nil, before // the place is that of the file as it is
		}
		return e, err
	}
	for _, a := range want {
		if v := values[a.Key]; v.Text != a.Value {
			return nil, problem.New(v.Pos, "%s would be %q all the same", a.Key, v.Text).
				WithHint("edit that line; the file of " + name + " alone cannot change it")
		}
	}
	return e, nil
}

// Values returns what the files that name the service's domain say of each variable: netns,
// vrf, and where the sockets are.
func (l *Loader) Values(name string) (map[string]openrc.Value, error) {
	_, values, err := l.confs.values(name)
	return values, err
}

// Running returns the name of the init system that runs the machine, or "" where none does
// below this root.
func (l *Loader) Running() string {
	for _, r := range [][2]string{{"run/systemd/system", "systemd"}, {"run/openrc/softlevel", "openrc"}, {"run/s6-rc", "s6"}, {"run/service", "s6"}} {
		if _, err := fs.Stat(l.confs.fsys, r[0]); err == nil {
			return r[1]
		}
	}
	return ""
}

// edited is Edit without reading again.
func (l *Loader) edited(name string, want []openrc.Assignment) (openrc.Edited, error) {
	folder := l.confs.config()
	if folder == "" {
		return openrc.Edit(l.confs.fsys, name, want)
	}
	_, s, err := l.confs.everywhere(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return openrc.Edited{}, err
	}
	if path.Dir(s.Pos.File) == path.Dir(confd(name).File) || !l.S6.Has(name) {
		return openrc.Edit(l.confs.fsys, name, want)
	}
	e := openrc.Edited{File: path.Join(folder, name+".conf")}
	e.Old, err = fs.ReadFile(l.confs.fsys, e.File[1:])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return e, problem.New(problem.Pos{File: e.File}, "%w", problem.Cause(err))
	}
	e.New = e.Old
	for _, a := range want {
		if e.New, err = s6.Edit(e.File, e.New, a.Key, a.Value); err != nil {
			return e, err
		}
	}
	return e, nil
}

// values returns a service, in no domain perhaps, and what the files that name its domain
// say of the variables that matter.
func (c *confs) values(name string) (generators.Service, map[string]openrc.Value, error) {
	conf, s, err := c.everywhere(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrNoDomain) {
		return s, nil, err // also a VRF that nothing defines
	}
	s.Name = name
	values := map[string]openrc.Value{}
	put := func(key, text string) { values[key] = openrc.Value{Text: text, Pos: s.Pos} }
	put("netns", s.Domain.Netns.String())
	put("vrf", s.Domain.VRF.String())
	if conf == nil {
		return s, values, nil
	}
	for _, key := range []string{"netns", "vrf", openrc.SocketKey} {
		v, _, err := conf.Lookup(key)
		if err != nil {
			return s, nil, err
		}
		if !c.isConfigured(s) || key == openrc.SocketKey {
			values[key] = v
		}
	}
	return s, values, nil
}

// changed is a file system with another text in one file.
type changed struct {
	fs.FS
	name string
	text []byte
}

// Open opens the file that is changed as it will be.
func (c *changed) Open(name string) (fs.File, error) {
	if name != c.name {
		return c.FS.Open(name)
	}
	return &text{Reader: bytes.NewReader(c.text), name: path.Base(name)}, nil
}

// Stat describes a file.
func (c *changed) Stat(name string) (fs.FileInfo, error) {
	if name != c.name {
		return fs.Stat(c.FS, name)
	}
	return &text{Reader: bytes.NewReader(c.text), name: path.Base(name)}, nil
}

// ReadDir lists a folder, and the file that is changed although it may be new.
func (c *changed) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(c.FS, name)
	if name != path.Dir(c.name) {
		return entries, err
	}
	for _, e := range entries {
		if e.Name() == path.Base(c.name) {
			return entries, err
		}
	}
	info, _ := c.Stat(c.name)
	return append(entries, fs.FileInfoToDirEntry(info)), nil
}

// ReadLink returns where a link leads to.
func (c *changed) ReadLink(name string) (string, error) { return fs.ReadLink(c.FS, name) }

// Lstat describes a file, and no link's target.
func (c *changed) Lstat(name string) (fs.FileInfo, error) {
	if name != c.name {
		return fs.Lstat(c.FS, name)
	}
	return c.Stat(name)
}

// text is an opened file that is in memory, and its own description.
type text struct {
	*bytes.Reader
	name string
}

func (t *text) Stat() (fs.FileInfo, error) { return t, nil }
func (t *text) Close() error               { return nil }
func (t *text) Name() string               { return t.name }
func (t *text) Mode() fs.FileMode          { return 0o644 }
func (t *text) ModTime() time.Time         { return time.Time{} }
func (t *text) IsDir() bool                { return false }
func (t *text) Sys() any                   { return nil }
