package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"rdgen/atomicfile"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

// Beside the record of a domain is what it was last brought up with.
const was = ".was"

// Was is what a domain was brought up with.
type Was struct {
	// Text is the text of its file.
	Text []byte
	// Notes are what counted of what that names, by the paths of the files. They are nil where
	// an older rdomain brought it up, which wrote down the text alone.
	Notes map[string][]byte
}

// wasVersion is that of the form of what is written down. It was the text alone once, and no
// text begins with a brace.
const wasVersion = 1

// wasFile is that form.
type wasFile struct {
	Version int               `json:"version"`
	Text    []byte            `json:"text"`
	Notes   map[string][]byte `json:"notes"`
}

// Equal reports whether both are the same.
func (w Was) Equal(o Was) bool {
	return bytes.Equal(w.Text, o.Text) && maps.EqualFunc(w.Notes, o.Notes, bytes.Equal)
}

// SaveWas writes down what a domain was brought up with, for root alone; of a domain that has
// no record, nothing. The caller holds the domain's lock.
func (s *Store) SaveWas(id domain.ID, w Was) error {
	if !s.Has(id) {
		return nil
	}
	name, data := id.String()+was, w.Text
	if w.Notes != nil {
		var err error
		if data, err = json.Marshal(wasFile{wasVersion, w.Text, w.Notes}); err != nil {
			return err
		}
	}
	err := atomicfile.Write(s.root, atomicfile.File{Name: name, Mode: 0o600, Data: data, Temp: name + temporary})
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", Dir, name, err)
	}
	return nil
}

// Was returns what SaveWas wrote. The error matches fs.ErrNotExist if it did not. What cannot be
// understood, such as what a newer rdomain wrote, is an error that says what to do: what the file
// says by now is something else.
func (s *Store) Was(id domain.ID) (w Was, err error) {
	name := id.String() + was
	data, err := s.read(name)
	if err != nil {
		return w, err
	}
	if !bytes.HasPrefix(data, []byte("{")) {
		return Was{Text: data}, nil
	}
	var f wasFile
	err = json.Unmarshal(data, &f)
	switch {
	case err != nil:
		err = plainly(err)
	case f.Version != wasVersion:
		err = ofVersion(f.Version, wasVersion)
	case f.Notes == nil:
		err = errors.New("it has no notes")
	}
	if err != nil {
		return w, problem.New(problem.Pos{File: Dir + "/" + name}, "cannot be read: %w", err).WithHint(
			fmt.Sprintf("it says what %s was brought up with; rdomain reload %[1]s brings it up with what its file says now", id))
	}
	return Was{f.Text, f.Notes}, nil
}

// Forget removes what SaveWas wrote. The caller holds the domain's lock.
func (s *Store) Forget(id domain.ID) error { return s.remove(id.String() + was) }
