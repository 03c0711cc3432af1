package main

import (
	"errors"
	"fmt"
	"io"

	"rdgen/generators/tree"
	"rdgen/services"
)

// removeStale removes the files in /etc that rdgen made and conf.d no longer wants,
// and says which; or only says it. One that somebody edited is an error and stays.
// As long as a line cannot be followed, nothing is removed: a service might be
// let out of its domain by it.
func (o *options) removeStale(loader *services.Loader, stdout io.Writer) error {
	stale, err := loader.Systemd.Stale()
	if err != nil {
		return err
	}
	var errs []error
	var paths []string
	for _, file := range stale {
		if !file.Intact {
			errs = append(errs, file.Problem(o.root))
			continue
		}
		paths = append(paths, file.Path)
	}
	verb := "removed"
	if o.check {
		verb = "would be removed:"
	} else if err := tree.Remove(o.root, paths); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, p := range paths {
		if _, err := fmt.Fprintln(stdout, verb, p); err != nil {
			return err
		}
	}
	if o.check && len(paths) > 0 {
		errs = append(errs, errSaid)
	}
	return errors.Join(errs...)
}
