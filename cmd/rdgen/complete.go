package main

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/openrc"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/services"
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
	completeDomain(cmd, "netns", root)
	completeDomain(cmd, "vrf", root)
	completeFlag(cmd, "systemd-version", cobra.ShellCompDirectiveNoFileComp)
	var flavors []string
	for _, f := range s6.Flavors {
		flavors = append(flavors, f.Name)
	}
	completeFlag(cmd, "flavor", cobra.ShellCompDirectiveNoFileComp, flavors...)
}

// completeSteering lets the shell complete, for a verb of one service, all services that the
// machine has, and then what the verb takes.
func completeSteering(cmd *cobra.Command, root *string) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		fsys, err := openRoot(*root)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer fsys.Close()
		loader := services.NewLoader(fsys, domain.Domain{})
		words := slices.Clone(keys)
		switch {
		case len(given) == 0:
			words = loader.Names()
		case cmd.Name() == "set":
			words = append(values(loader.Defined()), openrc.SocketKey+"="+openrc.SocketValue)
		case cmd.Name() == "get" && len(given) > 1:
			words = nil
		}
		return slices.DeleteFunc(words, func(w string) bool { return slices.Contains(given, w) }), cobra.ShellCompDirectiveNoFileComp
	}
	completeFlag(cmd, "root", cobra.ShellCompDirectiveFilterDirs)
}

// values are the assignments that name some of the domains.
func values(defined []domain.Domain) (words []string) {
	for _, d := range defined {
		if !d.Netns.IsZero() {
			words = append(words, "netns="+d.Netns.String())
		}
		if !d.VRF.IsZero() {
			words = append(words, "vrf="+d.VRF.String())
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// completeDomain completes the value of --netns or --vrf with the names that files define.
func completeDomain(cmd *cobra.Command, flag string, root *string) {
	if cmd.Flags().Lookup(flag) == nil {
		return
	}
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
		fsys, err := openRoot(*root)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer fsys.Close()
		for _, word := range values(services.NewLoader(fsys, domain.Domain{}).Defined()) {
			if name, ok := strings.CutPrefix(word, flag+"="); ok {
				names = append(names, name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // it is registered twice
	}
}

// completeLink completes the value of a flag with the links that the kernel shows below root.
func completeLink(cmd *cobra.Command, flag string, root *string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
		fsys, err := openRoot(*root)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer fsys.Close()
		entries, _ := fsys.ReadDir("sys/class/net") // without it, none is known
		for _, e := range entries {
			if e.Name() != "lo" && e.Type() == fs.ModeSymlink {
				names = append(names, e.Name())
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // it is registered twice
	}
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
