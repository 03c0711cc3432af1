package s6

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	show := func(files []File, err error) []string {
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range files {
			mode := ""
			if f.Executable {
				mode = "*"
			}
			all = append(all, f.Name+mode+"="+string(f.Data))
		}
		return all
	}
	got := show(Longrun{
		Name: "sshd-log", Run: []byte("#!/bin/execlineb -P\ns6-log .\n"), Dependencies: []string{"a", "b"},
		ConsumerFor: []string{"x", "y"}, PipelineName: "p", NotificationFD: 3,
	}.Files())
	want := []string{"sshd-log/type=longrun\n", "sshd-log/run*=#!/bin/execlineb -P\ns6-log .\n", "sshd-log/notification-fd=3\n",
		"sshd-log/dependencies.d/a=", "sshd-log/dependencies.d/b=", "sshd-log/consumer-for=x\ny\n", "sshd-log/pipeline-name=p\n"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Longrun (-want +got):\n%s", d)
	}
	got = show(Oneshot{Name: "rdomain-x@y", Up: []byte("/bin/a\n"), Down: []byte("/bin/b\n"), TimeoutUp: 1000}.Files())
	want = []string{"rdomain-x@y/type=oneshot\n", "rdomain-x@y/up=/bin/a\n", "rdomain-x@y/down=/bin/b\n", "rdomain-x@y/timeout-up=1000\n"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Oneshot (-want +got):\n%s", d)
	}
}

func TestFilesRefuses(t *testing.T) {
	run := []byte("#!/bin/sh\n")
	for want, service := range map[string]interface{ Files() ([]File, error) }{
		"starts as s6-rc's own":          Longrun{Name: "s6rc-x", Run: run},
		"contains a slash":               Oneshot{Name: "a/b"},
		"would be skipped":               Oneshot{Name: "a", Dependencies: []string{".b"}},
		"longer than 255 bytes":          Oneshot{Name: strings.Repeat("x", 256)},
		"name is empty":                  Oneshot{},
		"a newline":                      Longrun{Name: "a", Run: run, ConsumerFor: []string{"b\nc"}},
		"run does not start with \"#!\"": Longrun{Name: "a", Run: []byte("exec x\n")},
	} {
		if files, err := service.Files(); err == nil || files != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Files of %+v = %v, %v; want an error with %q", service, files, err, want)
		}
	}
}
