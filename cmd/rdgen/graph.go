package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rdgen/graph"
	"rdgen/problem"
	"rdgen/status"
	"rdgen/templates"
)

func graphCommand() *cobra.Command {
	var format, from string
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "draw the domains, their links and their services",
		Long: "Draws what rdgen status shows: each domain as a box with its services and where they listen, its links to the default domain, to others and to the outside, " +
			"with their addresses and the ports that are published there. What is where it should not be is red. " +
			"The picture needs nothing else: a browser opens it, and prints it on one page. " +
			"It can be drawn elsewhere, and later, from what rdgen status --json has printed.",
		Example: "rdgen graph >domains.svg\nrdgen graph --format dot | dot -Tpdf >domains.pdf\nrdgen status --json | rdgen graph --from - --format mermaid",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("graph takes no arguments", cmd)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			draw, ok := formats[format]
			if !ok {
				return &problem.Error{Msg: fmt.Sprintf("--format %s is not known", format), Hint: "there are svg, dot and mermaid"}
			}
			if err := notEmpty(cmd, "from"); err != nil {
				return err
			}
			report, err := reportFrom(from, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return draw(graph.Of(report, templates.Comment), cmd.OutOrStdout())
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&format, "format", "svg", "draw as svg, dot or mermaid, all of which are text")
	cmd.Flags().StringVar(&from, "from", "", "draw what rdgen status --json has printed into `FILE`, - for the standard input; without it, this machine")
	completeFlag(cmd, "format", cobra.ShellCompDirectiveNoFileComp, "svg", "dot", "mermaid")
	return cmd
}

var formats = map[string]func(graph.Graph, io.Writer) error{"svg": graph.Graph.SVG, "dot": graph.Graph.DOT, "mermaid": graph.Graph.Mermaid}

// reportFrom reads a status, or looks at this machine.
func reportFrom(file string, stdin io.Reader) (report status.Report, err error) {
	var text []byte
	switch file {
	case "":
		return lookAround()
	case "-":
		file = "the standard input"
		text, err = io.ReadAll(stdin)
	default:
		text, err = os.ReadFile(file)
	}
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil {
		return report, &problem.Error{Msg: fmt.Sprintf("%s: %v", file, problem.Cause(err)), Hint: "it has to be what rdgen status --json prints"}
	}
	return report, nil
}
