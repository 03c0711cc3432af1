package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rdgen/runtime/domain"
	"rdgen/services"
)

func listCommand() *cobra.Command {
	var root string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the services that name a domain",
		Long: "Lists every service whose conf.d file names a domain: where it says so, and which init systems have the service. " +
			"Where the line speaks for several units of systemd (sockets, companions, instances), all of them are named.",
		Example: "rdgen list --json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("list takes no arguments", cmd)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := list(root)
			if err != nil {
				return err
			}
			if asJSON {
				return encode(cmd.OutOrStdout(), entries)
			}
			return printList(cmd.OutOrStdout(), entries)
		},
	}
	rootFlag(cmd, &root)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON: service, vrf, netns, file, line, inits")
	return cmd
}

// entry is one service that names a domain.
type entry struct {
	Service string `json:"service"`
	domain.Domain
	File  string       `json:"file"`
	Line  int          `json:"line"`
	Inits []supervisor `json:"inits"`
}

// supervisor is an init system that has the service, and what enters the domain there.
type supervisor struct {
	Init      string `json:"init"`
	Mechanism string `json:"mechanism"`
	// Units are those of systemd that the line speaks for.
	Units []string `json:"units,omitempty"`
}

func list(root string) ([]entry, error) {
	fsys, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	loader := services.NewLoader(fsys, domain.Domain{})
	names, err := loader.AllDeclared()
	if err != nil {
		return nil, err
	}
	entries := []entry{}
	for _, name := range names {
		s, err := loader.Declaration(name)
		if err != nil {
			return nil, err
		}
		e := entry{Service: name, Domain: s.Domain, File: s.Pos.File, Line: s.Pos.Line, Inits: []supervisor{}}
		for _, init := range loader.Inits() {
			if !init.Has(name) {
				continue
			}
			i := supervisor{Init: init.Name(), Mechanism: init.Mechanism(s.Domain)}
			if init.Name() == loader.Systemd.Name() {
				if i.Units = loader.Systemd.Covered(name); len(i.Units) == 0 {
					continue // rdgen check says why
				}
			}
			e.Inits = append(e.Inits, i)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func printList(w io.Writer, entries []entry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		inits := []string{}
		for _, i := range e.Inits {
			text := i.Init
			if len(i.Units) > 1 {
				text += " (" + strings.Join(i.Units, " ") + ")"
			}
			inits = append(inits, text)
		}
		if len(inits) == 0 {
			inits = []string{"-"}
		}
		fmt.Fprintf(t, "%s\t%s\t%s:%d\t%s\n", e.Service, e.Domain, e.File, e.Line, strings.Join(inits, " "))
	}
	return t.Flush()
}
