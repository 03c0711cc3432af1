package main

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
)

func checkCommand() *cobra.Command {
	var root string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [SERVICE...]",
		Short: "find services that would not run in the domain they name",
		Long: "Reads the conf.d files of the services, or all of them, and finds: a domain that cannot be read or is not defined, " +
			"a file in /etc/rdomain that is broken, contradicts conf.d or another one, or can be written by others, " +
			"a key or a user that such a file refers to and that is not there, " +
			"a domain that cannot come up from nothing, as at boot, because it needs what another makes later, " +
			"without --root, what the kernel that runs cannot make, " +
			"a file of systemd-networkd that takes a link out of its VRF, " +
			"one of ifupdown or dhcpcd that leads the default domain by such a link, " +
			"a source of nsswitch.conf that looks up names outside although the domain has its own resolver, " +
			"a drop-in with which a service would start outside while rdgen's generator has not come to its end, " +
			"a service that no init system has, and one whose generated files are missing or not up to date, so that it " +
			"would not run where conf.d says. Without a SERVICE, of OpenRC too: whether this machine's openrc-run.sh, " +
			"which is read and not run, would let rdgen enter. Prints each with file and line and what to do. " +
			"Without --root, a note says which service runs elsewhere than its file says, because it has not been restarted or for another reason, and the command that mends it; " +
			"rdgen status shows more.",
		Example: "rdgen check\nrdgen check --json",
		RunE: func(cmd *cobra.Command, names []string) error {
			notes, err := check(root, names)
			if asJSON {
				return printFindings(cmd.OutOrStdout(), notes, err)
			}
			for _, n := range notes {
				say(cmd.ErrOrStderr(), "note", n)
			}
			return err
		},
	}
	rootFlag(cmd, &root)
	completeNames(cmd, &root)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON: problems, notes")
	cmd.Annotations = map[string]string{"json": "One object. problems: a list of objects, each with what (the fact), and, where there are such, " +
		"file and line (its place; without line it is the whole file), hint (what to do, in one line or several) and temporary (true where it may pass by itself). " +
		"notes: a list of sentences that are worth knowing. Both lists are always there, and the exit code is that without --json. Fields may be added."}
	return cmd
}

// printFindings prints what check found as JSON.
func printFindings(w io.Writer, notes []string, err error) error {
	found := struct {
		Problems []*problem.Error `json:"problems"`
		Notes    []string         `json:"notes"`
	}{[]*problem.Error{}, append([]string{}, notes...)}
	for _, err := range problem.List(err) {
		p, ok := errors.AsType[*problem.Error](err)
		if !ok {
			p = &problem.Error{Msg: err.Error()}
		}
		found.Problems = append(found.Problems, p)
	}
	if err := encode(w, found); err != nil || len(found.Problems) == 0 {
		return err
	}
	return errSaid
}

// check returns everything that is wrong with the services, or with all that
// name a domain and the machine itself, and notes of what is worth knowing.
func check(root string, given []string) (notes []string, err error) {
	names := given
	fsys, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	loader := services.NewLoader(fsys, domain.Domain{}).Below(root)
	var errs []error
	if len(names) == 0 {
		errs, notes = openrc.Host(fsys)
		names, err = loader.AllDeclared()
		notes = append(notes, loader.S6.Strays(names)...)
		errs = append(errs, loader.Domains()...)
		wrong, about := loader.Beside()
		errs, notes = append(errs, wrong...), append(notes, about...)
		notes = append(notes, loader.Awaited()...)
	} else {
		for _, name := range names {
			errs = append(errs, loader.DomainOf(name)...)
		}
	}
	if filepath.Clean(root) == "/" {
		errs = append(errs, loader.Here(given...)...)
	}
	errs = append(errs, err)
	if len(given) == 0 {
		stale, _ := loader.Systemd.Stale() // the error is said with its service
		for _, file := range stale {
			errs = append(errs, file.Problem(root))
		}
	}
	asMade := map[string]func() map[string][]tree.File{}
	for _, init := range loader.Inits() {
		asMade[init.Name()] = versions(init)
	}
	var units []result
	for _, name := range names {
		wrong, about, made := checkService(loader, asMade, root, name)
		errs, notes, units = append(errs, wrong...), append(notes, about...), append(units, made...)
	}
	errs, notes = append(errs, together(units)...), append(notes, loader.Lookups(names)...)
	if len(given) > 0 {
		errs = append(errs, besides(loader.Systemd, units...)...)
	}
	errs = distinct(append(errs, loader.S6.Problems()...))
	if filepath.Clean(root) == "/" {
		notes = append(notes, outside(fsys, loader, given, len(errs) > 0)...)
	}
	return once(notes), errors.Join(errs...)
}

