package kernel

import (
	"errors"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/netns"
	"rdgen/runtime/nft"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// readRuleset reads the ruleset of a namespace, and has it loaded in a namespace that has
// no name and is gone at once: so it is known to be right before anything is made, and
// what nft will list of it, by which it is compared.
func (in *Inputs) readRuleset(f *conf.File) error {
	if f.Firewall == "" {
		return nil
	}
	fail := func(err error) *problem.Error {
		if p, ok := errors.AsType[*problem.Error](err); ok {
			return p // has its own place
		}
		return problem.New(f.At(f.FirewallLine), "Firewall=%s: %w", f.Firewall, err)
	}
	if _, err := nft.Program(); err != nil {
		e := fail(err).WithHint("install it: the package is nftables")
		e.Temporary = true
		return e
	}
	text, err := f.Ruleset(f.Root)
	if err != nil {
		return fail(err)
	}
	whole := text
	err = netns.Scratch(func() error {
		err := nft.Load("", text, f.Firewall)
		if err == nil {
			in.ruleset, err = nft.List()
		}
		if err == nil && strings.Contains(text, "include") { // other files, which are to be noted too
			whole, err = nft.ListAll()
		}
		return err
	})
	if err != nil {
		return fail(err)
	}
	r := object.Firewall{Tables: in.ruleset}
	if in.ruleset = object.Only(in.ruleset, r.Names()); in.ruleset == "" {
		return problem.New(problem.Pos{File: f.Firewall}, "makes no table; without a ruleset, leave out Firewall= (%s)", f.At(f.FirewallLine))
	}
	in.firewall = text
	f.Note(f.Firewall, []byte(whole))
	return nil
}

// readFirewall reads those tables of the domain's namespace that have one of the names.
func (s *Session) readFirewall(names []string, have *plan.State) error {
	have.Ruleset = s.Inputs.ruleset
	if len(names) == 0 || !have.Exists {
		return nil
	}
	return s.inside(s.Netns, func() error {
		list, err := nft.List()
		if errors.Is(err, nft.ErrNotInstalled) && have.Ruleset == "" {
			return nil // what is recorded goes with its namespace all the same
		}
		have.Firewall = object.Only(list, names)
		return err
	})
}

// doFirewall loads the ruleset in place of the one that is there, or deletes its tables.
// One that is not that of the file, but what was there before, is loaded as it was listed.
func (s *Session) doFirewall(verb object.Verb, t object.Firewall) error {
	text := t.Tables
	switch {
	case verb == object.Delete:
		text = ""
	case text == s.Inputs.ruleset:
		text = s.Inputs.firewall
	}
	return s.inside(t.Netns, func() error { return nft.Load(t.Clear(), text, t.File) })
}
