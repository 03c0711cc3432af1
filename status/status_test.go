package status

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"rdgen/runtime/domain"
	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
	"rdgen/runtime/process"
	"rdgen/services"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// proc is a process that began minutes after noon.
func proc(pid, parent, minutes int, cgroup string, at identify.Location) Seen {
	at.PID, at.Command = pid, "webd"
	return Seen{At: at, Process: process.Process{PID: pid, Parent: parent, Session: pid, State: 'S', Command: "webd",
		Began: noon.Add(time.Duration(minutes) * time.Minute), Cgroup: cgroup}}
}

func in(id string) identify.Location { return identify.Location{ID: id, Netns: id} }

// web is a service in the namespace blue, as three init systems have it.
func web(t *testing.T) Declared {
	t.Helper()
	blue, err := domain.Parse("blue", "")
	if err != nil {
		t.Fatal(err)
	}
	return Declared{Name: "web", Domain: blue, File: "/etc/conf.d/web", Line: 3, Changed: noon, Traces: []services.Trace{
		{Init: "openrc", Units: []string{"web"}, Supervised: "web", PIDFiles: []services.PIDFile{{PID: 30, Written: noon}}, Restart: "rc-service web restart"},
		{Init: "s6", Supervised: "web-srv", Restart: "s6-svc -r /run/service/web-srv"},
		{Init: "systemd", Units: []string{"web.service", "web@.service"}, Restart: "systemctl restart web.service"},
	}}
}

