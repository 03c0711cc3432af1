package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/parallel"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

// verb is what differs between the three that generate, one for an init system.
type verb struct {
	name, short, long string
	load              func(*generators.Loader, string) (generators.Service, error)
	make              generators.Generator
	// knows reports whether the init system has a service of that name.
	knows func(*generators.Loader, string) bool
	// mechanism says what enters the domain.
	mechanism func(domain.Domain) string
	// declared lists the services that name a domain, for --all; nil for conf.d's.
	declared func(*generators.Loader) ([]string, error)
	// flags, if not nil, adds the verb's own, and returns what tells them to the loader.
	flags func(*pflag.FlagSet) (setup func(*generators.Loader) error)
}

func verbs() []verb { return []verb{openrcVerb(), s6Verb(), systemdVerb()} }

// options are the flags of a verb that generates.
type options struct {
	root, output, netns, vrf string
	all, check, json         bool
	systemdVersion           int
}

func generate(v verb) *cobra.Command {
	var o options
	setup := func(*generators.Loader) error { return nil }
	cmd := &cobra.Command{
		Use:     v.name + " SERVICE...",
		Short:   v.short,
		Long:    v.long,
		Example: "rdgen " + v.name + " sshd\nrdgen " + v.name + " --all --check",
		RunE: func(cmd *cobra.Command, services []string) error {
			if err := o.validate(cmd, services); err != nil {
				return err
			}
			return o.run(v, setup, services, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	rootFlag(cmd, &o.root)
	flags.StringVarP(&o.output, "output", "o", "", "write the files below `DIR` instead of printing them")
	flags.BoolVar(&o.all, "all", false, "every service whose conf.d file names a domain")
	flags.StringVar(&o.netns, "netns", "", "put the services into the namespace `N`, whatever conf.d says")
	flags.StringVar(&o.vrf, "vrf", "", "put the services into the VRF `V`, whatever conf.d says")
	flags.BoolVar(&o.check, "check", false, "write nothing, print what would change, exit 1 if anything would")
	flags.BoolVar(&o.json, "json", false, "print the files as JSON: path, mode, link, text")
	if v.name == "systemd" {
		flags.IntVar(&o.systemdVersion, "systemd-version", 0, "refuse what systemd `N` cannot do; without it, what the one installed below --root cannot")
	}
	if v.flags != nil {
		setup = v.flags(flags)
	}
	return cmd
}

// rootFlag is the flag of every verb that reads.
func rootFlag(cmd *cobra.Command, root *string) {
	cmd.Flags().StringVar(root, "root", "/", "read everything below `DIR`")
}

func openRoot(dir string) (*tree.Root, error) {
	root, err := tree.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("--root %s: %w", dir, problem.Cause(err))
	}
	return root, nil
}

func (o *options) validate(cmd *cobra.Command, services []string) error {
	switch {
	case o.all && len(services) > 0:
		return usage("--all and "+services[0]+" exclude each other", cmd)
	case !o.all && len(services) == 0:
		return usage("no service given", cmd)
	case o.json && (o.check || o.output != ""):
		return usage("--json prints; it excludes --check and -o", cmd)
	}
	if f := cmd.Flags().Lookup("systemd-version"); f != nil && f.Changed && o.systemdVersion <= 0 {
		return usage("--systemd-version is a number, such as 257", cmd)
	}
	if dir := filepath.Clean("/" + o.output); cmd.Name() == "systemd" && (strings.HasSuffix(dir, "/systemd/user") || strings.HasSuffix(dir, "/.config/systemd")) {
		return userScope
	}
	for _, flag := range []string{"root", "output", "netns", "vrf"} {
		if f := cmd.Flags().Lookup(flag); f.Changed && f.Value.String() == "" {
			return usage("--"+flag+" is empty; leave it out if none is meant", cmd)
		}
	}
	return nil
}

func (o *options) run(v verb, setup func(*generators.Loader) error, services []string, stdout, stderr io.Writer) error {
	given, err := domain.Parse(o.netns, o.vrf)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	root, err := openRoot(o.root)
	if err != nil {
		return err
	}
	defer root.Close()
	loader := generators.NewLoader(root, given)
	loader.SystemdVersion = o.systemdVersion
	if err := setup(loader); err != nil {
		return err
	}
	files, notes, err := collect(v, loader, services, o.all)
	if err != nil {
		return err
	}
	for _, n := range notes {
		say(stderr, "warning", n)
	}
	return o.emit(files, stdout)
}

// collect makes the files of all services. It goes on past a bad one, so that
// every error is reported, and returns no files if there was any.
func collect(v verb, loader *generators.Loader, services []string, all bool) (tree.Tree, []string, error) {
	var errs []error
	if all {
		if v.declared == nil {
			v.declared = (*generators.Loader).Declared
		}
		declared, err := v.declared(loader)
		if err != nil {
			errs = append(errs, err)
		}
		services = declared
	}
	services = slices.Compact(services)
	results := make([]result, len(services))
	parallel.Each(len(services), runtime.GOMAXPROCS(0), func(i int) { results[i] = one(v, loader, services[i]) })
	var files tree.Tree
	var notes []string
	for _, r := range results {
		if r.err == nil {
			r.err = merge(&files, r.files, r.pos)
		}
		if r.err != nil {
			errs = append(errs, r.err)
		}
		notes = append(notes, r.notes...)
	}
	return files, notes, errors.Join(errs...)
}

// result is what became of one service.
type result struct {
	files tree.Tree
	notes []string
	pos   problem.Pos
	err   error
}

func one(v verb, loader *generators.Loader, name string) (r result) {
	service, err := v.load(loader, name)
	if err != nil {
		return result{err: err}
	}
	r.pos = service.Pos
	r.files, r.notes, r.err = v.make(service)
	return r
}

// merge adds the files of one service. Two conf.d files for one unit may want
// different things of it.
func merge(files *tree.Tree, made tree.Tree, pos problem.Pos) error {
	err := files.Merge(made)
	if err == nil {
		return nil
	}
	return &problem.Error{Pos: pos, Msg: err.Error(), Err: err,
		Hint: "two conf.d files stand for the same service; keep one"}
}

// emit prints, compares or writes the files.
func (o *options) emit(files tree.Tree, stdout io.Writer) error {
	switch {
	case o.check:
		dir := o.output
		if dir == "" {
			dir = o.root
		}
		diff, err := files.Diff(dir)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(stdout, diff); err != nil || diff == "" {
			return err
		}
		return errSaid
	case o.output != "":
		return files.Write(o.output)
	case o.json:
		return printJSON(files, stdout)
	}
	return files.Print(stdout)
}

// printJSON prints the files as a list of objects. A JSON string is Unicode, so a
// file that is not UTF-8 has base64 instead of text.
func printJSON(files tree.Tree, w io.Writer) error {
	type object struct {
		Path   string  `json:"path"`
		Mode   string  `json:"mode,omitempty"`
		Link   string  `json:"link,omitempty"`
		Text   *string `json:"text,omitempty"`
		Base64 []byte  `json:"base64,omitempty"`
	}
	list := []object{}
	for _, f := range files.Files() {
		o := object{Path: f.Path, Link: f.Link}
		text := string(f.Data)
		switch {
		case f.Link != "":
		case utf8.ValidString(text):
			o.Mode, o.Text = fmt.Sprintf("%04o", f.Mode), &text
		default:
			o.Mode, o.Base64 = fmt.Sprintf("%04o", f.Mode), f.Data
		}
		list = append(list, o)
	}
	return encode(w, list)
}

// encode prints v as JSON that people can read too.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
