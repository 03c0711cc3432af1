package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

func checkCommand() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "check [SERVICE...]",
		Short: "say what is wrong, or would not do what it says",
		Long: "Reads the conf.d files of the services, or all of them, and finds: a domain that cannot be read or is not defined, " +
			"a service that no init system has, and one whose generated files are missing or not up to date, so that it " +
			"would not run where conf.d says. Prints each with file and line and what to do.",
		Example: "rdgen check",
		RunE: func(cmd *cobra.Command, services []string) error {
			notes, err := check(root, services)
			for _, n := range notes {
				say(cmd.ErrOrStderr(), "note", n)
			}
			return err
		},
	}
	rootFlag(cmd, &root)
	return cmd
}

// check returns everything that is wrong with the services, or with all that
// name a domain and the machine itself, and notes of what is worth knowing.
func check(root string, services []string) (notes []string, err error) {
	fsys, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	loader := generators.NewLoader(fsys, domain.Domain{})
	var errs []error
	if len(services) == 0 {
		errs, notes = openrc.Host(fsys)
		services, err = loader.S6Declared()
		notes = append(notes, loader.S6Strays(services)...)
	}
	errs = append(errs, err)
	for _, name := range services {
		errs = append(errs, checkService(loader, root, name)...)
	}
	errs = append(errs, loader.S6Problems()...)
	return notes, errors.Join(errs...)
}

func checkService(loader *generators.Loader, root, name string) []error {
	declared, err := loader.S6Declaration(name)
	if err != nil {
		return []error{err}
	}
	var errs []error
	inits := slices.DeleteFunc(verbs(), func(v verb) bool {
		return !v.knows(loader, name) || v.name != "s6" && loader.InS6Config(declared) || v.name == "systemd" && loader.WithoutSystemd()
	})
	for _, v := range inits {
		if err := checkInit(v, loader, root, name); err != nil {
			errs = append(errs, err)
		}
		if v.name == "openrc" {
			errs = append(errs, loader.Uncovered(name)...)
		}
	}
	if len(inits) == 0 {
		errs = append(errs, &problem.Error{Pos: declared.Pos, Msg: "no init system has a service " + name,
			Hint: "install it, or correct the name of the conf.d file"})
	}
	return errs
}

// checkInit generates the service's files and compares them with what is there.
func checkInit(v verb, loader *generators.Loader, root, name string) error {
	service, err := v.load(loader, name)
	if err != nil {
		return err
	}
	files, _, err := v.make(service)
	if err != nil {
		return err
	}
	if v.name == "openrc" && loader.Hooked() {
		return nil // the rc.conf.d file covers every script
	}
	if v.name == "systemd" && loader.Generates() {
		// What is not there is made at the next daemon-reload; what is there wins.
		if files, err = present(files, root); err != nil {
			return err
		}
	}
	diff, err := files.Diff(root)
	if err != nil || diff == "" {
		return err
	}
	again := []string{"rdgen", v.name, name, "-o", root}
	if root != "/" {
		again = append(again, "--root", root)
	}
	return &problem.Error{Pos: service.Pos,
		Msg:  fmt.Sprintf("%s would not run in %s under %s: its files are missing or not up to date", name, service.Domain, v.name),
		Hint: strings.Join(again, " ")}
}

// present returns those of the files that are below root already.
func present(files tree.Tree, root string) (tree.Tree, error) {
	fsys, err := openRoot(root)
	if err != nil {
		return tree.Tree{}, err
	}
	defer fsys.Close()
	var there tree.Tree
	for _, f := range files.Files() {
		if _, err := fsys.Lstat(f.Path[1:]); err == nil {
			there.Put(f)
		}
	}
	return there, nil
}