func TestDrift(t *testing.T) {
	unit := "/system.slice/web.service"
	supervisor := proc(5, 1, 0, "/s6", identify.Location{})
	supervisor.Supervises = "web-srv"
	with := func(p Seen, f func(*Seen)) Seen { f(&p); return p }
	for _, c := range []struct {
		name      string
		processes []Seen
		kinds     string // of the drift, and "?" for each thing that is not seen
		main      int
	}{
		{"nothing runs", []Seen{proc(10, 1, 1, "/other", in(""))}, "", 0},
		{"inside", []Seen{proc(10, 1, 1, unit, in("blue")), proc(11, 10, 1, unit, in("blue"))}, "", 10},
		{"an instance", []Seen{proc(10, 1, 1, "/system.slice/system-web.slice/web@a.service", in("red"))}, "elsewhere", 10},
		{"elsewhere", []Seen{proc(10, 1, 1, unit, in("red"))}, "elsewhere", 10},
		{"outside", []Seen{proc(10, 1, 1, "/openrc.web", in(""))}, "elsewhere", 10},
		{"one of two outside", []Seen{proc(10, 1, 1, unit, in("blue")), proc(11, 1, 1, unit, in(""))}, "elsewhere", 10},
		{"before the file", []Seen{proc(10, 1, -1, unit, in(""))}, "before", 10},
		{"a name that was made again", []Seen{proc(10, 1, 1, unit, identify.Location{Unnamed: true})}, "gone", 10},
		{"outlived", []Seen{proc(10, 1, 1, unit, identify.Location{Unnamed: true, Outlived: "blue"})}, "gone", 10},
		{"a vrf that is gone", []Seen{proc(10, 1, 1, unit, identify.Location{Gone: true})}, "gone", 10},
		{"isolates itself", []Seen{proc(10, 1, 1, unit, in("blue")), proc(11, 10, 1, unit, identify.Location{Unnamed: true})}, "", 10},
		{"an orphan in what is gone", []Seen{proc(10, 1, 1, unit, in("blue")), proc(11, 1, 1, unit, identify.Location{Unnamed: true})}, "gone", 10},
		{"unguarded", []Seen{proc(10, 1, 1, unit, identify.Location{ID: "blue", Leaves: true})}, "unguarded", 10},
		{"delegated", []Seen{proc(10, 1, 1, unit, identify.Location{ID: "blue", Delegated: "user 7 can"})}, "unguarded", 10},
		{"resolver", []Seen{with(proc(10, 1, 1, unit, in("blue")), func(p *Seen) { p.HostResolver = true })}, "resolver", 10},
		{"systemd's own for PAM", []Seen{proc(10, 1, 1, unit, in("blue")), with(proc(11, 10, 1, unit, in("")), func(p *Seen) { p.ClosesPAM = true })}, "", 10},
		{"the same by the host's names", []Seen{proc(10, 1, 1, unit, in("blue")), with(proc(11, 10, 1, unit, in("blue")), func(p *Seen) { p.ClosesPAM, p.HostResolver = true, true })}, "", 10},
		{"the same with main outside", []Seen{proc(10, 1, 1, unit, in("")), with(proc(11, 10, 1, unit, in("")), func(p *Seen) { p.ClosesPAM = true })}, "elsewhere", 10},
		{"one so called", []Seen{proc(10, 1, 1, unit, in("blue")), with(proc(11, 10, 1, unit, in("")), func(p *Seen) { p.Command = "(sd-pam)" })}, "elsewhere", 10},
		{"the same of a child", []Seen{proc(10, 1, 1, unit, in("blue")), proc(11, 10, 1, unit, in("blue")),
			with(proc(12, 11, 1, unit, in("")), func(p *Seen) { p.ClosesPAM = true })}, "elsewhere", 10},
		{"socket", []Seen{with(proc(10, 1, 1, unit, in("blue")), func(p *Seen) {
			p.Listens = []Listener{{"tcp", "[::]:80", true, false}, {"tcp", "[::]:81", false, false}}
		})}, "socket", 10},
		{"deaf", []Seen{with(proc(10, 1, 1, unit, in("blue")), func(p *Seen) { p.Listens = []Listener{{"tcp", "[::]:80", false, true}} })}, "gone", 10},
		{"refused", []Seen{with(proc(10, 1, 1, unit, identify.Location{}), func(p *Seen) { p.Unseen = "only root" })}, "?", 10},
		{"vrf not known", []Seen{proc(10, 1, 1, unit, identify.Location{Unknown: "no programs"})}, "?", 10},

		{"supervised", []Seen{supervisor, proc(10, 5, 1, "/s6", in("red"))}, "elsewhere", 10},
		{"left alone by a supervised one", []Seen{supervisor, proc(10, 5, 1, "/s6", in("blue")),
			with(proc(11, 1, 1, "/s6", in("red")), func(p *Seen) { p.Session = 10 })}, "elsewhere", 10},
		{"another's supervisor", []Seen{with(supervisor, func(p *Seen) { p.Supervises = "mail" }), proc(10, 5, 1, "/s6", in("red"))}, "", 0},
		{"pid file", []Seen{proc(30, 1, -1, "", in("red"))}, "before", 30},
		{"pid file of one that is gone", []Seen{proc(30, 1, 1, "", in("red"))}, "", 0},
		{"OpenRC's own", []Seen{with(proc(10, 1, 1, "/openrc.web", in("")), func(p *Seen) { p.Command = "openrc-run.sh" })}, "", 0},
		{"a child in another's cgroup", []Seen{proc(10, 1, 1, unit, in("blue")), proc(11, 10, 1, "/system.slice/job.service", in(""))}, "", 10},
	} {
		r := Of(Machine{Services: []Declared{web(t)}, Processes: c.processes})
		s := r.Domains[0].Services[0]
		kinds := strings.Repeat("?", len(r.Unseen))
		for _, d := range s.Drift {
			kinds += string(d.Kind)
		}
		if kinds != c.kinds || s.Main != c.main || r.Wrong() != (c.kinds != "") || r.Drift != len(s.Drift) {
			t.Errorf("%s: drift %q, main %d, wrong %v, %d drifts; want %q, %d\n%+v", c.name, kinds, s.Main, r.Wrong(), r.Drift, c.kinds, c.main, s)
		}
		if state := map[bool]string{true: "running", false: "stopped"}[c.main != 0]; s.State != state {
			t.Errorf("%s: is %s; want %s", c.name, s.State, state)
		}
	}
}

// TestRecorded: what OpenRC has recorded of the start says more than the times do.
func TestRecorded(t *testing.T) {
	d := web(t)
	for recorded, want := range map[string]Kind{"@red": Before, "mgmt@red": Elsewhere, "@blue": Elsewhere} {
		d.Traces[0].Recorded = recorded
		r := Of(Machine{Services: []Declared{d}, Processes: []Seen{proc(10, 1, 1, "/openrc.web", in("red"))}})
		if got := r.Domains[0].Services[0].Drift; len(got) != 1 || got[0].Kind != want {
			t.Errorf("recorded %s: drift %+v; want %s", recorded, got, want)
		}
	}
}

