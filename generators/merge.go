package generators

import (
	"bytes"

	"rdgen/generators/tree"
)

// Merge adds the files of one service to those of others. Two services may want
// the same of one unit: a name and its alias, or two of which it is a companion.
// Then the file says what the first of them was made from. The error is tree's if
// they want different things.
func Merge(files *tree.Tree, made tree.Tree) error {
	for _, f := range made.Files() {
		if g, ok := files.File(f.Path); ok && f.Link == g.Link && f.Mode == g.Mode && bytes.Equal(Settings(f.Data), Settings(g.Data)) {
			continue
		}
		if err := files.Add(f); err != nil {
			return err
		}
	}
	return nil
}

// Settings returns a unit file without what only says where it comes from:
// comments, and the SourcePath= of files made at boot.
func Settings(text []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("#")) && !bytes.HasPrefix(line, []byte("SourcePath=")) {
			kept = append(kept, line...)
		}
	}
	return kept
}
