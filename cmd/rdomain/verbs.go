package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"rdgen/parallel"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/lifecycle"
	"rdgen/runtime/object"
)

// workers is how many domains are worked on at once. More than the processors
// only wait for the kernel's one lock on network devices (rtnl).
func workers() int { return min(2*runtime.GOMAXPROCS(0), 8) }

// each does f for all domains, several at once, and reports errors and notes in
// the order of the names. The error of one does not stop the others. doing is
// what the terminal says meanwhile.
func (c *command) each(host *lifecycle.Host, doing string, list []domain.ID, f func(domain.ID) (notes []string, err error)) {
	notes, errs := make([][]string, len(list)), make([]error, len(list))
	show := newProgress(c.terminal, doing, len(list))
	host.Say = func(id domain.ID, text string) {
		if id != (domain.ID{}) {
			text = id.String() + ": " + text
		}
		show.note(escape("rdomain: note: "+text+"\n", "\n\t"))
	}
	parallel.Each(len(list), workers(), func(i int) {
		notes[i], errs[i] = f(list[i])
		show.done(errs[i] != nil)
	})
	show.end()
	for i, id := range list {
		for _, n := range notes[i] {
			fmt.Fprintf(c.stderr, "rdomain: note: %s: %s\n", id, n)
		}
		if errs[i] != nil {
			c.fail(errs[i])
		}
	}
}

// asRoot reads the options and the names of a verb that root alone may call.
func asRoot(args []string, all func() ([]domain.ID, error), allowed ...string) (map[string]bool, []domain.ID, error) {
	given, args, err := options(args, allowed...)
	if err == nil {
		err = needRoot()
	}
	if err != nil {
		return nil, nil, err
	}
	list, err := which(given, args, all)
	return given, list, err
}

// files returns the domains that have a file. A file that is no domain's is an error
// beside them.
func (c *command) files() ([]domain.ID, error) {
	for _, err := range lifecycle.Strays() {
		c.fail(err)
	}
	return lifecycle.Files()
}

// which returns the domains that the command line names: NAME..., or with --all
// those that all returns.
func which(given map[string]bool, args []string, all func() ([]domain.ID, error)) ([]domain.ID, error) {
	switch {
	case given["--all"] && len(args) > 0:
		return nil, wrong("--all takes no NAME")
	case given["--all"]:
		return all()
	}
	return ids(args)
}

func (c *command) up(args []string) error {
	return c.make(args, "up", (*lifecycle.Host).DryRun, (*lifecycle.Host).Up)
}

func (c *command) reload(args []string) error {
	return c.make(args, "reloaded", func(h *lifecycle.Host) dryRun { return h.DryReload }, (*lifecycle.Host).Reload)
}

// dryRun says what would be done for a domain.
type dryRun = func(domain.ID) ([]object.Step, error)

// make is up and reload.
func (c *command) make(args []string, doing string, plan func(*lifecycle.Host) dryRun,
	do func(*lifecycle.Host, domain.ID) error) error {
	seconds, args, err := trySeconds(args)
	if err != nil {
		return err
	}
	given, list, err := asRoot(args, c.files, "-n", "--all")
	if err == nil && seconds > 0 && given["-n"] {
		err = wrong("-n and --try exclude each other")
	}
	if err != nil {
		return err
	}
	if given["-n"] {
		host, err := lifecycle.OpenToRead()
		if err != nil {
			return err
		}
		defer host.Close()
		c.print(list, plan(host))
		return nil
	}
	host, err := lifecycle.Open()
	if err != nil {
		return err
	}
	defer host.Close()
	all := func() error {
		c.each(host, doing, list, func(id domain.ID) ([]string, error) { return nil, do(host, id) })
		return nil
	}
	if seconds > 0 && len(list) > 0 {
		return c.try(host, list, seconds, all)
	}
	return all()
}

// print prints what would be done.
func (c *command) print(list []domain.ID, plan dryRun) {
	for _, id := range list {
		steps, err := plan(id)
		for _, s := range steps {
			fmt.Fprintln(c.stdout, s)
		}
		if err != nil {
			c.fail(err)
		}
	}
}

func (c *command) down(args []string) error {
	given, args, err := options(args, "-n", "--all")
	if err == nil {
		err = needRoot()
	}
	if err != nil {
		return err
	}
	open := lifecycle.Open
	if given["-n"] {
		open = lifecycle.OpenToRead
	}
	host, err := open()
	if err != nil {
		return err
	}
	defer host.Close()
	list, err := which(given, args, host.Recorded)
	if err != nil {
		return err
	}
	if !given["-n"] {
		return c.downAll(host, list)
	}
	for _, wave := range host.Waves(list) {
		c.print(wave, host.DryDown)
	}
	return nil
}

