package systemd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Units is what the unit folders below a root hold. The folders are listed once
// and the sockets read once, however many services are asked for, at the same
// time or not.
type Units struct {
	fsys    fs.FS
	files   map[string]string   // unit name -> its file, of the first folder that has one
	links   map[string]bool     // which of these names are symbolic links
	others  map[string]string   // as files, of the units that are neither services nor sockets
	dropins map[string][]string // NAME of NAME.d -> such folders, lowest precedence first
	pulls   map[string][]string // NAME of NAME.wants and the like -> such folders
	// sockets returns for each service the sockets that start it.
	sockets func() *ties
	// aliases returns for each unit the names that are links to it.
	aliases func() map[string][]string
	// index returns what all services say of each other.
	index func() index
	// users returns the names of the units of systemd --user.
	users func() map[string]bool
	// boot returns the orders of what is started with the machine; domains has by the unit of a
	// domain the function that returns those of what is started with it.
	boot    func() *orders
	domains sync.Map
}

// Errors of Service, to be matched.
var (
	// ErrMasked: the unit is a link to /dev/null, or an empty file.
	ErrMasked = errors.New("is masked")
	// ErrBadName: no unit can have this name.
	ErrBadName = errors.New("is not the name of a unit")
)

// ReadUnits lists the unit folders. A folder that does not exist is empty.
func ReadUnits(fsys fs.FS) (*Units, error) { return readUnits(fsys, folders) }

// ReadInstalled is ReadUnits as a generator has to read while others run: without what they
// make, which may be half a file or none. An empty one would be a mask.
func ReadInstalled(fsys fs.FS) (*Units, error) {
	return readUnits(fsys, slices.DeleteFunc(slices.Clone(folders), func(f string) bool { return strings.HasPrefix(f, "run/systemd/generator") }))
}

func readUnits(fsys fs.FS, folders []string) (*Units, error) {
	u := &Units{fsys: fsys, files: map[string]string{}, links: map[string]bool{}, others: map[string]string{}, dropins: map[string][]string{}, pulls: map[string][]string{}}
	u.sockets = sync.OnceValue(u.readSockets)
	u.aliases = sync.OnceValue(u.readAliases)
	u.index = sync.OnceValue(u.readIndex)
	u.users = sync.OnceValue(u.readUsers)
	u.boot = sync.OnceValue(u.readBoot)
	for _, folder := range slices.Backward(folders) {
		entries, err := listDir(fsys, folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), ".d"); ok {
				u.dropins[name] = append(u.dropins[name], path.Join(folder, e.Name()))
				continue
			}
			if suffix := path.Ext(e.Name()); slices.Contains(pulling, suffix) {
				name := strings.TrimSuffix(e.Name(), suffix)
				u.pulls[name] = append(u.pulls[name], path.Join(folder, e.Name()))
				continue
			}
			suffix := Suffix(e.Name())
			if suffix != "" && !isUnit(fsys, folder, e) {
				continue
			}
			switch suffix {
			case "":
			case ".service", ".socket":
				u.files[e.Name()] = path.Join(folder, e.Name())
			default:
				u.others[e.Name()] = path.Join(folder, e.Name())
			}
			u.links[e.Name()] = e.Type()&fs.ModeSymlink != 0
		}
	}
	return u, nil
}

// listDir lists a folder. What is no folder is passed over, by systemd too.
func listDir(fsys fs.FS, folder string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return nil, nil
	}
	return entries, err
}

// file returns the file of the unit of that name, of any type; "" if there is none.
func (u *Units) file(name string) string { return cmp.Or(u.files[name], u.others[name]) }

// Has reports whether there is a file for the unit of that name, good or bad.
func (u *Units) Has(name string) bool { return u.files[name] != "" }

// Packaged reports whether a unit file of that name is where packages put theirs,
// also if an administrator's file of the same name hides it.
func (u *Units) Packaged(name string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		_, err := fs.Stat(u.fsys, path.Join(folder, name))
		return err == nil && !strings.HasPrefix(folder, "etc/") && !strings.HasPrefix(folder, "run/")
	})
}

