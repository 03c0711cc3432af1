// Package imports reads what other programs are told of the network, and says the same as
// files of domains. It is pure: files in, text out. What has no counterpart is a comment
// with its line, and a secret is never part of the text.
package imports

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 1 << 20

// Format reads files of one program.
type format struct {
	// paths are read if none is given.
	paths []string
	read  func(*reader, string) error
}

// formats are what can be read.
var formats = map[string]format{
	"ifupdown": {[]string{"/etc/network/interfaces"}, (*reader).ifupdown},
	"ifstate":  {[]string{"/etc/ifstate/config.yml"}, (*reader).ifstate},
	"netplan":  {[]string{"/etc/netplan"}, (*reader).netplan},
	"networkd": {[]string{"/etc/systemd/network"}, (*reader).networkd},
	"wg-quick": {nil, (*reader).wgQuick},
}

// Formats returns the words for what can be read.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Default returns what is read of a format if no file is named.
func Default(format string) []string { return formats[format].paths }

// Domain is the file of a domain.
type Domain struct {
	ID   domain.ID
	Text []byte
}

// Result is what files say.
type Result struct {
	Domains []Domain
	// Left is what is in no domain, and why, each with its place.
	Left []string
	// Services are those that the files name, and the domain that they run in.
	Services []Service
}

// Service is a service that a file starts in a domain.
type Service struct {
	From problem.Pos
	Name string
	In   domain.Domain
}

// Read reads the files, or the folders, of a program below a root. netns, if not zero, is
// the namespace for what is in no other domain.
func Read(root fs.FS, name string, paths []string, netns domain.NetnsName) (*Result, error) {
	result, err := read(root, name, paths, netns)
	return result, discreet(err)
}

func read(root fs.FS, name string, paths []string, netns domain.NetnsName) (*Result, error) {
	f, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("there is no format %q; there are %s", name, strings.Join(Formats(), ", "))
	}
	r := &reader{root: root, format: name, netns: netns, matched: map[string]string{}, network: &network{}}
	for _, path := range paths {
		if err := f.read(r, path); err != nil {
			return nil, err
		}
	}
	return r.assemble()
}

// reader reads files of one format.
type reader struct {
	root   fs.FS
	format string
	netns  domain.NetnsName
	// depth is how many files read one another, files how many are read.
	depth, files int
	// matched has the .network file of each link, and its .netdev file by "netdev NAME".
	matched map[string]string
	*network
}

// open reads one file.
func (r *reader) open(path string) ([]byte, error) {
	name := strings.TrimPrefix(path, "/")
	info, err := fs.Stat(r.root, name)
	if err != nil {
		return nil, problem.New(problem.Pos{File: path}, "%w", problem.Cause(err))
	}
	if info.Size() > MaxSize {
		return nil, problem.New(problem.Pos{File: path}, "file has more than %d bytes", MaxSize)
	}
	data, err := fs.ReadFile(r.root, name)
	if err != nil {
		return nil, problem.New(problem.Pos{File: path}, "%w", problem.Cause(err))
	}
	if len(data) > MaxSize {
		return nil, problem.New(problem.Pos{File: path}, "file has more than %d bytes", MaxSize)
	}
	if at := strings.IndexByte(string(data), 0); at >= 0 {
		return nil, problem.New(problem.Pos{File: path, Line: 1 + strings.Count(string(data[:at]), "\n")}, "line contains a NUL; this is no text file")
	}
	return data, nil
}

// folder returns the files of a folder whose names end in one of some suffixes, in the order
// of their names; a path that is no folder is one file.
func (r *reader) folder(path string, suffixes ...string) ([]string, error) {
	name := strings.TrimPrefix(strings.TrimSuffix(path, "/"), "/")
	info, err := fs.Stat(r.root, name)
	if err != nil {
		return nil, problem.New(problem.Pos{File: path}, "%w", problem.Cause(err))
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := fs.ReadDir(r.root, name)
	if err != nil {
		return nil, problem.New(problem.Pos{File: path}, "%w", problem.Cause(err))
	}
	var files []string
	for _, e := range entries {
		if slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(e.Name(), s) }) {
			files = append(files, "/"+name+"/"+e.Name())
		}
	}
	if len(files) == 0 {
		return nil, problem.New(problem.Pos{File: path}, "has no file that ends in %s", strings.Join(suffixes, " or "))
	}
	slices.Sort(files)
	return files, nil
}
