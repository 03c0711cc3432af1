package generators

import (
	"errors"
	"path"

	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/templates"
)

// S6 makes the s6-rc source directories of a service, of its logger, and of its
// domain.
//
// The run script is execline, as s6 users write it, for these reasons: up and
// down of the domain must be, so there is one language and one way to quote;
// whoever has s6-rc has execline; and nothing in it is expanded unless it says
// so, so a value arrives as it is, and a systemd variable can be given exactly
// the meaning that it has there. rdexec enters the domain while still root, and
// then drops to the user: there is no moment at which the service's own code
// runs outside.
func S6(s Service) (tree.Tree, []string, error) {
	p, err := processOf(s)
	if err != nil {
		return tree.Tree{}, nil, err
	}
	run, err := templates.Render("s6-run", newRun(s, p))
	if err != nil {
		return tree.Tree{}, nil, problem(p.Pos, "", "%v", err)
	}
	log, err := templates.Render("s6-log", logger{Service: s.Name, Dir: "/var/log/" + s.Name})
	if err != nil {
		return tree.Tree{}, nil, err
	}
	var t tree.Tree
	err = errors.Join(
		addSource(&t, s6.Longrun{
			Name: s.Name, Run: run, ProducerFor: s6.Logger(s.Name),
			Dependencies: []string{s6.Rdomain(s.Domain.ID())},
		}),
		addSource(&t, s6.Longrun{
			Name: s6.Logger(s.Name), Run: log, NotificationFD: 3,
			ConsumerFor: []string{s.Name}, PipelineName: s6.Pipeline(s.Name),
		}),
		addDomain(&t, s.Domain),
	)
	if err != nil {
		return tree.Tree{}, nil, problem(openrc.Pos{File: s.Name}, "", "%v", err)
	}
	return t, p.notes(), nil
}

// run is the data of templates/s6-run.tmpl.
type run struct {
	From, Again string
	Notes       []string
	Enter       []string
	process
}

// logger is the data of templates/s6-log.tmpl.
type logger struct{ Service, Dir string }

func newRun(s Service, p process) run {
	enter := domain.Command{Domain: s.Domain, User: p.User}
	return run{
		From: s.from(p.Pos.File), Again: s.again("s6"), Notes: p.Notes,
		Enter: append([]string{rdexec}, enter.Options()...), process: p,
	}
}

// upTimeout is how long a domain may take to come up, in milliseconds. s6-rc
// waits for ever if nobody says how long.
const upTimeout = 60_000

// addDomain adds the oneshot of a domain, and of the namespace that it is in.
func addDomain(t *tree.Tree, d domain.Domain) error {
	o := s6.Oneshot{Name: s6.Rdomain(d.ID()), TimeoutUp: upTimeout}
	if outer, nested := namespace(d); nested {
		if err := addDomain(t, outer); err != nil {
			return err
		}
		o.Dependencies = []string{s6.Rdomain(outer.ID())}
	}
	var err error
	for verb, text := range map[string]*[]byte{"up": &o.Up, "down": &o.Down} {
		*text, err = templates.Render("s6-"+verb, oneshot{d, []string{rdomain, verb, d.ID()}})
		if err != nil {
			return err
		}
	}
	return addSource(t, o)
}

// oneshot is the data of templates/s6-up.tmpl and s6-down.tmpl.
type oneshot struct {
	Domain  domain.Domain
	Command []string
}

func addSource(t *tree.Tree, service interface{ Files() ([]s6.File, error) }) error {
	files, err := service.Files()
	if err != nil {
		return err
	}
	for _, f := range files {
		out := tree.File{Path: path.Join(s6.Source, f.Name), Mode: 0o644, Data: f.Data}
		if f.Executable {
			out.Mode = 0o755
		}
		if err := t.Add(out); err != nil {
			return err
		}
	}
	return nil
}