// Instances returns the instances of a template that have a unit file or
// drop-ins of their own, by any of their names, sorted; none for a name that is no template's.
func (u *Units) Instances(template string) []string {
	found := map[string]bool{}
	for _, names := range []iter.Seq[string]{maps.Keys(u.files), maps.Keys(u.dropins)} {
		for name := range names {
			if _, _, ok := Instance(name); !ok {
				continue
			}
			name = u.called(name)
			if t, _, _ := Instance(name); t != "" && t == template {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Unit returns the unit called name, with its suffix. An alias (a symbolic link)
// leads to the unit itself: a drop-in for an alias is lost when the alias is
// disabled. An instance without a file of its own comes from its template.
//
// The error matches fs.ErrNotExist if there is no such unit, ErrMasked or
// ErrBadName.
func (u *Units) Unit(name string) (*Unit, error) {
	unit, err := u.partly(name)
	if err != nil {
		return nil, err
	}
	return unit, nil
}

// partly is Unit, and returns what can be read beside the error that something cannot.
func (u *Units) partly(name string) (*Unit, error) {
	if !ValidName(name) {
		return nil, fmt.Errorf("%q %w", name, ErrBadName)
	}
	name, file, err := u.resolve(name)
	if err != nil {
		return nil, err
	}
	data, err := u.readFile(file)
	if err == nil && len(data) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrMasked)
	}
	unit := &Unit{Name: name, Path: "/" + file, Settings: Read("/"+file, data)}
	settings, wrong := u.DropIns(name)
	unit.Settings = append(unit.Settings, settings...)
	if err == nil {
		err = wrong
	}
	return unit, err
}

// DropIns returns the settings in the drop-ins that a unit of that name has, or would
// have. The error, beside what is known, has those that cannot be read.
func (u *Units) DropIns(name string) (settings []Setting, err error) {
	files, err := u.dropInFiles(name)
	errs := []error{err}
	for _, f := range files {
		data, err := u.readDropIn(f)
		if err != nil {
			// That the drop-in is missing is not that the unit is.
			errs = append(errs, fmt.Errorf("%s: %v", name, err))
		}
		settings = append(settings, Read("/"+f, data)...)
	}
	return settings, errors.Join(errs...)
}

// readDropIn reads one, or nothing of what systemd passes over: a link that leads nowhere,
// to itself or to /dev/null, a folder or a socket. It hides the one of its name in another
// folder all the same (seen on systemd 252).
func (u *Units) readDropIn(file string) ([]byte, error) {
	data, err := u.readFile(file)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return data, nil
	}
	if target, err := fs.ReadLink(u.fsys, file); err == nil && target == "/dev/null" {
		return nil, nil
	}
	if info, err := fs.Stat(u.fsys, file); err == nil && info.Mode()&(fs.ModeDir|fs.ModeSocket) != 0 {
		return nil, nil
	}
	return data, err
}

// dropInFiles returns the drop-ins of a unit in the order in which they apply: sorted by
// file name. Of one file name there is only the first in the order of the folders.
func (u *Units) dropInFiles(name string) ([]string, error) {
	var errs []error
	byName := map[string]string{}
	for _, dir := range u.dropInDirs(name) {
		entries, err := listDir(u.fsys, dir)
		if err != nil {
			errs = append(errs, fmt.Errorf("/%s: %v", dir, err))
		}
		for _, e := range entries {
			file := path.Join(dir, e.Name())
			isDropIn := strings.HasSuffix(file, ".conf") && e.Name()[0] != '.' // systemd skips what is hidden
			if isDropIn && byName[e.Name()] == "" && !u.isOurs(file) {
				byName[e.Name()] = file
			}
		}
	}
	var files []string
	for _, base := range slices.Sorted(maps.Keys(byName)) {
		files = append(files, byName[base])
	}
	return files, errors.Join(errs...)
}

// dropInDirs returns the folders of a unit's drop-ins, the first wins: those of the folder
// of units come before those of the next one, whatever name they are of; then those of its
// aliases, and those of all units of the type (unit_file_find_dropin_paths,
// src/shared/dropin.c).
func (u *Units) dropInDirs(name string) (dirs []string) {
	add := func(names ...string) {
		for _, folder := range folders {
			for _, n := range names {
				if dir := path.Join(folder, n+".d"); slices.Contains(u.dropins[n], dir) {
					dirs = append(dirs, dir)
				}
			}
		}
	}
	for _, n := range append([]string{name}, u.namesOf(name)...) {
		names := dropInNames(n)
		add(names[:len(names)-1]...)
	}
	add(strings.TrimPrefix(path.Ext(name), "."))
	return dirs
}

// Shadow returns the absolute path of the file called base that systemd reads for a unit
// in place of one in its own folder below folder, or "".
func (u *Units) Shadow(unit, folder, base string) string {
	names := dropInNames(unit)
	for _, f := range folders {
		for _, n := range names[:len(names)-1] {
			dir := path.Join(f, n+".d")
			if "/"+f == folder && n == unit {
				return ""
			}
			if !slices.Contains(u.dropins[n], dir) {
				continue
			}
			file := path.Join(dir, base)
			// A folder and a link to nowhere hide the others, too, see readDropIn.
			_, err := fs.Lstat(u.fsys, file)
			if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) && !errors.Is(err, syscall.ELOOP) {
				return "/" + file
			}
		}
	}
	return ""
}

// isOurs reports whether a drop-in is rdgen's, of this version or an earlier one: it
// is not what the unit says.
func (u *Units) isOurs(file string) bool {
	if path.Base(file) == EarlierDropIn {
		text, err := u.readFile(file)
		return err == nil && IsMade(text)
	}
	if strings.HasPrefix(file, Generated[1:]+"/") && strings.TrimLeft(path.Base(file), "z") == strings.TrimLeft(Refused, "z") {
		return true
	}
	return slices.Contains([]string{DropIn, Removed, Held}, path.Base(file))
}

// dropInNames returns the names whose .d folders apply to a unit, most specific
// first: itself, its template, the prefixes that end in a dash, the type.
func dropInNames(name string) []string {
	suffix := path.Ext(name)
	names := []string{name}
	base := strings.TrimSuffix(name, suffix)
	if template, _, ok := Instance(name); ok {
		names = append(names, template)
		base = strings.TrimSuffix(template, suffix)
	}
	for i := len(base) - 1; i > 0; i-- {
		if base[i] == '-' {
			names = append(names, base[:i+1]+suffix)
		}
	}
	return append(names, strings.TrimPrefix(suffix, "."))
}

// maxSize is far above any unit; what is larger is not one.
const maxSize = 4 << 20

func (u *Units) readFile(name string) ([]byte, error) {
	f, err := u.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return data, fmt.Errorf("/%s: larger than %d MiB, which no unit is", name, maxSize>>20)
	}
	return data, nil
}
