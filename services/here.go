package services

import (
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/module"
)

// Here returns why domains cannot come up on the machine that runs, although their files
// are good: what its kernel has not. The loader's root is that machine's. Without names
// it is of all domains, else of those of these services.
func (l *Loader) Here(names ...string) (errs []error) {
	files := l.confs.domains().Files
	if len(names) > 0 {
		files = nil
	}
	for _, name := range names {
		if f := l.fileOf(name); f != nil && !slices.Contains(files, f) {
			files = append(files, f)
		}
	}
	kernel := module.Running(l.confs.fsys)
	for _, f := range files {
		errs = append(errs, kernel.Cannot(f)...)
	}
	return errs
}

// fileOf returns the file of a service's domain, or nil.
func (l *Loader) fileOf(name string) *conf.File {
	_, s, err := l.confs.everywhere(name)
	if err != nil {
		return nil
	}
	return l.confs.domains().Of(s.Domain)
}
