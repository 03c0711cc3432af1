package s6

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
)

// Directory is a source directory, or a service directory, that exists.
type Directory struct {
	Folder, Name string
	// Type is "oneshot", "longrun" or "bundle"; of a service directory "longrun".
	Type string
	// Generated reports that rdgen made it, so that it can be made again.
	Generated bool
	// Wrapped is the script that has our line, or "".
	Wrapped string
	// Scripts are what is executed, by file name: run and finish, or up, down
	// and reload.
	Scripts map[string]Script
	// Dependencies are its dependencies.
	Dependencies []string
	// List is the text of the deprecated file of dependencies, if that is what
	// s6-rc-compile reads: a folder beside it would hide it.
	List []byte
	// Modes are those of the scripts.
	Modes map[string]fs.FileMode
}

// made is how rdgen's own scripts begin, after the "#!" line.
const made = "# Made by rdgen "

// Find returns the first of names that one of the flavour's folders has, or ""
// for both.
func (f Flavor) Find(fsys fs.FS, names ...string) (folder, name string) {
	for _, name := range names {
		for _, folder := range f.Folders {
			if info, err := fs.Stat(fsys, Below(folder+"/"+name)); err == nil && info.IsDir() {
				return folder, name
			}
		}
	}
	return "", ""
}

// settings are the files beside run and finish by which rdgen tells s6 of a service.
var settings = []string{"notification-fd", "timeout-up", "timeout-down", "timeout-kill", "timeout-finish", "down-signal", "reload-signal"}

// Settings returns the paths of the settings that a service has, and of its dependencies
// on domains.
func (f Flavor) Settings(fsys fs.FS, service string) (paths []string) {
	folder, name := f.Find(fsys, f.Service(service), service)
	if name == "" {
		return nil
	}
	dir := folder + "/" + name + "/"
	for _, s := range settings {
		if _, err := fs.Lstat(fsys, Below(dir+s)); err == nil {
			paths = append(paths, dir+s)
		}
	}
	entries, _ := fs.ReadDir(fsys, Below(dir+"dependencies.d"))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), Rdomain("")) {
			paths = append(paths, dir+"dependencies.d/"+e.Name())
		}
	}
	return paths
}

// List returns the source directories of the flavour's folders, as folder and name.
func (f Flavor) List(fsys fs.FS) (list [][2]string) {
	for _, folder := range f.Folders {
		entries, _ := fs.ReadDir(fsys, Below(folder))
		for _, e := range entries {
			if e.Name()[0] != '.' {
				list = append(list, [2]string{folder, e.Name()})
			}
		}
	}
	return list
}

// ReadDirectory reads what rdgen may change of a source directory. serviceDir: it
// is a service directory, which has neither type nor dependencies. The error is a
// *problem.Error.
func ReadDirectory(fsys fs.FS, folder, name string, serviceDir bool) (*Directory, error) {
	d := &Directory{Folder: folder, Name: name, Type: "longrun", Scripts: map[string]Script{}, Modes: map[string]fs.FileMode{}}
	dir := folder + "/" + name
	if !serviceDir {
		text, err := readText(fsys, dir+"/type")
		if err != nil {
			return nil, err
		}
		d.Type = strings.TrimSuffix(string(text), "\n")
		if err := d.dependencies(fsys, dir); err != nil {
			return nil, err
		}
	}
	var scripts []string
	switch d.Type {
	case "longrun":
		scripts = []string{"run", "finish"}
	case "oneshot":
		scripts = []string{"up", "down", "reload"}
	case "bundle":
		return d, nil
	default:
		return nil, problem.New(problem.Pos{File: dir + "/type", Line: 1}, "must be oneshot, longrun, or bundle")
	}
	for i, script := range scripts {
		text, err := readText(fsys, dir+"/"+script)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		read := ReadUp
		if d.Type == "longrun" {
			read = ReadScript
		}
		if i == 0 {
			_, second, _ := bytes.Cut(text, []byte("\n"))
			d.Generated = bytes.HasPrefix(second, []byte(made)) || bytes.HasPrefix(text, []byte(made))
		}
		s, err := read(dir+"/"+script, text)
		if err != nil {
			return nil, err
		}
		d.Scripts[script] = s
		if d.Wrapped == "" && bytes.Contains(text, []byte(" "+Mark+"\n")) {
			d.Wrapped = script
		}
		info, err := fs.Stat(fsys, Below(dir+"/"+script))
		if err != nil {
			return nil, problem.Unreadable(dir+"/"+script, err)
		}
		d.Modes[script] = info.Mode().Perm()
	}
	return d, nil
}

func (d *Directory) dependencies(fsys fs.FS, dir string) error {
	entries, err := fs.ReadDir(fsys, Below(dir+"/dependencies.d"))
	if err == nil {
		for _, e := range entries {
			if e.Name()[0] != '.' {
				d.Dependencies = append(d.Dependencies, e.Name())
			}
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return problem.Unreadable(dir+"/dependencies.d", err)
	}
	text, err := readText(fsys, dir+"/dependencies")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d.List = text
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t"); name != "" && name[0] != '#' {
			d.Dependencies = append(d.Dependencies, name)
		}
	}
	return nil
}

// WithDependency returns the text of the file of dependencies with one more, if
// the directory has that file; else ok is false, and the dependency is an empty file in
// dependencies.d.
func (d *Directory) WithDependency(name string) (text []byte, ok bool) {
	if d.List == nil {
		return nil, false
	}
	if slices.Contains(d.Dependencies, name) {
		return d.List, true
	}
	text = slices.Clone(d.List)
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	return append(text, name+"\n"...), true
}

// maxScript is the size from which a file is no script any more.
const maxScript = 1 << 20

// readText reads a small file.
func readText(fsys fs.FS, file string) ([]byte, error) {
	info, err := fs.Stat(fsys, Below(file))
	if err == nil && info.Size() > maxScript {
		return nil, problem.New(problem.Pos{File: file}, "is larger than 1 MiB, which no script is")
	}
	text, err := fs.ReadFile(fsys, Below(file))
	if err != nil {
		return nil, problem.Unreadable(file, err)
	}
	return text, nil
}

// Below returns the name in an fs.FS of the absolute path p.
func Below(p string) string { return strings.TrimPrefix(path.Clean(p), "/") }
