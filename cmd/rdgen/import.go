package main

import (
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/generators/tree"
	"rdgen/imports"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
)

// importing are the flags of import.
type importing struct{ root, output, netns string }

func importCommand() *cobra.Command {
	var o importing
	cmd := &cobra.Command{
		Use:   "import FORMAT [FILE...]",
		Short: "print domain files that say what another program's files say",
		Long: "Reads files of another program, and prints files of domains that say the same, each headed by its path. FORMAT is ifupdown, for " +
			"/etc/network/interfaces of ifupdown, ifupdown-ng and ifupdown2; ifstate, for /etc/ifstate/config.yml; netplan, for /etc/netplan; networkd, for " +
			"the .netdev and .network files of /etc/systemd/network; or wg-quick, for a FILE. A FILE may be a folder for netplan and networkd. " +
			"Each VRF and each namespace that is in them is a file; --netns puts what is in neither into a namespace. A line that has no counterpart is a comment, " +
			"with its file and number. Keys of WireGuard are not printed: a comment says how they get into a file of their own.",
		Example: "rdgen import ifupdown\nrdgen import networkd --netns lab -o /tmp/new\nrdgen import wg-quick /etc/wireguard/wg0.conf",
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) == 0 {
				return usage("no format given; there are "+strings.Join(imports.Formats(), ", "), cmd)
			}
			return o.run(cmd, words[0], words[1:], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	rootFlag(cmd, &o.root)
	flags.StringVarP(&o.output, "output", "o", "", "write the files below `DIR` instead of printing them")
	flags.StringVar(&o.netns, "netns", "", "put what is in no domain into the namespace `N`")
	cmd.ValidArgsFunction = func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(words) == 0 {
			return imports.Formats(), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	completeFlag(cmd, "root", cobra.ShellCompDirectiveFilterDirs)
	completeFlag(cmd, "output", cobra.ShellCompDirectiveFilterDirs)
	completeFlag(cmd, "netns", cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

func (o *importing) run(cmd *cobra.Command, format string, files []string, stdout, stderr io.Writer) error {
	if err := notEmpty(cmd, "output", "netns"); err != nil {
		return err
	}
	in, err := domain.Parse(o.netns, "")
	if err != nil {
		return fmt.Errorf("--netns: %w", err)
	}
	if len(files) == 0 {
		files = imports.Default(format)
	}
	if paths, err := o.below(files); err != nil {
		return err
	} else if files = paths; len(files) == 0 && format == "wg-quick" {
		return usage("wg-quick takes a FILE, such as /etc/wireguard/wg0.conf", cmd)
	}
	root, err := openRoot(o.root)
	if err != nil {
		return err
	}
	defer root.Close()
	result, err := imports.Read(root, format, files, in.Netns)
	if err != nil {
		return err
	}
	result.Services = append(result.Services, placed(root, result)...)
	return o.emit(result, stdout, stderr)
}

// placed are the services that units put into one of the domains, or bind to its VRF, and that
// neither conf.d nor what was read names.
func placed(root *tree.Root, r *imports.Result) (list []imports.Service) {
	loader := services.NewLoader(root, domain.Domain{})
	declared, _ := loader.AllDeclared()
	_, broken, _ := loader.DeclaredAndBroken() // or its domain has no file yet
	declared = slices.AppendSeq(declared, maps.Keys(broken))
	for _, s := range append(loader.ByHand(declared), loader.Bound(declared)...) {
		in := slices.ContainsFunc(r.Domains, func(d imports.Domain) bool { return d.ID.String() == s.Domain.ID() })
		named := slices.ContainsFunc(append(list, r.Services...), func(o imports.Service) bool { return o.Name == s.Name })
		if in && !named {
			list = append(list, imports.Service{From: s.Pos, Name: s.Name, In: s.Domain})
		}
	}
	return list
}

// below returns the files as paths of the root: one that is not absolute is of the working
// directory, which only the root "/" has.
func (o *importing) below(files []string) (list []string, err error) {
	for _, f := range files {
		if !path.IsAbs(f) && o.root == "/" {
			if f, err = filepath.Abs(f); err != nil {
				return nil, err
			}
		}
		list = append(list, path.Clean("/"+f))
	}
	return list, nil
}

// emit prints or writes what was read.
func (o *importing) emit(r *imports.Result, stdout, stderr io.Writer) error {
	var files tree.Tree
	for _, d := range r.Domains {
		if err := files.Add(tree.File{Path: "/etc/rdomain/" + d.ID.String() + ".conf", Mode: 0o644, Data: d.Text}); err != nil {
			return err
		}
	}
	if o.output == "" {
		return printed(r, files, stdout)
	}
	old, err := files.Old(o.output)
	if err != nil {
		return err
	}
	for _, f := range old.Files() {
		return problem.New(problem.Pos{File: f.Path}, "is there already; nothing is written").WithHint("move it away, or write below another folder (-o)")
	}
	if err := files.Write(o.output); err != nil {
		return err
	}
	for _, text := range r.Left {
		say(stderr, "warning", text)
	}
	for _, s := range r.Services {
		fmt.Fprintln(stdout, "next: "+problem.Command(append([]string{"rdgen", "set"}, problem.Operands(append([]string{s.Name}, values([]domain.Domain{s.In})...))...)...))
	}
	return nil
}

// printed prints the files, the lines of conf.d, and what is in no domain.
func printed(r *imports.Result, files tree.Tree, stdout io.Writer) error {
	if err := files.Print(stdout); err != nil {
		return err
	}
	for _, s := range r.Services {
		fmt.Fprintf(stdout, "\n# /etc/conf.d/%s (%s)\n%s\n", s.Name, s.From, strings.Join(values([]domain.Domain{s.In}), "\n"))
	}
	if len(r.Left) > 0 {
		fmt.Fprint(stdout, "\n# In no domain:\n")
	}
	for _, text := range r.Left {
		if _, err := fmt.Fprintf(stdout, "# %s\n", strings.Map(plain, text)); err != nil {
			return err
		}
	}
	return nil
}

// plain is a rune of a comment.
func plain(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}
