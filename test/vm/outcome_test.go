package vm

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// outcome is what came of all tries of one way in.
type outcome struct {
	name           string
	tries, answers int
	taken          int // requests from outside that a server took
	seen           int // kinds of packets that were seen on links of others
	told           int // those that are joins by calls of 32 bits
	cells          map[[2]string]cell
	served         map[string]int // taken, by the probe's way
}

// cell is what one way of the probe tried on one kind of target.
type cell struct{ tries, answers int }

var (
	totals = regexp.MustCompile(`(?m)^(tries|answers) (\d+)$`)
	cells  = regexp.MustCompile(`(?m)^count (\S+) (\S+) (\d+) (\d+)$`)
	takes  = regexp.MustCompile(`(?m)^took \S+ (\S+) by `)
	sights = regexp.MustCompile(`(?m)^seen +\d+ \S+ \S+ (\S+) `)
)

// read reads what attack.sh printed.
func read(name, text string) outcome {
	o := outcome{name: name, cells: map[[2]string]cell{}, served: map[string]int{}}
	for _, m := range totals.FindAllStringSubmatch(text, -1) {
		n := 0
		fmt.Sscan(m[2], &n)
		if m[1] == "tries" {
			o.tries += n
		} else {
			o.answers += n
		}
	}
	for _, m := range cells.FindAllStringSubmatch(text, -1) {
		var c cell
		fmt.Sscan(m[3]+" "+m[4], &c.tries, &c.answers)
		o.cells[[2]string{m[1], m[2]}] = c
	}
	for _, m := range takes.FindAllStringSubmatch(text, -1) {
		o.taken++
		o.served[m[1]]++
	}
	for _, m := range sights.FindAllStringSubmatch(text, -1) {
		if m[1] == "join-32" {
			o.told++
		} else {
			o.seen++
		}
	}
	return o
}

// judge reads what came of at least so many tries, and fails t unless it is as it is to be.
func judge(t *testing.T, name, text string, tries int, holds bool) outcome {
	t.Helper()
	o := read(name, text)
	t.Log(o.line())
	if strings.Contains(text, "failed:") || o.tries < tries {
		t.Errorf("the probe did not do its work:\n%s", text)
	}
	leaves := o.answers+o.taken >= 50 && o.seen >= 10 // 84 is the least that was seen: taken out, on 7.2
	if holds && o.answers+o.taken+o.seen > 0 || !holds && !leaves {
		t.Errorf("%s; want that it holds: %v\n%s", o.line(), holds, text)
	}
	return o
}

// line is a row of a table.
func (o outcome) line() string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d |", o.name, o.tries, o.answers, o.taken, o.seen, o.told)
}

// summary is a table of the ways in.
func summary(kernel string, list []outcome) string {
	text := "\n| Linux " + kernel + ", way in | tries | answers | taken from outside | kinds of packets seen elsewhere | of joins by calls of 32 bits |\n|---|---|---|---|---|---|\n"
	for _, o := range list {
		text += o.line() + "\n"
	}
	return text
}

// grid is a table of the ways of the probe and the targets, in all of list together.
func grid(title string, list []outcome) string {
	sum, served := map[[2]string]cell{}, map[string]int{}
	ways, targets := map[string]bool{}, map[string]bool{}
	for _, o := range list {
		for at, c := range o.cells {
			sum[at] = cell{sum[at].tries + c.tries, sum[at].answers + c.answers}
			ways[at[0]], targets[at[1]] = true, true
		}
		for way, n := range o.served {
			served[way] += n
		}
	}
	columns := slices.Sorted(maps.Keys(targets))
	text := "\n| " + title + ": tries/answers | " + strings.Join(columns, " | ") + " | taken |\n|" + strings.Repeat("---|", len(columns)+2) + "\n"
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		text += "| " + way
		for _, target := range columns {
			c := sum[[2]string{way, target}]
			text += fmt.Sprintf(" | %d/%d", c.tries, c.answers)
		}
		text += fmt.Sprintf(" | %d |\n", served[way])
	}
	return text
}
