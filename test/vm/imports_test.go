package vm

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"rdgen/test/need"
)

// fewImports are the cases of imports/testdata that are made where not all are: VRFs, VLANs, bonds,
// WireGuard and tunnels, which most other kernels of tests lack.
var fewImports = []string{"ifupdown-article", "networkd-vrf", "ifstate-example", "ifstate-vrf-inside", "wg-quick-site", "ifupdown2-bond", "ifupdown2-aware"}

// putImports gives a machine what rdgen import prints in those cases.
func putImports(t *testing.T, m *Machine) {
	found, _ := filepath.Glob("../../imports/testdata/*.txtar")
	n := 0
	for _, path := range found {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if !need.All() && !slices.Contains(fewImports, name) {
			continue
		}
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		for _, f := range a.Files {
			if id, ok := strings.CutPrefix(f.Name, "out/"); ok {
				files[id] = f.Data
			}
		}
		if len(files) == 0 || waits(files) {
			continue
		}
		n++
		for id, text := range files {
			m.Put(t, "/root/imports/"+name+"/"+id, 0o644, text)
		}
		m.Put(t, "/root/imports/"+name+"/exist", 0o644, []byte(strings.Join(existing(files), " ")+"\n"))
	}
	if n < len(fewImports) {
		t.Fatalf("%d cases; want %d", n, len(fewImports))
	}
}

// waits reports whether a domain needs a server, a router, or a provider's file.
func waits(files map[string][]byte) bool {
	for _, text := range files {
		for _, word := range []string{"\nDHCP=", "\nIPv6AcceptRA=yes", "\nConfigFile="} {
			if strings.Contains(string(text), word) {
				return true
			}
		}
	}
	return false
}

// existing returns the links that the files say exist already: those without a kind, those
// that others are made on outside, and those that are waited for.
func existing(files map[string][]byte) (names []string) {
	made := map[string]bool{"lo": true}
	for _, text := range files {
		for section := range strings.SplitSeq("\n"+string(text), "\n[") {
			header, body, _ := strings.Cut(section, "]\n")
			name, isLink := strings.CutPrefix(header, "Link ")
			value := func(key string) string {
				_, rest, _ := strings.Cut("\n"+body, "\n"+key+"=")
				line, _, _ := strings.Cut(rest, "\n")
				return line
			}
			switch {
			case isLink && value("Kind") == "":
				names = append(names, name)
			case isLink:
				made[name] = true
			}
			if value("Outer") == "" {
				names = append(names, value("Parent"))
			}
			names = append(names, value("RequiresLink"))
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" || made[n] })
}