// TestOthers: who is in a domain without being put there is said, and what is broken too.
func TestOthers(t *testing.T) {
	m := Machine{
		Services: []Declared{web(t), {Name: "mail", File: "/etc/conf.d/mail", Line: 2, Error: "needs a shell"}},
		Domains: []lifecycle.Entry{{ID: "blue", State: "up", Kind: "netns", Links: []string{"veth0"},
			Interfaces: []lifecycle.Interface{{Name: "veth0", Kind: "veth", Up: true, Addresses: []string{"192.0.2.2/30"}}}}},
		Processes: []Seen{proc(40, 1, 1, "/system.slice/ntp.service", in("blue")), proc(41, 1, 1, "", in("aaa"))},
	}
	var text strings.Builder
	r := Of(m)
	if err := r.Print(&text, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	const want = `aaa: down
  other  webd  41  of no service

blue: up, netns
  link     veth0  up  192.0.2.2/30
  service  web    -   stopped
  other    webd   40  of ntp.service, which no file puts here
!! mail: /etc/conf.d/mail:2: needs a shell
`
	if text.String() != want || !r.Wrong() {
		t.Errorf("Print = %s\nwant %s", text.String(), want)
	}
	if data, err := json.Marshal(r); err != nil || strings.Contains(string(data), "null") {
		t.Errorf("JSON = %s, %v; want a list where there is none", data, err)
	}
}

// TestReopen: a socket of the default domain is given up by its unit, not by the service alone.
func TestReopen(t *testing.T) {
	d := web(t)
	d.Traces[2].Reopen = "systemctl restart web.service web.socket"
	p := proc(10, 1, 1, "/system.slice/web.service", in("blue"))
	p.Listens = []Listener{{"tcp", "[::]:80", true, false}}
	got := Of(Machine{Services: []Declared{d}, Processes: []Seen{p}}).Domains[0].Services[0].Drift
	if len(got) != 1 || got[0].Hint != d.Traces[2].Reopen {
		t.Errorf("drift %+v; want the hint %s", got, d.Traces[2].Reopen)
	}
}

// TestHint: a service of s6 that is only in a wrong place is started once more; one whose file
// has changed is made again before.
func TestHint(t *testing.T) {
	supervisor := proc(5, 1, 0, "/s6", identify.Location{})
	supervisor.Supervises, supervisor.Dir = "web-srv", "/run/service/web"
	for minutes, want := range map[int]string{1: "s6-svc -r /run/service/web", -1: "s6-svc -r /run/service/web-srv"} {
		r := Of(Machine{Services: []Declared{web(t)}, Processes: []Seen{supervisor, proc(10, 5, minutes, "/s6", in("red"))}})
		if got := r.Domains[0].Services[0].Drift; len(got) != 1 || got[0].Hint != want {
			t.Errorf("started %d minutes after the file: %+v; want %s", minutes, got, want)
		}
	}
}

// TestInstances: one with a file of its own is not the template's, and the others are what the hint
// names: systemctl restart app@.service is refused.
func TestInstances(t *testing.T) {
	d := web(t)
	d.Name, d.Traces = "app@", []services.Trace{{Init: "systemd", Units: []string{"app@.service"}, Apart: []string{"app@x.service"}}}
	r := Of(Machine{Services: []Declared{d}, Processes: []Seen{
		proc(10, 1, 1, "/system.slice/system-app.slice/app@x.service", in("red")),
		proc(11, 1, 1, "/system.slice/system-app.slice/app@2.service", in("red")),
		proc(12, 11, 1, "/system.slice/system-app.slice/app@2.service", in("red")),
		proc(13, 1, 1, "/system.slice/system-app.slice/app@1.service", in("")),
	}})
	var pids []int
	for _, d := range r.Domains[0].Services[0].Drift {
		pids = append(pids, d.PID)
		if want := "systemctl daemon-reload && systemctl restart app@1.service app@2.service"; d.Hint != want {
			t.Errorf("%d: hint %s; want %s", d.PID, d.Hint, want)
		}
	}
	if !slices.Equal(pids, []int{11, 12, 13}) {
		t.Errorf("drift of %v; want 11, 12 and 13", pids)
	}
}

// TestLasting: what stood at the first look counts at the second one, and nothing else.
func TestLasting(t *testing.T) {
	unit := "/system.slice/web.service"
	look := func(processes ...Seen) Report { return Of(Machine{Services: []Declared{web(t)}, Processes: processes}) }
	for _, c := range []struct {
		name           string
		earlier, later Report
		drift          int
	}{
		{"stays", look(proc(10, 1, 1, unit, in(""))), look(proc(10, 1, 1, unit, in(""))), 1},
		{"has arrived", look(proc(10, 1, 1, unit, in(""))), look(proc(10, 1, 1, unit, in("blue"))), 0},
		{"another one starts", look(proc(10, 1, 1, unit, in(""))), look(proc(10, 1, 1, unit, in("blue")), proc(11, 10, 1, unit, in(""))), 0},
		{"goes elsewhere", look(proc(10, 1, 1, unit, in(""))), look(proc(10, 1, 1, unit, identify.Location{Unnamed: true})), 1},
	} {
		got := Lasting(c.earlier, c.later)
		if n := len(got.Domains[0].Services[0].Drift); got.Drift != c.drift || n != c.drift {
			t.Errorf("%s: %d drifts, %d in the service; want %d", c.name, got.Drift, n, c.drift)
		}
	}
}

// TestWaiting: a socket at which systemd listens for a service is where it should not be in
// another domain, unless that is meant, or a process of the service has it too.
func TestWaiting(t *testing.T) {
	at := Listener{Protocol: "tcp", Address: "0.0.0.0:80"}
	waits := []Waiting{{Unit: "web.socket", Listener: at}}
	has := proc(10, 1, 1, "/system.slice/web.service", in("blue"))
	has.Listens = []Listener{{Protocol: "tcp", Address: "0.0.0.0:80", Outside: true}}
	inner, err := domain.Parse("", "mgmt")
	if err != nil {
		t.Fatal(err)
	}
	const restart, reopen = "systemctl daemon-reload && systemctl restart web.socket", "stop and start"
	for name, c := range map[string]struct {
		change func(*Declared, *Waiting)
		runs   []Seen
		hints  []string
	}{
		"waits":              {hints: []string{restart}},
		"another's":          {change: func(_ *Declared, w *Waiting) { w.Unit = "webby.socket" }},
		"an instance's":      {change: func(d *Declared, w *Waiting) { d.Traces[2].Sockets, w.Unit = []string{"web@.socket"}, "web@a.socket" }, hints: []string{"systemctl daemon-reload && systemctl restart web@a.socket"}},
		"bound to a link":    {change: func(_ *Declared, w *Waiting) { w.Bound = true }, hints: []string{restart}},
		"bound, of a VRF":    {change: func(d *Declared, w *Waiting) { d.Domain, w.Bound = inner, true }},
		"not bound, of one":  {change: func(d *Declared, _ *Waiting) { d.Domain = inner }, hints: []string{restart}},
		"is to stay":         {change: func(d *Declared, _ *Waiting) { d.SocketsStay = true }},
		"in another one":     {change: func(_ *Declared, w *Waiting) { w.Netns = "red" }, hints: []string{restart}},
		"where it belongs":   {change: func(_ *Declared, w *Waiting) { w.Netns = "blue" }},
		"not, of a VRF":      {change: func(d *Declared, w *Waiting) { d.Domain, w.Netns, w.Bound = inner, "blue", true }, hints: []string{restart}},
		"is to stay outside": {change: func(d *Declared, w *Waiting) { d.SocketsStay, w.Netns = true, "blue" }, hints: []string{restart}},
		"a process has it":   {runs: []Seen{has}, hints: []string{reopen}},
		"beside the service": {runs: []Seen{proc(10, 1, 1, "/system.slice/web.service", in("blue"))}, hints: []string{reopen}},
	} {
		d := web(t)
		d.Traces = d.Traces[2:]
		d.Traces = append([]services.Trace{{Init: "openrc"}, {Init: "s6"}}, d.Traces...)
		d.Traces[2].Sockets, d.Traces[2].Reopen = []string{"web.socket"}, reopen
		w := waits[0]
		if c.change != nil {
			c.change(&d, &w)
		}
		r := Of(Machine{Services: []Declared{d}, Processes: c.runs, Waiting: []Waiting{w}})
		var hints []string
		for _, drift := range r.Domains[0].Services[0].Drift {
			if drift.Kind != Socket {
				t.Errorf("%s: %+v", name, drift)
			}
			hints = append(hints, drift.Hint)
		}
		if !slices.Equal(hints, c.hints) || r.Drift != len(c.hints) {
			t.Errorf("%s: the commands are %q, of %d; want %q", name, hints, r.Drift, c.hints)
		}
	}
}

// TestMovesWithSocket: the command for a process of before gives it other sockets too, where
// systemd listens for it in another domain.
func TestMovesWithSocket(t *testing.T) {
	d := web(t)
	d.Traces = []services.Trace{{Init: "systemd", Units: []string{"web.service"}, Sockets: []string{"web.socket"}, Restart: "restart", Reopen: "stop and start"}}
	runs := []Seen{proc(10, 1, 1, "/system.slice/web.service", in("red"))}
	for netns, want := range map[string]string{"": "stop and start", "red": "stop and start", "blue": "restart"} {
		w := Waiting{Unit: "web.socket", Netns: netns, Listener: Listener{Protocol: "tcp", Address: "0.0.0.0:80"}}
		r := Of(Machine{Services: []Declared{d}, Processes: runs, Waiting: []Waiting{w}})
		if drift := r.domain("blue").Services[0].Drift; len(drift) == 0 || drift[0].PID != 10 || drift[0].Hint != want {
			t.Errorf("with a socket in %q: %+v; want %q", netns, drift, want)
		}
	}
}