// distinct returns the errors without those that two init systems have of one file.
func distinct(errs []error) []error {
	said := map[string]bool{}
	return slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})
}

// once returns the notes without those that two services have: one unit of two names.
func once(notes []string) []string {
	said := map[string]bool{}
	return slices.DeleteFunc(notes, func(n string) bool {
		defer func() { said[n] = true }()
		return said[n]
	})
}

// checkService returns what is wrong with one service, notes of what is not, and what
// systemd makes of it, where systemd has it. asMade has the versions of each init system.
func checkService(loader *services.Loader, asMade map[string]func() map[string][]tree.File, root, name string) (errs []error, notes []string, units []result) {
	declared, err := loader.Declaration(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, services.ErrNoDomain) {
		if _, by, unclear := loader.Systemd.SpokenFor(name); len(by) > 0 || unclear != nil {
			err = namesNone(loader, "check", name, root)
		}
	}
	if err != nil {
		return []error{err}, nil, nil
	}
	if err := loader.Contradicts(declared); err != nil {
		errs = append(errs, err)
	}
	if n := loader.Nearby(declared); n != "" {
		notes = append(notes, n)
	}
	inits := slices.DeleteFunc(loader.Inits(), func(i services.Init) bool { return !i.Has(name) || !i.Follows(declared) })
	for _, init := range inits {
		made := one(init, name)
		if err := checkFiles(init, name, made, asMade[init.Name()], root); err != nil {
			errs = append(errs, err)
		}
		if made.job == nil {
			continue
		}
		errs = append(errs, init.Escapes(made.job)...)
		if unit, ok := made.job.(generators.Systemd); ok {
			notes, units = append(notes, loader.Systemd.Remarks(unit)...), append(units, made)
			for _, s := range loader.Systemd.Shadows(made.files) {
				errs = append(errs, s.Problem(root))
			}
		}
	}
	if len(inits) > 0 || loader.OpenRC.ByFunctions(name) {
		return errs, notes, units
	}
	return append(errs, hasNone(loader, declared, root)), notes, nil
}

// hasNone is the error for a service that no init system has.
func hasNone(loader *services.Loader, declared generators.Service, root string) error {
	name := declared.Name
	if err := loader.OpenRC.Bypasses(declared); err != nil {
		return err
	}
	if loader.S6.There() && loader.Systemd.Has(name) {
		return problem.New(declared.Pos, "s6 has no service %s", name).
			WithHint(again("s6", name, root) + " makes it of its unit")
	}
	hint := loader.Systemd.Meant(name)
	if hint == "" {
		hint = "install it, or correct the name of the conf.d file" + loader.Near(name)
	}
	return problem.New(declared.Pos, "no init system has a service %s", name).WithHint(hint)
}

// checkFiles compares the files that were made for a service with what is there.
func checkFiles(init services.Init, name string, made result, versions func() map[string][]tree.File, root string) error {
	if made.err != nil {
		return made.err
	}
	diff, err := difference(init.Needed(made.files), root, versions)
	if err != nil || diff == "" {
		return err
	}
	return problem.New(made.service.Pos, "%s would not run in %s under %s: its files are missing or not up to date", name, made.service.Domain, init.Name()).
		WithHint(again(init.Name(), name, root))
}

// again is the command that writes a service's files for an init system.
func again(init, name, root string) string {
	return onRoot(root, append([]string{"rdgen", init}, problem.Operands([]string{name}, "-o", root)...)...)
}

// onRoot is a command of rdgen for the machine below a root. What stands behind "--" is no option.
func onRoot(root string, words ...string) string {
	if filepath.Clean(root) != "/" {
		words = problem.WithOption(words, "--root", root)
	}
	return problem.Command(words...)
}
