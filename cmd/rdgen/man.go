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
	Options, Files                         []option
	SeeAlso                                []reference
}

type option struct{ Flag, Usage string }

// reference is another page.
type reference struct{ Name, Section string }

var others = []reference{{"rdexec", "8"}, {"rdomain", "8"}, {"rdgen.conf.d", "5"}, {"rdgen.s6", "5"}, {"rdomain.conf", "5"}}

// manual makes a page of every command.
func manual(root *cobra.Command) (tree.Tree, error) {
	var pages tree.Tree
	overview := page{Name: root.Name(), Short: root.Short, Use: "rdgen VERB [ARGUMENT...]", Long: root.Long,
		Examples: "echo netns=private >>/etc/conf.d/sshd\nrdgen check",
		Files: []option{
			{"/etc/conf.d/SERVICE", "names the domain of a service; see rdgen.conf.d(5)"},
			{"/etc/rdomain/DOMAIN.conf", "says what a domain is; see rdomain.conf(5)"},
		}}
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		p := page{
			Name: root.Name() + "-" + c.Name(), Short: c.Short, Use: c.UseLine(), Long: c.Long, Examples: c.Example, JSON: c.Annotations["json"],
			SeeAlso: append([]reference{{"rdgen", "8"}}, others...),
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				p.Options = append(p.Options, describe(f))
			}
		})
		overview.Options = append(overview.Options, option{c.UseLine(), c.Short + "; see " + p.Name + "(8)"})
		overview.SeeAlso = append(overview.SeeAlso, reference{p.Name, "8"})
		if err := addPage(&pages, p); err != nil {
			return tree.Tree{}, err
		}
	}
	overview.Options = append(overview.Options, option{"rdgen completion bash|fish|zsh", "print what completes rdgen's words in that shell; a package installs it"})
	overview.SeeAlso = append(overview.SeeAlso, others...)
	return pages, addPage(&pages, overview)
}

func addPage(pages *tree.Tree, p page) error {
	p.Long, p.JSON = wrapped(p.Long), wrapped(p.JSON)
	for i := range p.Options {
		p.Options[i].Usage = wrapped(p.Options[i].Usage)
	}
	text, err := templates.Render("man", p)
	if err != nil {
		return err
	}
	return pages.Add(tree.File{Path: "/" + p.Name + ".8", Mode: 0o644, Data: text})
}

// wrapped breaks lines between words, so that none has more than 80 bytes with its
// escapes.
func wrapped(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		width := 0
		for i, word := range strings.Fields(line) {
			switch {
			case i > 0 && width+len(word) > 66:
				b.WriteByte('\n')
				width = 0
			case i > 0:
				b.WriteByte(' ')
			}
			b.WriteString(word)
			width += 1 + len(word)
		}
		if strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
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
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
		text += fmt.Sprintf(" (default %s)", strings.TrimSpace(f.DefValue))
	}
	return option{names, text}
}
