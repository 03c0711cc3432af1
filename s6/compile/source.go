package compile

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"rdgen/problem"
	"rdgen/s6"
)

func (c *checker) folder(folder string) {
	entries, err := c.list(folder)
	if err != nil {
		c.system(folder, "opendir "+folder, err)
		return
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		file := folder + "/" + name
		if name[0] == '.' {
			continue
		}
		if strings.Contains(name, "\n") {
			c.fail(file, "subdirectory of %s contains a newline character", folder)
			continue
		}
		if !c.identifier(folder, file, name) {
			continue
		}
		info, err := c.stat(file)
		switch {
		case err != nil:
			c.system(file, "stat "+file, err)
		case info.IsDir():
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		c.warn(folder, "source %s is empty", folder)
	}
	slices.Sort(names)
	for _, name := range names {
		c.service(&definition{name: name, folder: folder})
	}
}

// service reads one source directory.
func (c *checker) service(d *definition) {
	file := d.dir() + "/type"
	data, err := c.read(file)
	if err != nil {
		c.system(file, "read "+file, err)
		return
	}
	kind := string(bytes.TrimSuffix(data[:min(len(data), 8)], []byte("\n")))
	if kind != "oneshot" && kind != "longrun" && kind != "bundle" {
		c.fail(file, "invalid %s: must be oneshot, longrun, or bundle", file)
		return
	}
	d.kind = kind
	if old := c.defs[d.name]; old != nil {
		c.fail(d.dir(), "duplicate service definition: %s defined in %s is already defined and has type %s", d.name, d.folder, old.kind)
		return
	}
	c.defs[d.name] = d
	c.order = append(c.order, d.name)
	if d.kind == "bundle" {
		c.bundle(d)
	} else {
		c.atomic(d)
	}
}

// atomic reads what a oneshot and a longrun have.
func (c *checker) atomic(d *definition) {
	deps, found := c.nameFolder(d, "dependencies.d")
	if !found {
		deps, _ = c.nameList(d, "dependencies")
	} else if file := d.dir() + "/dependencies"; c.exists(file) {
		c.silent(file, "is ignored, because there is dependencies.d")
	}
	d.deps = deps
	c.timeout(d, "timeout-down")
	c.timeout(d, "timeout-up")
	if d.kind == "oneshot" {
		c.script(d, "reload", false)
		c.script(d, "up", true)
		c.script(d, "down", false)
		return
	}
	c.runScript(d)
	c.pipes(d)
}

// nameFolder reads the names of the files in a folder of a source directory.
func (c *checker) nameFolder(d *definition, list string) (names []string, found bool) {
	folder := d.dir() + "/" + list
	entries, err := c.list(folder)
	if c.isMissing(err) {
		return nil, false
	}
	if err != nil {
		c.system(folder, "opendir "+folder, err)
		return nil, true
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && c.identifier(d.name, folder+"/"+e.Name(), e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, true
}

// nameList reads the names in a file, one a line. What follows a name is part of it.
func (c *checker) nameList(d *definition, list string) (names []string, found bool) {
	file := d.dir() + "/" + list
	data, err := c.read(file)
	if c.isMissing(err) {
		return nil, false
	}
	if err != nil {
		c.system(file, "read "+file, err)
		return nil, true
	}
	for line := range strings.Lines(string(data)) {
		name := strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t")
		if name == "" || name[0] == '#' || slices.Contains(names, name) {
			continue
		}
		if c.identifier(d.name, file, name) {
			names = append(names, name)
		}
	}
	return names, true
}

// timeout reads a number of milliseconds.
func (c *checker) timeout(d *definition, name string) {
	file := d.dir() + "/" + name
	data, err := c.read(file)
	switch {
	case c.isMissing(err):
	case err != nil:
		c.system(file, "read "+file, err)
	default:
		if _, err := strconv.ParseUint(strings.TrimRight(string(data[:min(len(data), 63)]), "\n"), 10, 32); err != nil {
			c.fail(file, "invalid %s", file)
		}
	}
}

// script reads one command line of a oneshot.
func (c *checker) script(d *definition, name string, mandatory bool) {
	file := d.dir() + "/" + name
	data, err := c.read(file)
	switch {
	case errors.Is(err, syscall.EISDIR):
		c.system(file, "parse "+file, err)
		return
	case c.isMissing(err) && !mandatory:
		return
	case err != nil:
		c.system(file, "open "+file, err)
		return
	}
	_, err = s6.Words(file, data)
	if syntax, ok := errors.AsType[*problem.Error](err); ok {
		what := ""
		if errors.Is(err, s6.ErrUnmatched) {
			what = ": " + syntax.Msg
		}
		c.fail(syntax.Pos.String(), "syntax error in %s%s", file, what)
	}
}

func (c *checker) runScript(d *definition) {
	file := d.dir() + "/run"
	info, err := c.stat(file)
	switch {
	case c.isMissing(err):
		c.fail(file, "unable to find a run script in %s", file)
	case err != nil:
		c.system(file, "open "+file, err)
	case !info.Mode().IsRegular():
		c.fail(file, "%s is not a regular file", file)
	}
}

// pipes reads what joins a longrun to others.
func (c *checker) pipes(d *definition) {
	one := func(list, what string) string {
		names, found := c.nameList(d, list)
		if found && len(names) != 1 {
			c.fail(d.dir()+"/"+list, "%s/%s should only contain one %s", d.dir(), list, what)
		}
		if len(names) == 0 {
			return ""
		}
		return names[0]
	}
	d.producerFor = one("producer-for", "service name")
	d.consumerFor, _ = c.nameList(d, "consumer-for")
	if len(d.consumerFor) > 0 && d.producerFor == "" {
		d.pipelineName = one("pipeline-name", "name")
	} else if file := d.dir() + "/pipeline-name"; c.exists(file) {
		c.warn(file, "%s contains a pipeline-name file despite not being a last consumer; this file will be ignored", d.dir())
	}
	d.deps = append(d.deps, d.consumerFor...)
}

func (c *checker) bundle(d *definition) {
	members, found := c.nameFolder(d, "contents.d")
	if !found {
		if members, found = c.nameList(d, "contents"); !found {
			c.system(d.dir(), "open "+d.dir()+"/contents", fs.ErrNotExist)
		}
	}
	d.members = members
}
