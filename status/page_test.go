package status

import (
	"os"
	"strings"
	"testing"

	"rdgen/runtime/lifecycle"
)

// TestPage: docs/status.md shows what is printed.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(page), "    # rdgen status\n")
	if !ok {
		t.Fatal("docs/status.md shows no rdgen status")
	}
	block, _, _ = strings.Cut(block, "\n\n")
	p := proc(812, 1, -1, "/openrc.web", in(""))
	p.Command, p.Listens = "busybox", []Listener{{Protocol: "tcp", Address: "[::]:8081"}}
	d := web(t)
	d.Line = 1
	var got strings.Builder
	err = Of(Machine{Services: []Declared{d}, Processes: []Seen{p}, Domains: []lifecycle.Entry{{ID: "blue", State: "up", Kind: "netns",
		Interfaces: []lifecycle.Interface{{Name: "veth0", Up: true, Addresses: []string{"192.0.2.2/30", "fe80::741c:baff:fe3e:7d59/64"}}}}}}).
		Print(&got, func(s string) string { return s })
	if want := strings.ReplaceAll("\n"+block, "\n    ", "\n")[1:] + "\n"; err != nil || got.String() != want {
		t.Errorf("Print = %v\n%swant, of docs/status.md,\n%s", err, got.String(), want)
	}
}

// TestMonitoringPage: docs/monitoring.md shows what is printed, and names each number.
func TestMonitoringPage(t *testing.T) {
	text, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	m := Of(Machine{Services: []Declared{web(t)}, Processes: []Seen{proc(812, 1, 1, "/openrc.web", in("blue"))}, Domains: []lifecycle.Entry{
		{ID: "blue", State: "up", Kind: "netns", Interfaces: []lifecycle.Interface{{Name: "veth0", Up: true}}}}}).Metrics(noon)
	if want := "rdgen.prom\n    " + strings.Join(m.Changes(""), "\n    ") + "\n\n"; !strings.Contains(page, want) {
		t.Errorf("docs/monitoring.md does not show\n%s", want)
	}
	for _, of := range m {
		if !strings.Contains(page, "`"+of.name+"`") {
			t.Errorf("docs/monitoring.md does not name %s", of.name)
		}
	}
}
