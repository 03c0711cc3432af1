package object

import (
	"strings"
)

// Sysctl is one of the namespace's variables below /proc/sys/net.
type Sysctl struct {
	Netns string `json:"netns,omitempty"`
	// Key is the variable's path below /proc/sys, such as
	// "net/ipv4/conf/eth0.5/forwarding".
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (s Sysctl) command(Verb) []string {
	w := []string{"sysctl", "-qw", s.Key + "=" + quoteShell(s.Value)}
	if s.Netns != "" {
		w = append([]string{"ip", "netns", "exec", s.Netns}, w...)
	}
	return w
}

// File is a resolver file of a namespace, below /etc/netns.
type File struct {
	Path string `json:"path"`
	Text string `json:"text"`
	// NewDir: the directory is not there yet either, and goes with the file.
	NewDir bool `json:"new_dir,omitempty"`
}

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
