package services

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/systemd"
)

// Stale is a file of rdgen's in /etc that no conf.d file wants any more.
type Stale struct {
	// Path is absolute, below the root.
	Path string
	// Intact reports that it is as rdgen made it: nobody edited it.
	Intact bool
	// Link reports that the file, or its folder, is a symbolic link: it may be another's.
	Link bool
}

// Problem is what is wrong with it below the root, and what to do.
func (s Stale) Problem(root string) error {
	if s.Link {
		return problem.New(problem.Pos{File: s.Path}, "no conf.d file wants this file, which is there by a symbolic link, and it holds all the same").
			WithHint("remove the link yourself")
	}
	if !s.Intact {
		return problem.New(problem.Pos{File: s.Path}, "no conf.d file wants this file, and it is not as rdgen made it").
			WithHint("look what was edited, and remove it yourself")
	}
	hint := "rdgen systemd --prune, and systemctl daemon-reload"
	if root != "/" {
		hint = "rdgen systemd --prune --root " + root
	}
	return problem.New(problem.Pos{File: s.Path}, "no conf.d file wants this file, and it holds all the same").WithHint(hint)
}

// Stale returns the drop-ins and units of instances that rdgen made for a line of conf.d,
// in /etc or where somebody moved them, and would not make today: the line is gone, or the
// unit is another, or rdgen was. What it made for a domain of the command line is wanted
// by that, and the units of domains by whoever has them started. An earlier version's
// drop-in is wanted until today's is in place: it is what keeps the service inside.
//
// The error, beside what is known, has each service that cannot be read: nothing of
// its own is stale.
func (sd *Systemd) Stale() (stale []Stale, err error) {
	wanted, err := sd.wanted()
	for _, folder := range systemd.AdminFolders() {
		stale = append(stale, sd.staleIn(folder, wanted)...)
	}
	return stale, err
}

// staleIn is Stale for one folder of units. wanted has the paths that files have in /etc.
func (sd *Systemd) staleIn(folder string, wanted map[string]bool) (stale []Stale) {
	entries, _ := fs.ReadDir(sd.fsys, folder[1:]) // or there is no such folder
	for _, e := range entries {
		names := []string{e.Name()}
		if strings.HasSuffix(e.Name(), ".d") {
			names = []string{e.Name() + "/" + systemd.DropIn, e.Name() + "/" + systemd.EarlierDropIn}
		} else if path.Ext(e.Name()) != ".service" || e.Name() == systemd.Rdomain {
			continue
		}
		for _, name := range names {
			p := path.Join(folder, name)
			text, err := fs.ReadFile(sd.fsys, p[1:])
			if err != nil || !systemd.IsMade(text) || generators.ByHand(text) || wanted[path.Join(systemd.Etc, name)] {
				continue
			}
			target, linkErr := fs.ReadLink(sd.fsys, p[1:])
			if linkErr == nil && wanted[path.Join(systemd.Etc, path.Base(target))] {
				continue // an alias of an instance
			}
			now := path.Join(systemd.Etc, path.Dir(name), systemd.DropIn)
			if _, err := fs.Stat(sd.fsys, now[1:]); err == nil || !wanted[now] || sd.generates() {
				link := linkErr == nil || e.Type()&fs.ModeSymlink != 0
				stale = append(stale, Stale{p, !link && generators.Intact(text), link})
			}
		}
	}
	return stale
}

// wanted are the paths of the files that rdgen would make, or may have made where
// that is not certain.
func (sd *Systemd) wanted() (map[string]bool, error) {
	wanted := map[string]bool{}
	names, broken, err := sd.confs.declaredAndBroken(sd.confs.isDefined)
	errs := []error{err}
	keep := func(name string) {
		for _, unit := range append(sd.UnitsToBlock(name), bare(name)+".service") {
			wanted[path.Join(systemd.Etc, unit)] = true
			wanted[path.Join(systemd.Etc, unit+".d", systemd.DropIn)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		errs = append(errs, broken[name])
		keep(name)
	}
	for _, name := range names {
		job, err := sd.Load(name)
		if err != nil {
			keep(name)
			if !errors.Is(err, systemd.ErrMasked) {
				errs = append(errs, err)
			}
			continue
		}
		files, _, err := job.Files()
		if err != nil {
			keep(name)
			errs = append(errs, err)
		}
		for _, f := range files.Files() {
			wanted[f.Path] = true
		}
	}
	return wanted, errors.Join(errs...)
}
