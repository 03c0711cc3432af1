package lifecycle

import (
	"errors"
	"fmt"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/plan"
)

// Report is what is wrong with a domain.
type Report struct {
	ID string `json:"id"`
	// Problems are in words.
	Problems []string `json:"problems"`
	// Notes are what is not wrong: links that are not there yet, and that up does not wait for.
	Notes []string `json:"notes"`
	// Missing is what reload would do, in the syntax of ip(8).
	Missing []string `json:"missing"`
	// Diff is the same as a diff: from what the kernel has to what the file,
	// whose name is File, wants.
	Diff []string `json:"diff"`
	File string   `json:"file,omitempty"`
	// Error is why the domain could not be looked at; the lists are empty then.
	Error string `json:"error,omitempty"`
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Problems)+len(r.Missing) == 0 }

// Check compares a domain with its file and with what a domain needs.
func (h *Host) Check(id domain.ID) (*Report, error) {
	v, err := h.look(id)
	if err != nil {
		return nil, err
	}
	report := &Report{ID: id.String(), Problems: plan.Problems(v.f, v.have, slices.Concat(v.links, v.later)), Missing: []string{},
		Notes: []string{}, Diff: []string{}, File: v.f.Path}
	for _, name := range v.later {
		report.Notes = append(report.Notes, notYet(name))
	}
	if v.kind == ours {
		report.Problems = append(report.Problems, plan.NotInEffect(v.f, v.have)...)
		report.Problems = append(report.Problems, beside(v.f, v.have, v.links)...)
		dropped, err := h.dropped(v)
		if err != nil {
			return nil, err
		}
		report.Problems = append(report.Problems, dropped...)
	}
	if v.kind == ours && v.exists() {
		report.Problems = append(report.Problems, unleased(v.f, v.r.Leases)...)
	}
	if hint := h.unknown(v.target); hint != "" {
		report.Problems = append(report.Problems, hint)
	}
	if h.isAbandoned(v.id) {
		report.Problems = append(report.Problems, abandoned+"; "+wayOut(v.id))
	}
	report.Problems = append(report.Problems, loose(v.f)...)
	wrong := h.files().With(v.f.Path)
	if v.kind == ours && !v.exists() {
		wrong = append(wrong, h.kernel().Cannot(v.f)...)
	}
	for _, err := range wrong {
		report.Problems = append(report.Problems, err.Error())
		if p, ok := errors.AsType[*problem.Error](err); ok && p.Hint != "" {
			report.Problems[len(report.Problems)-1] += "; " + p.Hint
		}
	}
	if report.Problems == nil {
		report.Problems = []string{}
	}
	steps, err := h.reload(v)
	if p, ok := errors.AsType[*problem.Error](err); ok && p.Temporary {
		report.Problems = append(report.Problems, p.Error())
	} else if err != nil {
		return nil, err
	}
	for _, s := range steps {
		report.Missing = append(report.Missing, s.String())
		report.Diff = append(report.Diff, s.Diff()...)
	}
	if v.kind == awaited && v.f.Kind == conf.VRF && v.exists() {
		if table := v.have.Inside[v.f.Domain.VRF.String()].Table; v.f.Table != 0 && table != v.f.Table {
			report.Problems = append(report.Problems, fmt.Sprintf("vrf %s has table %d, %s says %d",
				v.f.Domain.VRF, table, v.f.Path, v.f.Table))
		}
	}
	return report, nil
}
