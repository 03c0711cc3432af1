package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rdgen/generators/tree"
	"rdgen/templates"
)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual pages",
		Long:    "Writes the manual pages of rdgen and its verbs into DIR.",
		Example: "rdgen man /usr/share/man/man8",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("man takes one folder", cmd)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			pages, err := manual(cmd.Root())
			if err != nil {
				return err
			}
			return pages.Write(args[0])
		},
	}
}

// page is the data of templates/man.tmpl.
type page struct {
	Name, Short, Use, Long, Examples, JSON string
	Options                                []option
	SeeAlso                                []string
}

type option struct{ Flag, Usage string }

// manual makes a page of every command.
func manual(root *cobra.Command) (tree.Tree, error) {
	var pages tree.Tree
	overview := page{Name: root.Name(), Short: root.Short, Use: "rdgen VERB [ARGUMENT...]", Long: root.Long}
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		p := page{
			Name: root.Name() + "-" + c.Name(), Short: c.Short, Use: c.UseLine(), Long: c.Long, Examples: c.Example, JSON: c.Annotations["json"],
			SeeAlso: []string{"rdgen", "rdomain", "rdexec"},
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				p.Options = append(p.Options, describe(f))
			}
		})
		overview.Options = append(overview.Options, option{c.UseLine(), c.Short + "; see " + p.Name + "(8)"})
		overview.SeeAlso = append(overview.SeeAlso, p.Name)
		if err := addPage(&pages, p); err != nil {
			return tree.Tree{}, err
		}
	}
	return pages, addPage(&pages, overview)
}

func addPage(pages *tree.Tree, p page) error {
	text, err := templates.Render("man", p)
	if err != nil {
		return err
	}
	return pages.Add(tree.File{Path: "/" + p.Name + ".8", Mode: 0o644, Data: text})
}

func describe(f *pflag.Flag) option {
	value, text := pflag.UnquoteUsage(f)
	names := "--" + f.Name
	if f.Shorthand != "" {
		names = "-" + f.Shorthand + ", " + names
	}
	if value != "" {
		names += " " + value
	}
	if f.DefValue != "" && f.DefValue != "false" {
		text += fmt.Sprintf(" (default %s)", strings.TrimSpace(f.DefValue))
	}
	return option{names, text}
}
