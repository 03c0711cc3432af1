package imports

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"rdgen/problem"
)

// value is a node of a YAML file.
type value struct {
	*yaml.Node
	file string
}

// yamlLine finds the line in a message of the library.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// ofFile is a word of the file in such a message.
var ofFile = regexp.MustCompile(` ['"].*['"]`)

// yamlFile reads a file of one document, which is a mapping. An alias is refused, since what
// it stands for may be without end, and so is a key that stands twice.
func yamlFile(file string, data []byte) (value, error) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	err := d.Decode(&doc)
	if err == nil {
		if second := d.Decode(&more); !errors.Is(second, io.EOF) {
			return value{}, problem.New(problem.Pos{File: file}, "has more than one document")
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return value{}, problem.New(problem.Pos{File: file}, "is empty")
	case err != nil:
		at := problem.Pos{File: file}
		found := yamlLine.FindStringSubmatch(err.Error())
		if found == nil {
			return value{}, problem.New(at, "is no YAML")
		}
		at.Line, _ = strconv.Atoi(found[1])
		return value{}, problem.New(at, "is no YAML: %s", ofFile.ReplaceAllString(found[2], ""))
	}
	v := value{doc.Content[0], file}
	if v.Kind != yaml.MappingNode {
		return v, v.fail("expected KEY: VALUE")
	}
	return v, v.sound()
}

// sound refuses what can be read in two ways.
func (v value) sound() error {
	if v.Kind == yaml.AliasNode {
		return v.fail("an alias (*%s) is not followed; write out what it stands for", v.Value)
	}
	seen := map[string]int{}
	for i, n := range v.Content {
		child := value{n, v.file}
		if v.Kind == yaml.MappingNode && i%2 == 0 {
			if n.Kind != yaml.ScalarNode {
				return child.fail("a key is no word")
			}
			if first := seen[n.Value]; first != 0 {
				return child.fail("%s stands twice, first in line %d", n.Value, first)
			}
			seen[n.Value] = n.Line
		}
		if err := child.sound(); err != nil {
			return err
		}
	}
	return nil
}

func (v value) at() problem.Pos { return problem.Pos{File: v.file, Line: v.Line} }

func (v value) fail(format string, args ...any) error { return problem.New(v.at(), format, args...) }

// isNull reports whether the value is nothing.
func (v value) isNull() bool { return v.Tag == "!!null" }

// each calls f for each key of a mapping; nothing has none.
func (v value) each(f func(key string, of value) error) error {
	if v.isNull() {
		return nil
	}
	if v.Kind != yaml.MappingNode {
		return v.fail("expected KEY: VALUE")
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		n := *v.Content[i+1]
		n.Line = v.Content[i].Line // where a reader looks for it
		of := value{&n, v.file}
		if err := f(v.Content[i].Value, of); err != nil {
			return err
		}
	}
	return nil
}

// list calls f for each value of a list; nothing has none, and one that is no list is one.
func (v value) list(f func(of value) error) error {
	if v.isNull() {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		return f(v)
	}
	for _, n := range v.Content {
		if err := f(value{n, v.file}); err != nil {
			return err
		}
	}
	return nil
}

// get returns the value of a key of a mapping.
func (v value) get(key string) (value, bool) {
	for i := 0; v.Kind == yaml.MappingNode && i+1 < len(v.Content); i += 2 {
		if v.Content[i].Value == key {
			return value{v.Content[i+1], v.file}, true
		}
	}
	return value{}, false
}

// text returns a scalar.
func (v value) text() (string, error) {
	if v.Kind != yaml.ScalarNode {
		return "", v.fail("expected one value")
	}
	if v.isNull() {
		return "", nil
	}
	return v.Value, nil
}

// is returns the value of a key that has one word, "" if there is none.
func (v value) is(key string) string {
	of, ok := v.get(key)
	if !ok || of.Kind != yaml.ScalarNode || of.isNull() {
		return ""
	}
	return of.Value
}

// inLine returns a value as it may stand in one line, for a comment.
func (v value) inLine() string {
	switch v.Kind {
	case yaml.MappingNode:
		var words []string
		for i := 0; i+1 < len(v.Content); i += 2 {
			words = append(words, shown(v.Content[i].Value+": "+value{v.Content[i+1], v.file}.inLine()))
		}
		return "{" + strings.Join(words, ", ") + "}"
	case yaml.SequenceNode:
		var words []string
		for _, n := range v.Content {
			words = append(words, value{n, v.file}.inLine())
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	return strings.ReplaceAll(v.Value, "\n", " ")
}

// other notes a key that has no counterpart.
func (l *link) other(key string, of value) {
	l.note(of.at(), key+": "+of.inLine()+" has no counterpart")
}
