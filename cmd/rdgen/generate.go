package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
)

// verb is a verb that generates, for one init system.
type verb struct {
	name, short, long string
	// init is the init system, as a loader has it.
	init func(*services.Loader) services.Init
	// prunes reports that it can remove what it made once.
	prunes bool
	// flags, if not nil, adds the verb's own, and returns what tells them to the loader.
	flags func(*cobra.Command) (setup func(*options, *services.Loader) error)
}

func verbs() []verb { return []verb{openrcVerb(), s6Verb(), systemdVerb()} }

// options are the flags of a verb that generates.
type options struct {
	root, output, netns, vrf string
	all, check, json, prune  bool
}

func generate(v verb) *cobra.Command {
	var o options
	setup := func(*options, *services.Loader) error { return nil }
	cmd := &cobra.Command{
		Use:     v.name + " SERVICE...",
		Short:   v.short,
		Long:    v.long,
		Example: "rdgen " + v.name + " sshd\nrdgen " + v.name + " --all --check",
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := o.validate(cmd, names); err != nil {
				return err
			}
			return o.run(v, setup, names, cmd.OutOrStdout(), cmd.ErrOrStderr())
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
	cmd.Annotations = map[string]string{"json": "A list of objects, one for each file, in the order of the paths: path; link (where a symbolic link leads to), " +
		"or mode (four octal digits) and text, or base64 where the text is not UTF-8. Fields may be added."}
	if v.name == "openrc" { // which refuses them, and says why
		flags.MarkHidden("netns")
		flags.MarkHidden("vrf")
	}
	if v.prunes {
		flags.BoolVar(&o.prune, "prune", false, "remove from /etc what rdgen made and conf.d no longer wants; with --check, only print it")
	}
	if v.flags != nil {
		setup = v.flags(cmd)
	}
	completeNames(cmd, &o.root)
	return cmd
}

// rootFlag is the flag of every verb that reads.
func rootFlag(cmd *cobra.Command, root *string) {
	cmd.Flags().StringVar(root, "root", "/", "read everything below `DIR`")
}

func openRoot(dir string) (*tree.Root, error) {
	if dir == "" {
		return nil, errors.New("--root is empty; leave it out if none is meant")
	}
	root, err := tree.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("--root %s: %w", dir, problem.Cause(err))
	}
	return root, nil
}

func (o *options) validate(cmd *cobra.Command, names []string) error {
	switch {
	case o.prune && (len(names) > 0 || o.all || o.json || o.output != "" || o.netns != "" || o.vrf != ""):
		return usage("--prune takes no service, and of the flags only --check and --root", cmd)
	case o.prune:
	case o.all && len(names) > 0:
		return usage("--all and "+names[0]+" exclude each other", cmd)
	case !o.all && len(names) == 0:
		return usage("no service given", cmd)
	case o.json && (o.check || o.output != ""):
		return usage("--json prints; it excludes --check and -o", cmd)
	}
	return notEmpty(cmd, "root", "output", "netns", "vrf", "flavor", "source")
}

// notEmpty refuses flags that are given and empty, as a variable of a script is that nobody has
// set: what was meant is not what is done without the flag.
func notEmpty(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed && f.Value.String() == "" {
			return usage("--"+flag+" is empty; leave it out if none is meant", cmd)
		}
	}
	return nil
}

func (o *options) run(v verb, setup func(*options, *services.Loader) error, names []string, stdout, stderr io.Writer) error {
	given, err := domain.Parse(o.netns, o.vrf)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	root, err := openRoot(o.root)
	if err != nil {
		return err
	}
	defer root.Close()
	loader := services.NewLoader(root, given).Below(o.root)
	if err := setup(o, loader); err != nil {
		return err
	}
	if o.prune {
		return o.removeStale(loader, stdout)
	}
	files, notes, err := collect(v.init(loader), names, o.all)
	if err != nil {
		return err
	}
	for _, n := range notes {
		say(stderr, "warning", n)
	}
	return o.emit(files, versions(v.init(loader)), stdout)
}

// collect makes the files of all services. It goes on past a bad one, so that
// every error is reported, and returns no files if there was any.
func collect(init services.Init, names []string, all bool) (tree.Tree, []string, error) {
	var errs []error
	if all {
		declared, err := init.Declared()
		if err != nil {
			errs = append(errs, err)
		}
		names = declared
	}
	names = slices.Compact(names)
	results := allOf(init, names)
	var made merged
	var notes []string
	for _, r := range results {
		if r.err == nil {
			r.err = made.add(r)
		}
		if p, ok := errors.AsType[*problem.Error](r.err); ok && errors.Is(p, services.ErrNoDomain) {
			p.Hint += ", or give --vrf or --netns"
		}
		if r.err != nil {
			errs = append(errs, r.err)
		}
		notes = append(notes, r.notes...)
	}
	if !all {
		errs = append(errs, besides(init, results...)...)
	}
	return made.files, notes, errors.Join(errs...)
}

// result is what became of one service.
type result struct {
	// job is the service as the init system has it; nil if it could not be read.
	job   generators.Job
	files tree.Tree
	notes []string
	// service is what the files are of; zero if it could not be read.
	service generators.Service
	// outside are systemd's sockets that the service lets stay in the default domain.
	outside []string
	err     error
}

func one(init services.Init, name string) (r result) {
	job, err := init.Load(name)
	if err != nil {
		return result{err: err}
	}
	r.job, r.service = job, job.Declared()
	if s, ok := job.(generators.Systemd); ok {
		r.outside = s.Outside
	}
	r.files, r.notes, r.err = job.Files()
	return r
}

// emit prints, compares or writes the files.
func (o *options) emit(files tree.Tree, versions func() map[string][]tree.File, stdout io.Writer) error {
	switch {
	case o.check:
		dir := o.output
		if dir == "" {
			dir = o.root
		}
		diff, err := difference(files, dir, versions)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(stdout, diff); err != nil || diff == "" {
			return err
		}
		return errSaid
	case o.output != "":
		if err := notOurs(files, o.output); err != nil {
			return err
		}
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
