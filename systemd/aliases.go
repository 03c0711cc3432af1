package systemd

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// isUnit reports whether systemd takes an entry of a unit folder for the unit of that
// name: a file, or a link that may stand for one. Any other is passed over, and the next
// folder may have the unit. A link to what cannot be read is the unit, and it does not start.
func isUnit(fsys fs.FS, folder string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type().IsRegular()
	}
	target, err := fs.ReadLink(fsys, path.Join(folder, e.Name()))
	return err != nil || !isAlias(folder, target) || mayAlias(e.Name(), path.Base(target))
}

// isAlias reports whether a link in a unit folder leads into one, so that it is another
// name of the unit there. Any other is a unit itself, of which the file is elsewhere, or a
// mask (unit_file_resolve_symlink, src/shared/unit-file.c).
func isAlias(folder, target string) bool {
	if !path.IsAbs(target) {
		target = path.Join("/", folder, target)
	}
	for dir := path.Dir(path.Clean(target)); dir != "/"; dir = path.Dir(dir) {
		if slices.Contains(folders, dir[1:]) {
			return true
		}
	}
	return false
}

// mayAlias reports whether a unit can have another's name by a link: both are services, or
// sockets and so on, and plain names, templates or one instance; an instance can be that of
// a template. systemd rejects any other, and passes over a link to what has the same name
// (unit_validate_alias_symlink_or_warn, src/shared/unit-file.c).
func mayAlias(name, target string) bool {
	if name == target || !ValidName(name) || !ValidName(target) || path.Ext(name) != path.Ext(target) {
		return false
	}
	_, instance, isInstance := Instance(name)
	_, of, ofInstance := Instance(target)
	isTemplate := func(n string) bool { return strings.HasSuffix(strings.TrimSuffix(n, path.Ext(n)), "@") }
	switch {
	case isInstance && ofInstance:
		return instance == of
	case isInstance:
		return isTemplate(target)
	}
	return !ofInstance && isTemplate(name) == isTemplate(target)
}

// resolve follows aliases: links to another unit's name. A link to a file that is in no unit
// folder only says where the file is.
func (u *Units) resolve(name string) (unit, file string, err error) {
	const most = 16 // an alias of an alias is rare; this ends a loop
	for range most {
		source := name // the name that the file has
		template, instance, isInstance := Instance(name)
		if u.file(source) == "" && isInstance {
			source = template
		}
		file := u.file(source)
		switch {
		case file == "":
			return "", "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		case !u.links[source]:
			return name, file, nil
		}
		target, err := fs.ReadLink(u.fsys, file)
		if err != nil {
			return "", "", err
		}
		if target == "/dev/null" {
			return "", "", fmt.Errorf("%s: %w", name, ErrMasked)
		}
		if !isAlias(path.Dir(file), target) {
			return name, file, nil // linked from elsewhere, under a name of its own
		}
		base := path.Base(target)
		if prefix, suffix, ok := strings.Cut(base, "@."); ok && isInstance {
			base = prefix + "@" + instance + "." + suffix
		}
		if base == name { // a link to its own template
			file, err := u.file(template), error(nil)
			if file == "" {
				err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
			}
			return name, file, err
		}
		name = base
	}
	return "", "", fmt.Errorf("%s: too many aliases", name)
}

// readAliases finds the names that lead to another.
func (u *Units) readAliases() map[string][]string {
	aliases := map[string][]string{}
	for name, link := range u.links {
		if !link {
			continue
		}
		if real, _, err := u.resolve(name); err == nil && real != name {
			aliases[real] = append(aliases[real], name)
		}
	}
	return aliases
}

// namesOf returns the other names of a unit, sorted: the links to it, and for an instance also
// those that the links to its template give it.
func (u *Units) namesOf(unit string) []string {
	names := slices.Clone(u.aliases()[unit])
	if template, instance, ok := Instance(unit); ok {
		for _, alias := range u.aliases()[template] {
			name, ok := instantiate(alias, instance)
			if real, _, err := u.resolve(name); ok && err == nil && real == unit {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// called returns the name of the unit that name stands for, or name itself if there is none.
func (u *Units) called(name string) string {
	if real, _, err := u.resolve(name); err == nil {
		return real
	}
	return name
}
