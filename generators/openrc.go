package generators

import (
	"rdgen/generators/tree"
	"rdgen/openrc"
)

// OpenRC is a service of OpenRC.
type OpenRC struct {
	Service
	Script *openrc.Script
	// Link is the name of the script that the service's own is a link to, for an
	// instance; or "".
	Link string
	// Undefined says that no file defines the domain, or is nil: the service does not
	// start before there is one.
	Undefined error
}

// Files makes the service's init script with its one line added, and, if it is
// known to be in a domain, the domain's own init script and the instance links
// that start it.
//
// The line asks for the domain when the script runs, so it is added to a service
// without one as well: the administrator sets vrf= later. What it needs, the hook
// and the rc.conf.d file, belong to rdgen's package and are not made here.
func (s OpenRC) Files() (tree.Tree, []string, error) {
	files := []tree.File{{Path: s.Script.Path, Mode: 0o755, Data: s.Script.WithLine()}}
	if s.Link != "" {
		files = append(files, tree.File{Path: openrc.InitDir + s.Name, Link: s.Link})
	}
	if !s.Domain.IsDefault() {
		files = append(files,
			tree.File{Path: openrc.RdomainPath, Mode: 0o755, Data: openrc.RdomainScript()},
			tree.File{Path: openrc.InitDir + openrc.RdomainService(s.Domain.ID()), Link: "rdomain"})
	}
	if outer, nested := namespace(s.Domain); nested {
		files = append(files, tree.File{Path: openrc.InitDir + openrc.RdomainService(outer.ID()), Link: "rdomain"})
	}
	var t tree.Tree
	for _, f := range files {
		if err := t.Add(f); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	var notes []string
	if s.Undefined != nil {
		notes = append(notes, s.Undefined.Error()+"; the service does not start before there is one")
	}
	if s.Script.Broken != nil {
		notes = append(notes, s.Script.Broken.Error()+"; a shell may stop there, with the line that rdgen adds and without it")
	}
	return t, notes, nil
}
