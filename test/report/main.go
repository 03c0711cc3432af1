// Command report reads what `go test -json` prints and says it shortly: the
// output of each failed test, each skipped test with its reason, what took longest,
// and at the end how many passed, failed and were skipped. It exits 1 if anything
// failed, also if no test ran at all.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

type count struct {
	pass, fail, skip int
	skips            map[string][]string // reason -> tests
	output           map[string][]string // test -> lines, while it runs
	times            []took
}

// took is how many seconds a test had a machine of its own, and how many of them, on
// all processors together, that computed. A test without a machine has the seconds
// from its beginning to its end.
type took struct {
	test             string
	seconds, compute float64
}

func main() {
	c, err := read(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report: fatal:", err)
		os.Exit(1)
	}
	c.print(os.Stdout)
	if c.fail > 0 || c.pass == 0 {
		os.Exit(1)
	}
}

func read(r io.Reader, w io.Writer) (*count, error) {
	c := &count{skips: map[string][]string{}, output: map[string][]string{}}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			// The go command itself speaks, not a test.
			fmt.Fprintln(w, in.Text())
			continue
		}
		c.add(e, w)
	}
	return c, in.Err()
}

func (c *count) add(e event, w io.Writer) {
	key := e.Package + e.ImportPath + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		c.output[key] = append(c.output[key], e.Output)
		return
	case "pass":
		if e.Test != "" {
			c.pass++
			c.measure(e, c.output[key])
		} else {
			fmt.Fprintf(w, "ok      %-24s %6.1fs\n", short(e.Package), e.Elapsed)
		}
	case "fail", "build-fail":
		// A failed package without a failed test did not build, or died.
		if e.Test != "" || e.Action == "build-fail" || !c.failedIn(e.Package) {
			c.fail++
			c.output["failed in "+e.Package] = nil
		}
		fmt.Fprintf(w, "FAIL    %s %s\n%s", short(e.Package), e.Test, strings.Join(c.output[key], ""))
	case "skip":
		if e.Test != "" {
			c.skip++
			reason := reason(c.output[key])
			c.skips[reason] = append(c.skips[reason], short(e.Package)+" "+e.Test)
		}
	default:
		return
	}
	delete(c.output, key)
}

func (c *count) failedIn(pkg string) bool {
	_, ok := c.output["failed in "+pkg]
	return ok
}

// reason is what t.Skip was told: the line "    file_test.go:12: reason".
func reason(lines []string) string {
	for _, line := range lines {
		if _, text, ok := strings.Cut(line, "_test.go:"); ok {
			if _, text, ok = strings.Cut(text, ": "); ok {
				return strings.TrimSpace(text)
			}
		}
		if _, text, ok := strings.Cut(line, "need.go:"); ok {
			if _, text, ok = strings.Cut(text, ": "); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	return "no reason given"
}

// measure notes how long a test took.
func (c *count) measure(e event, output []string) {
	t := took{test: short(e.Package) + " " + e.Test, seconds: e.Elapsed}
	for _, line := range output {
		if _, text, ok := strings.Cut(line, ": the machine ran "); ok {
			fmt.Sscanf(text, "%f s, on processors %f s", &t.seconds, &t.compute)
		}
	}
	c.times = append(c.times, t)
}

// printTimes prints what took longest: of the tests with a machine, and of the others
// that have no parts.
func (c *count) printTimes(w io.Writer) {
	slices.SortStableFunc(c.times, func(a, b took) int { return cmp.Compare(b.seconds, a.seconds) })
	var machines, others []string
	var seconds, compute float64
	for _, t := range c.times {
		switch {
		case t.compute > 0:
			seconds, compute = seconds+t.seconds, compute+t.compute
			machines = append(machines, fmt.Sprintf("%s %.0f/%.0f", machineOf.Replace(t.test), t.seconds, t.compute))
		case t.seconds >= 5 && len(others) < 2*most && !c.hasParts(t.test):
			others = append(others, fmt.Sprintf("%s %.0f", t.test, t.seconds))
		}
	}
	if len(machines) > 0 {
		fmt.Fprintf(w, "machines: %d ran %.0f s, on processors %.0f s: %s\n", len(machines), seconds, compute, strings.Join(machines, ", "))
	}
	if len(others) > 0 {
		fmt.Fprintf(w, "longest: %s\n", strings.Join(others, ", "))
	}
}

// machineOf shortens the name of a test in a machine.
var machineOf = strings.NewReplacer("test/vm Test", "", "test/native Test", "native ")

// hasParts reports whether a test has parts that were measured.
func (c *count) hasParts(test string) bool {
	return slices.ContainsFunc(c.times, func(t took) bool { return strings.HasPrefix(t.test, test+"/") })
}

// most is how many skipped tests of one reason are named.
const most = 8

func short(pkg string) string { return strings.TrimPrefix(pkg, "rdgen/") }

func (c *count) print(w io.Writer) {
	c.printTimes(w)
	reasons := make([]string, 0, len(c.skips))
	for r := range c.skips {
		reasons = append(reasons, r)
	}
	slices.Sort(reasons)
	for _, r := range reasons {
		tests, more := c.skips[r], ""
		if n := len(tests) - most; n > 0 {
			tests, more = tests[:most], fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(w, "skipped: %s (%d): %s%s\n", r, len(c.skips[r]), strings.Join(tests, ", "), more)
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", c.pass, c.fail, c.skip)
}
