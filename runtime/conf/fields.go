package conf

import (
	"maps"
	"slices"
)

// field is a key of a section: whether it may stand more than once, and how its value
// is read into what the section says.
type field[T any] struct {
	repeats bool
	read    func(p *parser, to *T, k key) error
}

// fields are the keys of a section, by name.
type fields[T any] map[string]field[T]

// once is a key that may stand once, list one that may repeat.
func once[T any](read func(*parser, *T, key) error) field[T] { return field[T]{read: read} }
func list[T any](read func(*parser, *T, key) error) field[T] { return field[T]{true, read} }

// set is a key that may stand once and has one value, which is a part of T.
func set[T, V any](part func(*T) *V, read func(*parser, key) (V, error)) field[T] {
	return once(func(p *parser, to *T, k key) (err error) {
		*part(to), err = read(p, k)
		return err
	})
}

// read reads keys into to, in the order of the file except those that are to be
// first. It returns the line of each.
func (f fields[T]) read(p *parser, to *T, keys []key, first ...string) (lines map[string]int, err error) {
	lines = map[string]int{}
	for _, now := range []bool{true, false} {
		for _, k := range keys {
			if slices.Contains(first, k.name) != now {
				continue
			}
			lines[k.name] = k.line
			if err := f[k.name].read(p, to, k); err != nil {
				return nil, err
			}
		}
	}
	return lines, nil
}

// names returns the names of the keys; those with true may repeat.
func (f fields[T]) names() map[string]bool {
	names := map[string]bool{}
	for name, field := range f {
		names[name] = field.repeats
	}
	return names
}

// and returns the keys of both.
func (f fields[T]) and(more fields[T]) fields[T] {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}
