package main

import (
	"slices"

	"github.com/spf13/cobra"

	"rdgen/openrc"
	"rdgen/s6"
)

// completeNames lets the shell complete the services that have a conf.d file below root,
// and what the flags take.
func completeNames(cmd *cobra.Command, root *string) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		fsys, err := openRoot(*root)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer fsys.Close()
		names, _ := openrc.List(fsys) // what cannot be read completes nothing
		return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(given, n) }), cobra.ShellCompDirectiveNoFileComp
	}
	for _, flag := range []string{"root", "output"} {
		completeFlag(cmd, flag, cobra.ShellCompDirectiveFilterDirs)
	}
	for _, flag := range []string{"netns", "vrf", "systemd-version"} {
		completeFlag(cmd, flag, cobra.ShellCompDirectiveNoFileComp)
	}
	var flavors []string
	for _, f := range s6.Flavors {
		flavors = append(flavors, f.Name)
	}
	completeFlag(cmd, "flavor", cobra.ShellCompDirectiveNoFileComp, flavors...)
}

// completeFlag says how the value of a flag is completed, if the verb has it.
func completeFlag(cmd *cobra.Command, name string, how cobra.ShellCompDirective, values ...string) {
	if cmd.Flags().Lookup(name) == nil {
		return
	}
	err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, how))
	if err != nil {
		panic(err) // it is registered twice
	}
}
