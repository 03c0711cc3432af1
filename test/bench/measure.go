package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// alternate runs a and b in turn, n times each after one warming run, and
// returns their times in microseconds.
func alternate(n int, a, b func() (float64, error)) (as, bs []float64, err error) {
	for i := range n + 1 {
		ta, err := a()
		if err != nil {
			return nil, nil, err
		}
		tb, err := b()
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			as, bs = append(as, ta), append(bs, tb)
		}
	}
	return as, bs, nil
}

// spawn measures argv from its start to its end without a pipe in between.
func spawn(argv []string) func() (float64, error) {
	return func() (float64, error) {
		start := time.Now()
		p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}})
		if err != nil {
			return 0, err
		}
		state, err := p.Wait()
		took := time.Since(start)
		if err != nil || !state.Success() {
			return 0, fmt.Errorf("%s: %v %v", strings.Join(argv, " "), state, err)
		}
		return float64(took) / 1e3, nil
	}
}

// timed measures argv, whose output is dropped, and then cleans up unmeasured.
func timed(argv []string, cleanup func() error) func() (float64, error) {
	return func() (float64, error) {
		var stderr bytes.Buffer
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stderr = &stderr
		start := time.Now()
		err := cmd.Run()
		took := time.Since(start)
		if err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", argv[0], err, stderr.String())
		}
		if cleanup != nil {
			err = cleanup()
		}
		return float64(took) / 1e3, err
	}
}

func run(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(len(argv), 4)], " "), err, out)
	}
	return nil
}

func row(what, against string, ours, theirs []float64, budget float64) {
	a, b := median(ours), median(theirs)
	verdict, limit := "", ""
	if budget > 0 {
		limit, verdict = fmt.Sprintf("%.2f", budget), "met"
		if a/b > budget {
			verdict = "NOT MET"
		}
	}
	fmt.Printf("| %-46s | %-34s | %6.2f ms | %6.2f ms | %6.2f | %6s | %s |\n", what, against, a/1e3, b/1e3, a/b, limit, verdict)
}

func limit(what, unit string, value, budget float64) {
	verdict := "met"
	if value > budget {
		verdict = "NOT MET"
	}
	fmt.Printf("| %-46s | %-34s | %6.2f %-2s |           |        | %6.2f | %s |\n", what, "", value, unit, budget, verdict)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func release() string {
	data, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(data))
}
