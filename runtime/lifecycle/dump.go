package lifecycle

import (
	"bytes"
	"fmt"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/draft"
	"rdgen/runtime/dump"
)

// Dump returns the file of a domain that exists, whoever made it. What up would still do with
// that file is a comment in it.
func (h *Host) Dump(id domain.ID) ([]byte, error) {
	t, err := h.find(id)
	if err != nil {
		return nil, err
	}
	if t.file != nil && len(bytes.TrimSpace(t.file.Text)) == 0 {
		t.file = nil // a shell has emptied the file that it is to write this into
	}
	d, err := h.resolve(t)
	if err != nil {
		return nil, err
	}
	w, err := h.open(d.f.Domain.Netns)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	exists := w.Exists()
	if exists && d.f.Kind == conf.VRF {
		exists, err = h.hasVRF(d.f.Domain)
	}
	if err == nil && !exists {
		err = &problem.Error{Msg: fmt.Sprintf("%s does not exist%s", d.f.Domain, h.hint(d))}
	}
	if err != nil {
		return nil, err
	}
	state, err := w.Whole(id, d.f, d.r, notOurs(id))
	if err != nil {
		return nil, w.byItsName(err)
	}
	f := dump.File(state)
	text, err := f.Text(conf.Machine())
	if err != nil {
		return nil, err
	}
	if err := h.noteSteps(d, f, text); err != nil {
		return nil, err
	}
	return f.Text(conf.Machine())
}

// notOurs are links of a domain that no section of its file is about: those that each
// namespace has, and ends of veths that the files of others make.
func notOurs(id domain.ID) map[string]string {
	skip := map[string]string{}
	for _, name := range fallback {
		if name != "lo" {
			skip[name] = ""
		}
	}
	files, _ := Files()
	for _, other := range files {
		f, err := conf.Read(other)
		if err != nil || other == id {
			continue // one that is wrong is its own domain's trouble
		}
		for _, l := range f.Links {
			if l.Kind == "veth" && l.Outer.ID == id {
				skip[l.Peer.String()] = fmt.Sprintf("link %s is the other end of %s, which %s makes", l.Peer, l.Name, f.Path)
			}
		}
	}
	return skip
}

// hint says what may be wrong with the name.
func (h *Host) hint(d *resolved) string {
	if text := h.unknown(d.target); text != "" {
		return "; " + text
	}
	return ""
}

// noteSteps adds what up would do with the file, or why it would not begin.
func (h *Host) noteSteps(d *resolved, f *draft.File, text []byte) error {
	file, err := conf.Parse(conf.Path(d.id), d.id, text, conf.Machine())
	if err != nil {
		return err
	}
	as := *d
	as.file, as.f, as.kind = file, file, ours
	head := f.Find("Domain")
	v, err := h.see(&as)
	if err != nil {
		head.Note("rdomain up would say: " + err.Error())
		return nil
	}
	steps, err := v.steps()
	if err != nil {
		head.Note("rdomain up would say: " + err.Error())
	}
	for _, s := range steps {
		head.Note("rdomain up would do: " + s.String())
	}
	return nil
}
