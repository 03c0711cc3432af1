package status

import (
	"slices"
	"testing"

	"rdgen/runtime/identify"
)

// TestOutside: rdgen check was content with services that ran in no domain, or in another one.
func TestOutside(t *testing.T) {
	unit := "/system.slice/web.service"
	const began, hint = ": it was started before /etc/conf.d/web:3 said so", "; systemctl restart web.service"
	refused := proc(10, 1, 1, unit, identify.Location{})
	refused.Unseen = "only root may look at it"
	other := refused
	other.PID = 11
	for _, c := range []struct {
		name, first string
		processes   []Seen
		want        []string
	}{
		{"nothing runs", "", nil, nil},
		{"inside", "", []Seen{proc(10, 1, 1, unit, in("blue"))}, nil},
		{"outside", "", []Seen{proc(10, 1, -1, unit, in(""))}, []string{"web: process 10 (webd) is in the default domain and not in netns blue" + began + hint}},
		{"three", "", []Seen{proc(10, 1, -1, unit, in("")), proc(11, 10, -1, unit, in("")), proc(12, 10, -1, unit, in(""))},
			[]string{"web: process 10 (webd), like 2 more, is in the default domain and not in netns blue" + began + hint}},
		{"two ways", "", []Seen{proc(10, 1, -1, unit, in("")), proc(11, 10, 1, unit, in("red"))}, []string{
			"web: process 10 (webd) is in the default domain and not in netns blue" + began + hint,
			"web: process 11 (webd) is in red and not in netns blue" + hint}},
		{"with errors", "without errors: ", []Seen{proc(10, 1, 1, unit, in("red"))},
			[]string{"web: process 10 (webd) is in red and not in netns blue; without errors: systemctl restart web.service"}},
		{"not seen", "", []Seen{refused}, []string{"whether services run in their domains was not seen of all: web: process 10 (webd): only root may look at it"}},
		{"two not seen", "", []Seen{refused, other}, []string{"whether services run in their domains was not seen of all: web: process 10 (webd): only root may look at it (and 1 more)"}},
	} {
		if got := Of(Machine{Services: []Declared{web(t)}, Processes: c.processes}).Outside(c.first); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%q; want\n%q", c.name, got, c.want)
		}
	}
}

// TestOutsideWithoutCommand: what no init system has, none can restart.
func TestOutsideWithoutCommand(t *testing.T) {
	s := Service{Name: "web", Processes: []Process{{PID: 10, Command: "webd"}}, Drift: []Drift{{Elsewhere, 10, "web: process 10 (webd) is in red", ""}}}
	got := Report{Domains: []Domain{{Services: []Service{s}}}}.Outside("")
	if want := []string{"web: process 10 (webd) is in red"}; !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
}
