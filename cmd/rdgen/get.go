package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
)

func getCommand() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "get SERVICE [KEY]",
		Short: "print the domain that a service names",
		Long: "Prints vrf=VRF, netns=NETNS and socket_domain=default as the service's files name them, one a line, as rdgen set takes them; " +
			"of KEY only the value. The files may say it in any way that rdgen can follow. Exit code 1, and nothing on stdout, if they name none.",
		Example: "rdgen get sshd\nrdgen get sshd vrf",
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case len(words) == 0:
				return usage("no service given", cmd)
			case len(words) > 2:
				return usage("get takes one service and one KEY", cmd)
			case len(words) == 2 && !slices.Contains(keys, words[1]):
				return noKey(words[1], cmd)
			}
			fsys, err := openRoot(root)
			if err != nil {
				return err
			}
			defer fsys.Close()
			loader := services.NewLoader(fsys, domain.Domain{}).Below(root)
			values, err := loader.Values(words[0])
			if err != nil {
				return err
			}
			said := false
			for _, key := range keys {
				switch text := values[key].Text; {
				case text == "":
				case len(words) == 1:
					fmt.Fprintf(cmd.OutOrStdout(), "%s=%s\n", key, text)
					said = true
				case words[1] == key:
					fmt.Fprintln(cmd.OutOrStdout(), text)
					said = true
				}
			}
			if !said {
				return namesNone(loader, "get", words[0], root)
			}
			return nil
		},
	}
	rootFlag(cmd, &root)
	completeSteering(cmd, &root)
	return cmd
}

// namesNone is the error of a verb for a service whose own file names no domain. It says where
// the line is that speaks for the unit all the same.
func namesNone(loader *services.Loader, verb, name, root string) error {
	none := &problem.Error{Msg: name + " names none"}
	unit, by, err := loader.Systemd.SpokenFor(name)
	if err != nil {
		return errors.Join(none, err)
	}
	if len(by) > 0 {
		none.Msg += "; " + spoken(unit, by[0])
		none.Hint = onRoot(root, append([]string{"rdgen", verb}, problem.Operands([]string{by[0].Name})...)...)
	}
	return none
}

// spoken says which line puts a unit where.
func spoken(unit string, by generators.Service) string {
	return fmt.Sprintf("%s is in %s by %s", unit, by.Domain, by.Place())
}
