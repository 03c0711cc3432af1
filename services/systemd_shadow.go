package services

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/problem"
	"rdgen/systemd"
)

// Shadow is a file that systemd reads in place of a drop-in of rdgen's, and that says
// something else.
type Shadow struct {
	// Unit is the unit, Place the path of the drop-in as the generators have it.
	Unit, Place string
	// Path is the file.
	Path string
	// Holds reports that the unit does not run outside all the same: by the file's own
	// look, or because the administrator wrote it there for this unit.
	Holds bool
	// Behind reports that it holds, and that rdgen made it there for this unit, and nobody
	// edited it: the unit is another since, or rdgen is. What it has of the unit's own
	// commands are those of then.
	Behind bool
}

// Problem is what is wrong with it below the root, and what to do.
func (s Shadow) Problem(root string) error {
	hint := "remove it, or give it another name that sorts before " + systemd.DropIn
	if strings.HasPrefix(s.Path, systemd.Etc+"/") {
		again := []string{"rdgen", "systemd", "--all", "-o", path.Join(root, "etc")}
		if path.Clean(root) != "/" {
			again = append(again, "--root", root)
		}
		hint += "; or, if rdgen made it: " + problem.Command(again...)
	}
	if path.Clean(root) == "/" {
		hint += "; then systemctl daemon-reload"
	}
	return problem.New(problem.Pos{File: s.Path}, "systemd reads this for %s in place of what rdgen makes, and it is not the same", s.Unit).
		WithHint(hint)
}

// Shadows returns the files that systemd reads in place of the drop-ins among files. What is
// at the very place of one is left to who compares them, unless systemd's generator asks.
func (sd *Systemd) Shadows(files tree.Tree) (list []Shadow) {
	units, err := sd.units()
	if err != nil {
		return nil
	}
	for _, f := range files.Files() {
		name, isDropIn := strings.CutSuffix(path.Base(path.Dir(f.Path)), ".d")
		if !isDropIn || path.Base(f.Path) != systemd.DropIn {
			continue
		}
		folder := systemd.Etc
		if _, err := fs.Lstat(sd.fsys, f.Path[1:]); sd.AtBoot || err != nil && sd.generates() {
			folder = systemd.Generated
		}
		by := units.Shadow(name, folder, systemd.DropIn)
		if by == path.Join(systemd.Early, name+".d", systemd.DropIn) {
			// Of an earlier run, in place of one that was behind.
			if _, err := fs.Lstat(sd.fsys, f.Path[1:]); err == nil {
				by = f.Path
			}
		}
		if by == "" || by == f.Path && !sd.AtBoot {
			continue
		}
		text, _ := fs.ReadFile(sd.fsys, by[1:]) // what cannot be read holds nothing
		if bytes.Equal(generators.Settings(text), generators.Settings(f.Data)) {
			continue
		}
		s := Shadow{Unit: name, Place: f.Path, Path: by, Holds: looks(text, f.Data)}
		if by == f.Path && len(text) > 0 && (!systemd.IsMade(text) || generators.ByHand(text)) {
			s.Holds = true
		}
		_, isInstance := files.File(path.Join(systemd.Etc, name))
		s.Behind = by == f.Path && looks(text, f.Data) && generators.Intact(text) && !generators.ByHand(text) && !isInstance
		list = append(list, s)
	}
	return list
}

// looks reports whether text has the look of what rdgen makes, for the same domain.
func looks(text, made []byte) bool {
	for line := range strings.Lines(string(made)) {
		if _, look, ok := strings.Cut(line, "=+"); ok && strings.Contains(look, " --look ") {
			return slices.ContainsFunc(slices.Collect(strings.Lines(string(text))), func(l string) bool {
				_, other, ok := strings.Cut(l, "=+")
				return ok && other == look
			})
		}
	}
	return false
}

// RefusedName is the file name of a drop-in of the generator that systemd reads for a unit
// whatever else is there.
func (sd *Systemd) RefusedName(unit string) string {
	name := systemd.Refused
	for units, err := sd.units(); err == nil && units.Shadow(unit, systemd.Generated, name) != ""; {
		name = "z" + name
	}
	return name
}
