package object

import "strings"

// File is a resolver file of a namespace, below /etc/netns.
type File struct {
	Path string `json:"path"`
	Text string `json:"text"`
	// NewDir: the directory is not there yet either, and goes with the file.
	NewDir bool `json:"new_dir,omitempty"`
}

// Key is the path.
func (f File) Key() Key { return Key{Kind: "file", Name: f.Path} }

// On is no link.
func (f File) On() string { return "" }

func (f File) command(v Verb) []string {
	if v == Delete {
		return []string{"rm", "-f", f.Path}
	}
	dir := f.Path[:strings.LastIndexByte(f.Path, '/')]
	lines := strings.Split(strings.TrimSuffix(f.Text, "\n"), "\n")
	w := []string{"mkdir", "-p", dir, "&&", "printf", `'%s\n'`}
	for _, l := range lines {
		w = append(w, quoteShell(l))
	}
	return append(w, ">"+f.Path)
}

// quoteShell quotes a word for a shell if it needs to be.
func quoteShell(s string) string {
	plain := func(r rune) bool {
		return r < '0' && r != '-' && r != '.' && r != '/' && r != ',' || r > '9' && r < 'A' && r != ':' || r > 'Z' && r < 'a' && r != '_' || r > 'z'
	}
	if s != "" && strings.IndexFunc(s, plain) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