func (c *command) check(args []string) error {
	for _, a := range args {
		if a == "--self" {
			return c.checkSelf(args)
		}
	}
	given, list, err := asRoot(args, c.files, "--json", "--all")
	if err != nil {
		return err
	}
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return err
	}
	defer host.Close()
	left, err := c.left(host)
	if err != nil {
		return err
	}
	freed, err := delegated()
	if err != nil {
		return err
	}
	reports := []*lifecycle.Report{}
	for _, id := range list {
		report, err := host.Check(id)
		if err != nil {
			c.fail(err)
			report = &lifecycle.Report{ID: id.String(), Problems: []string{}, Notes: []string{}, Missing: []string{}, Diff: []string{}, Error: err.Error()}
		}
		if text := names(left, id); text != "" {
			report.Problems = append(report.Problems, text)
		}
		report.Problems = append(report.Problems, freed[id.String()]...)
		reports = append(reports, report)
		if err == nil && !report.OK() {
			c.code = max(c.code, 1)
		}
	}
	if given["--json"] {
		return c.json(reports)
	}
	for _, r := range reports {
		c.printReport(r)
	}
	return nil
}

// printReport prints what is wrong with a domain, behind "#", and as a diff.
func (c *command) printReport(r *lifecycle.Report) {
	for _, p := range r.Problems {
		fmt.Fprintf(c.stdout, "# %s: %s\n", r.ID, p)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(c.stderr, "rdomain: note: %s: %s\n", r.ID, n)
	}
	if len(r.Diff) == 0 {
		return
	}
	wanted := r.File
	if wanted == "" {
		wanted = "what it should be"
	}
	fmt.Fprintf(c.stdout, "--- %s as it is\n+++ %s\n", r.ID, wanted)
	for _, line := range r.Diff {
		fmt.Fprintln(c.stdout, line)
	}
}

// checkSelf is what a service's init system calls inside the service.
func (c *command) checkSelf(args []string) error {
	var rest []string
	look := enter.Check
	for _, a := range args {
		switch a {
		case "--self":
		case "--hold":
			look = enter.Hold
		default:
			rest = append(rest, a)
		}
	}
	// rdexec's own reading of -n and -v, with a program that is not run.
	command, err := domain.ParseArgs(append(rest, "--", "self"))
	switch {
	case err != nil:
		return wrong("check --self: %v", err)
	case len(command.Prog) != 1 || command.Prog[0] != "self", command.Cgroup != "" || command.User != "":
		return wrong("check --self takes --hold, -n NETNS and -v VRF, nothing else")
	case command.Domain.IsDefault():
		return wrong("check --self needs -n NETNS, -v VRF or both")
	}
	return look(command.Domain)
}

func (c *command) list(args []string) error {
	given, args, err := options(args, "--json")
	if err == nil && len(args) > 0 {
		err = wrong("list takes no NAME")
	}
	if err != nil {
		return err
	}
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return err
	}
	defer host.Close()
	for _, err := range lifecycle.Strays() {
		c.fail(err)
	}
	entries, err := host.List(workers())
	if err != nil {
		return err
	}
	if note, err := lifecycle.Others(); err != nil {
		return err
	} else if note != "" {
		fmt.Fprintf(c.stderr, "rdomain: note: %s\n", note)
	}
	if given["--json"] {
		return c.json(entries)
	}
	head := "ID\tKIND\tSTATE\tTABLE\tLINKS"
	leased := slices.ContainsFunc(entries, func(e lifecycle.Entry) bool { return len(e.Leases) > 0 })
	if leased {
		head += "\tLEASES"
	}
	described := slices.ContainsFunc(entries, func(e lifecycle.Entry) bool { return e.Description != "" })
	if described {
		head += "\tDESCRIPTION"
	}
	return c.table(head, len(entries), func(i int) string { return row(entries[i], leased, described) })
}

// dump prints the file of a domain.
func (c *command) dump(args []string) error {
	_, list, err := asRoot(args, nil)
	if err == nil && len(list) != 1 {
		err = wrong("dump takes one NAME")
	}
	if err != nil {
		return err
	}
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return err
	}
	defer host.Close()
	text, err := host.Dump(list[0])
	if err != nil {
		return err
	}
	_, err = c.stdout.Write(text)
	return err
}

// row is the line of a domain in the table of list. leased and described: there is a column
// for leases, and for descriptions.
func row(e lifecycle.Entry, leased, described bool) string {
	table := "-"
	if e.Table != 0 {
		table = strconv.FormatUint(uint64(e.Table), 10)
	}
	row := []string{e.ID, dash(e.Kind), e.State, table, strings.Join(e.Links, " ")}
	if leased {
		row = append(row, leases(e.Leases))
	}
	if described {
		row = append(row, e.Description)
	}
	for i := range row[:len(row)-1] {
		row[i] = dash(row[i])
	}
	last := &row[len(row)-1] // which is as wide as it is, and makes no other row wider
	if e.Error != "" {
		*last = strings.TrimSpace(*last + " (" + e.Error + ")")
	}
	*last = dash(*last)
	return strings.Join(row, "\t")
}

// leases are the leases of a domain, for a reader.
func leases(list []lifecycle.Leased) string {
	words := make([]string, len(list))
	for i, l := range list {
		switch {
		case l.Address == "":
			words[i] = l.Link + " has none"
		case l.Expires == "":
			words[i] = l.Link + " " + l.Address + " without end"
		default:
			words[i] = l.Link + " " + l.Address + " until " + l.Expires
		}
	}
	return strings.Join(words, ", ")
}

func (c *command) json(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (c *command) table(head string, n int, row func(int) string) error {
	w := tabwriter.NewWriter(c.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for i := range n {
		fmt.Fprintln(w, row(i))
	}
	return w.Flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
