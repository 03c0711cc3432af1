package main

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync/atomic"
	"testing"

	"rdgen/generators/tree"
)

// counted is a root that counts what is asked of it.
type counted struct {
	*tree.Root
	calls atomic.Int64
}

func (c *counted) Open(name string) (fs.File, error) { c.calls.Add(1); return c.Root.Open(name) }
func (c *counted) Stat(name string) (fs.FileInfo, error) {
	c.calls.Add(1)
	return c.Root.Stat(name)
}
func (c *counted) Lstat(name string) (fs.FileInfo, error) {
	c.calls.Add(1)
	return c.Root.Lstat(name)
}
func (c *counted) ReadLink(name string) (string, error) {
	c.calls.Add(1)
	return c.Root.ReadLink(name)
}
func (c *counted) ReadDir(name string) ([]fs.DirEntry, error) {
	c.calls.Add(1)
	return c.Root.ReadDir(name)
}

// TestGeneratorWork counts what the generator does at boot for lines that lead to a unit,
// for lines that do not, for both, and for what cannot be read: twice as many lines are
// twice the work, in calls of the file system and in allocations, and no line costs more
// than a few. 4,000 lines without units took 25 s once, and a generator that is killed
// has written nothing.
func TestGeneratorWork(t *testing.T) {
	for name, c := range map[string]struct {
		conf  string
		units bool
		calls float64 // at most, a line
	}{
		"with units":         {"netns=t1\n", true, 12},
		"without units":      {"netns=t1\n", false, 12},
		"a VRF undefined":    {"vrf=nowhere\n", true, 12},
		"that need a shell":  {"netns=$(hostname)\n", false, 12},
		"without either":     {"netns=$(hostname)\nvrf=\n", true, 12},
		"of a socket domain": {"netns=t1\nsocket_domain=default\n", true, 12},
	} {
		t.Run(name, func(t *testing.T) {
			work := func(n int) (calls, allocs float64) {
				root := t.TempDir()
				for i := range n {
					// One that has nothing to do with it, and is searched for hints.
					pairs := []string{fmt.Sprintf("etc/conf.d/svc%d", i), c.conf,
						fmt.Sprintf("usr/lib/systemd/system/other%d.timer", i), "[Timer]\nUnit=job.service\n"}
					if c.units {
						pairs = append(pairs, fmt.Sprintf("usr/lib/systemd/system/svc%d.service", i), "[Service]\nExecStart=/usr/sbin/svc\n")
					}
					write(t, root, pairs...)
				}
				fsys, err := openRoot(root)
				if err != nil {
					t.Fatal(err)
				}
				defer fsys.Close()
				counter := &counted{Root: fsys}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, err := atBoot(counter, false); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				return float64(counter.calls.Load()), float64(after.Mallocs - before.Mallocs)
			}
			const n = 80
			calls, allocs := work(n)
			calls2, allocs2 := work(2 * n)
			if calls2 > 2.1*calls || allocs2 > 2.2*allocs {
				t.Errorf("%d lines: %.0f calls, %.0f allocations; %d lines: %.0f, %.0f", n, calls, allocs, 2*n, calls2, allocs2)
			}
			if calls/n > c.calls {
				t.Errorf("%.1f calls a line; want at most %.0f", calls/n, c.calls)
			}
			t.Logf("a line: %.1f calls, %.0f allocations; twice as many lines: %.2f, %.2f", calls/n, allocs/n, calls2/calls, allocs2/allocs)
		})
	}
}
