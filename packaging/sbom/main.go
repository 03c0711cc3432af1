// Sbom prints what programs are made of: a bill of materials in the JSON of
// CycloneDX 1.6, from what the Go linker wrote into them.
//
//	go run ./packaging/sbom VERSION PROGRAM...
//
// (The tools that are to be had link hundreds of modules for what is one structure
// here, and write a random number and the time into it. This is the same each time.)
package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

type bom struct {
	Format      string `json:"bomFormat"`
	SpecVersion string `json:"specVersion"`
	Version     int    `json:"version"`
	Metadata    struct {
		Component component `json:"component"`
	} `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION PROGRAM...")
		os.Exit(2)
	}
	b, err := read(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(b); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// read makes the bill of the programs in these files.
func read(version string, files []string) (bom, error) {
	b := bom{Format: "CycloneDX", SpecVersion: "1.6", Version: 1}
	b.Metadata.Component = component{Type: "application", Ref: "rdgen", Name: "rdgen", Version: version}
	whole := dependency{Ref: "rdgen"}
	modules := map[string]component{}
	for _, file := range files {
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			return bom{}, err
		}
		ref := "program:" + filepath.Base(file)
		b.Components = append(b.Components, component{Type: "application", Ref: ref, Name: filepath.Base(file), Version: version})
		whole.DependsOn = append(whole.DependsOn, ref)
		std := "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")
		modules[std] = component{Type: "library", Ref: std, Name: "std", Version: info.GoVersion, PURL: std}
		needs := dependency{Ref: ref, DependsOn: []string{std}}
		for _, m := range info.Deps {
			c, err := library(m)
			if err != nil {
				return bom{}, err
			}
			modules[c.Ref] = c
			needs.DependsOn = append(needs.DependsOn, c.Ref)
		}
		slices.Sort(needs.DependsOn)
		b.Dependencies = append(b.Dependencies, needs)
	}
	for _, c := range modules {
		b.Components = append(b.Components, c)
	}
	slices.SortFunc(b.Components, func(x, y component) int { return strings.Compare(x.Type+x.Ref, y.Type+y.Ref) })
	b.Dependencies = append([]dependency{whole}, b.Dependencies...)
	return b, nil
}

// library is a module with the sum of go.sum: SHA-256 of the list of its files
// (golang.org/ref/mod#go-sum-files), so it is no hash of one file, and is said as
// a property.
func library(m *debug.Module) (component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	c := component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl}
	if m.Sum != "" {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
		if err != nil {
			return c, fmt.Errorf("%s: sum %q: %w", m.Path, m.Sum, err)
		}
		c.Properties = []property{{"go:sum:h1", hex.EncodeToString(sum)}}
	}
	return c, nil
}
