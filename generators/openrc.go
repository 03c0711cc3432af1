package generators

import (
	"rdgen/generators/tree"
	"rdgen/openrc"
)

// OpenRC makes the service's init script with its one line added, and, if it is
// known to be in a domain, the domain's own init script and the instance links
// that start it.
//
// The line asks for the domain when the script runs, so it is added to a service
// without one as well: the administrator sets vrf= later. What it needs, the hook
// and the rc.conf.d file, belong to rdgen's package and are not made here.
func OpenRC(s Service) (tree.Tree, []string, error) {
	text, err := s.Script.WithLine()
	if err != nil {
		return tree.Tree{}, nil, err
	}
	files := []tree.File{{Path: s.Script.Path, Mode: 0o755, Data: text}}
	if s.Link != "" {
		files = append(files, tree.File{Path: initDir + s.Name, Link: s.Link})
	}
	if !s.Domain.IsDefault() {
		files = append(files,
			tree.File{Path: initDir + "rdomain", Mode: 0o755, Data: openrc.RdomainScript},
			tree.File{Path: initDir + "rdomain." + s.Domain.ID(), Link: "rdomain"})
	}
	if outer, nested := namespace(s.Domain); nested {
		files = append(files, tree.File{Path: initDir + "rdomain." + outer.ID(), Link: "rdomain"})
	}
	var t tree.Tree
	for _, f := range files {
		if err := t.Add(f); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	return t, nil, nil
}
