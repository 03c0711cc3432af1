package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/templates"
)

func listCommand() *cobra.Command {
	var root string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the services that name a domain",
		Long: "Lists every service whose conf.d file names a domain: where it says so, and which init systems have the service. " +
			"Where the line speaks for several units of systemd (sockets, companions, instances), all of them are named. " +
			"A file that cannot be followed is listed with the reason, and the exit code is 1.",
		Example: "rdgen list --json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("list takes no arguments", cmd)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := list(root)
			if entries == nil {
				return err
			}
			if asJSON {
				return errors.Join(encode(cmd.OutOrStdout(), entries), err)
			}
			return errors.Join(printList(cmd.OutOrStdout(), entries), err)
		},
	}
	rootFlag(cmd, &root)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON: service, vrf, netns, file, line, inits, error")
	cmd.Annotations = map[string]string{"json": "A list of objects, one for each service, in the order of the names. " +
		"service: its name. vrf, netns: its domain; both are left out if there is an error. file, line: where that is said; line is 0 for the whole file. " +
		"inits: a list of objects, one for each init system that has the service: init (openrc, s6, systemd), mechanism (what enters the domain), " +
		"and, of systemd alone, units (a list of names) and outside (the sockets that conf.d lets stay in the default domain). error: why the file cannot be followed; left out if it can. Fields may be added."}
	return cmd
}

// entry is one service that names a domain.
type entry struct {
	Service string `json:"service"`
	domain.Domain
	File  string       `json:"file"`
	Line  int          `json:"line"`
	Inits []supervisor `json:"inits"`
	// Error is why the file cannot be followed, or "".
	Error string `json:"error,omitempty"`
}

// supervisor is an init system that has the service, and what enters the domain there.
type supervisor struct {
	Init      string `json:"init"`
	Mechanism string `json:"mechanism"`
	// Units are those of systemd that the line speaks for.
	Units []string `json:"units,omitempty"`
	// Outside are the sockets of systemd that conf.d lets stay in the default domain.
	Outside []string `json:"outside,omitempty"`
}

// list returns the services, those with an error too, and the errors.
func list(root string) ([]entry, error) {
	fsys, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	loader := services.NewLoader(fsys, domain.Domain{})
	names, wrong := loader.AllDeclared()
	entries := []entry{}
	for _, err := range problem.List(wrong) {
		entries = append(entries, broken(err))
	}
	for _, name := range names {
		s, err := loader.Declaration(name)
		if err != nil {
			wrong = errors.Join(wrong, err)
			entries = append(entries, broken(err))
			continue
		}
		e := entry{Service: name, Domain: s.Domain, File: s.Pos.File, Line: s.Pos.Line, Inits: []supervisor{}}
		for _, init := range loader.Inits() {
			if !init.Has(name) {
				continue
			}
			i := supervisor{Init: init.Name(), Mechanism: init.Mechanism(s.Domain)}
			if init.Name() == loader.Systemd.Name() {
				job, err := init.Load(name)
				if err != nil {
					continue // rdgen check says why
				}
				made := job.(generators.Systemd)
				i.Units, i.Outside = made.Covered(), made.Outside
			}
			e.Inits = append(e.Inits, i)
		}
		if loader.OpenRC.ByFunctions(name) {
			e.Inits = append(e.Inits, supervisor{Init: loader.OpenRC.Name(), Mechanism: loader.OpenRC.Mechanism(s.Domain)})
		}
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.Service, b.Service) })
	return entries, wrong
}

// broken is the entry of a file that cannot be followed; it is called as its service.
func broken(err error) entry {
	e := entry{Error: err.Error(), Inits: []supervisor{}}
	if p, ok := errors.AsType[*problem.Error](err); ok {
		e.Service, e.File, e.Line, e.Error = strings.TrimSuffix(path.Base(p.File), ".conf"), p.File, p.Line, p.Msg
	}
	return e
}

func printList(w io.Writer, entries []entry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		if e.Error != "" {
			at := problem.Pos{File: e.File, Line: e.Line}
			fmt.Fprintf(t, "%s\terror\t%s\t%s\n", templates.Comment(e.Service), templates.Comment(at.String()), templates.Comment(e.Error))
			continue
		}
		inits := []string{}
		for _, i := range e.Inits {
			text := i.Init
			switch about := strings.Join(i.Units, " "); {
			case len(i.Outside) > 0:
				text += " (" + about + "; outside: " + strings.Join(i.Outside, " ") + ")"
			case len(i.Units) > 1:
				text += " (" + about + ")"
			}
			inits = append(inits, text)
		}
		if len(inits) == 0 {
			inits = []string{"-"}
		}
		fmt.Fprintf(t, "%s\t%s\t%s:%d\t%s\n", templates.Comment(e.Service), e.Domain, templates.Comment(e.File), e.Line, templates.Comment(strings.Join(inits, " ")))
	}
	return t.Flush()
}
