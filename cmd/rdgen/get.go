package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

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
			values, err := services.NewLoader(fsys, domain.Domain{}).Values(words[0])
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
				return &problem.Error{Msg: words[0] + " names none"}
			}
			return nil
		},
	}
	rootFlag(cmd, &root)
	completeSteering(cmd, &root)
	return cmd
}
