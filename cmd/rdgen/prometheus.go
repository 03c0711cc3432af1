package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"rdgen/generators/tree"
	"rdgen/status"
	"rdgen/templates"
)

// count writes the numbers of a report into a file, all at once, and prints what has changed
// since that was done before.
func count(w io.Writer, report status.Report, file string) error {
	metrics := report.Metrics(time.Now())
	if file == "-" {
		return metrics.Print(w)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	root, err := openRoot("/")
	if err != nil {
		return err
	}
	defer root.Close()
	before, err := fs.ReadFile(root, path[1:])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var text bytes.Buffer
	var out tree.Tree
	if err := errors.Join(metrics.Print(&text), out.Add(tree.File{Path: path, Mode: 0o644, Data: text.Bytes()})); err != nil {
		return err
	}
	if err := out.Write("/"); err != nil {
		return err
	}
	for _, line := range metrics.Changes(string(before)) {
		fmt.Fprintln(w, templates.Comment(line))
	}
	return nil
}
