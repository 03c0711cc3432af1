// Command rdgen generates the files that put services into their routing
// domains, for OpenRC, s6 and systemd. It reads files below a root and prints or
// writes files; it touches no kernel object and needs no privilege. Its verbs status,
// graph and check look at the kernel too.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/problem"
	"rdgen/quit"
	"rdgen/templates"
)

// version is set by the linker.
var version = "unreleased"

func main() {
	// rdgen lives for milliseconds and holds a few MB: collecting garbage at the
	// default rate would be a fifth of what it does.
	debug.SetGCPercent(400)
	if err := quit.Begin(); err != nil {
		report(os.Stderr, err)
		os.Exit(1)
	}
	if args := os.Args[1:]; asGenerator(args) {
		dieWithParent()
		os.Exit(generator(args, os.Getenv, openKmsg()))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is rdgen with its arguments and outputs, and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(stderr)
	err := root.Execute()
	text := out.String()
	if isTerminal(stdout) {
		text = printable(text)
	}
	if text != "" {
		_, failed := io.WriteString(stdout, text)
		err = errors.Join(err, failed)
	}
	if next, ok := errors.AsType[execute](err); ok {
		err = next.do(os.Environ())
	}
	if next, ok := errors.AsType[watching](err); ok {
		err = next.do(stdout)
	}
	if err != nil {
		report(stderr, err)
		return 1
	}
	return 0
}

// isTerminal reports whether w may be a terminal: a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// printable escapes what would move a terminal's cursor: what is printed has parts of
// scripts, of units, and names of files.
func printable(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, end := strings.TrimSuffix(line, "\n"), line[len(strings.TrimSuffix(line, "\n")):]
		for i, part := range strings.Split(line, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(templates.Comment(part))
		}
		b.WriteString(end)
	}
	return b.String()
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "rdgen",
		Short: "put services into VRFs and network namespaces",
		Long: "rdgen reads vrf= and netns= from the conf.d files of services and generates what their init system needs to run\n" +
			"them there. Without -o it prints every file, headed by its path. Nothing is written if anything is wrong.",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage("no verb given", cmd)
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		msg, _, number := strings.Cut(err.Error(), ": strconv.") // what follows is for who knows Go
		if number {
			msg += ": that is no number"
		}
		return usage(msg, cmd)
	})
	root.PersistentFlags().SortFlags = false
	for _, v := range verbs() {
		root.AddCommand(generate(v))
	}
	root.AddCommand(initCommand(), importCommand(), setCommand(), unsetCommand(), getCommand(), checkCommand(), listCommand(), statusCommand(), graphCommand(), manCommand())
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = cobra.ArbitraryArgs
		completion.RunE = func(cmd *cobra.Command, words []string) error {
			if len(words) == 0 {
				return usage("no shell given", cmd)
			}
			return usage(fmt.Sprintf("there is no shell %q", words[0]), cmd)
		}
	}
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = func(_ *cobra.Command, words []string) error {
			if c, _, err := root.Find(words); err != nil || c == root {
				return noVerb(root, words) // cobra's own would print the general help, and call it a success
			}
			return nil
		}
	}
	return root
}

// noVerb is the error for words that name no verb of rdgen's.
func noVerb(root *cobra.Command, words []string) error {
	if len(words) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	hint := "the verbs are " + strings.Join(verbs, ", ")
	if near := problem.Nearest(words[0], verbs...); near != "" {
		hint = "is rdgen " + near + " meant?"
	}
	return &problem.Error{Msg: fmt.Sprintf("there is no verb %q", words[0]), Hint: hint}
}

// usage is the error for a command line that makes no sense.
func usage(msg string, cmd *cobra.Command) error {
	return &problem.Error{Msg: msg, Hint: cmd.CommandPath() + " --help"}
}

// errSaid ends a run with exit code 1 when what is wrong has been printed.
var errSaid = errors.New("")

// report prints every error that err holds, and then what to do about it.
// Who is not root is told once that this is why files cannot be read.
func report(w io.Writer, err error) {
	denied := 0
	for _, err := range problem.List(err) {
		if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
			if denied++; denied > 1 {
				continue
			}
		}
		hint := ""
		if p, ok := errors.AsType[*problem.Error](err); ok {
			hint = p.Hint
		}
		if err == errSaid {
			continue
		}
		say(w, "error", err.Error())
		for line := range strings.Lines(hint) {
			say(w, "hint", strings.TrimSuffix(line, "\n"))
		}
	}
	switch {
	case denied > 1:
		say(w, "hint", fmt.Sprintf("run it as root; %d more are closed to others", denied-1))
	case denied == 1:
		say(w, "hint", "run it as root")
	}
}

// say prints one line of a message. A file's name may hold anything, so what
// would move a terminal's cursor is escaped.
func say(w io.Writer, level, text string) {
	fmt.Fprintf(w, "rdgen: %s: %s\n", level, templates.Comment(text))
}
