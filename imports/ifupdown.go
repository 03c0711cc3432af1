package imports

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
)

// stanza is an iface of /etc/network/interfaces, or a part of one.
type stanza struct {
	at      problem.Pos
	name    string
	options []item
}

// ifupdown reads interfaces(5) as ifupdown, ifupdown-ng and ifupdown2 have it.
func (r *reader) ifupdown(file string) error {
	stanzas, err := r.interfaces(file)
	if err != nil {
		return err
	}
	templates := map[string][]item{}
	var list []stanza
	for _, s := range stanzas {
		if name, ok := strings.CutPrefix(s.name, "template "); ok {
			templates[name] = append(templates[name], s.options...)
			continue
		}
		list = append(list, s)
	}
	for _, s := range list {
		if s.options, err = (heirs{templates, list, s.at}).options(s.options, []string{s.name}); err != nil {
			return err
		}
		if err := r.iface(s); err != nil {
			return err
		}
	}
	return nil
}

// heirs are stanzas that inherit; at is the one that is looked at.
type heirs struct {
	templates map[string][]item
	list      []stanza
	at        problem.Pos
}

// mostOptions is how many options a stanza may have with all that it inherits.
const mostOptions = 10000

// options puts the options of templates, or of other stanzas, before those of a stanza; of
// are the names of those that inherit.
func (h heirs) options(options []item, of []string) (all []item, err error) {
	for _, o := range options {
		from, ok := h.templates[o.value]
		for _, s := range h.list {
			if s.name == o.value && !ok {
				from = append(from, s.options...)
			}
		}
		switch {
		case o.key != "inherits" || len(from) == 0:
			all = append(all, o)
		case slices.Contains(of, o.value):
			return nil, problem.New(o.at, "%s inherits itself", o.value)
		default:
			more, err := h.options(from, append(slices.Clip(of), o.value))
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		if len(all) > mostOptions {
			return nil, problem.New(h.at, "has more than %d options with what it inherits", mostOptions)
		}
	}
	return all, nil
}

// mostFiles is how many files are read that name each other.
const mostFiles = 1000

// interfaces reads the stanzas of a file and of those that it names.
func (r *reader) interfaces(file string) (list []stanza, err error) {
	if r.depth++; r.depth > 16 {
		return nil, problem.New(problem.Pos{File: file}, "files name each other in a circle")
	}
	if r.files++; r.files > mostFiles {
		return nil, problem.New(problem.Pos{File: file}, "files name more than %d others", mostFiles)
	}
	defer func() { r.depth-- }()
	data, err := r.open(file)
	if err != nil {
		return nil, err
	}
	if n := commentGoesOn(string(data)); n != 0 {
		return nil, problem.New(problem.Pos{File: file, Line: n}, "a comment that ends in a backslash: ifupdown reads the next line, ifupdown2 does not; "+
			"take the backslash away")
	}
	var s *stanza
	for n, text := range logicalLines(string(data), "#", false) {
		at := problem.Pos{File: file, Line: n}
		word, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case word[0] == '%':
			return nil, problem.New(at, "a line of a template; ifquery -a of ifupdown2 prints what it becomes: read that")
		case word == "source" || word == "source-directory":
			more, err := r.sourced(at, file, word, rest)
			if err != nil {
				return nil, err
			}
			list, s = append(list, more...), nil
		case word == "auto" || strings.HasPrefix(word, "allow-") || word == "no-auto-down" || word == "no-scripts":
			s = nil // a domain's links are up with it
		case word == "iface" || word == "template" || word == "vlan" && s == nil || word == "interface":
			words := strings.Fields(rest)
			if len(words) == 0 {
				return nil, problem.New(at, "expected %s NAME", word)
			}
			list = append(list, stanza{at: at, name: words[0]})
			s = &list[len(list)-1]
			if word == "template" {
				s.name = "template " + words[0]
			}
			s.header(at, words[1:])
		case word == "mapping" || word == "rename":
			list = append(list, stanza{at: at, name: "mapping"})
			s = &list[len(list)-1]
			r.left = append(r.left, lineNote(at, word+" "+rest+" has no counterpart"))
		case s == nil:
			// No word of it: root may have been asked to read any file.
			return nil, problem.New(at, "the line stands in no iface; expected iface NAME, auto NAME or source FILE")
		default:
			s.options = append(s.options, item{at, optionName(word), rest})
		}
	}
	return list, nil
}

// header reads what stands behind the name: a family, a method, and inherits.
func (s *stanza) header(at problem.Pos, words []string) {
	family := "inet"
	for i, w := range words {
		switch w {
		case "inet", "inet6":
			family = w
		case "inherits":
			if i+1 < len(words) {
				s.options = append(s.options, item{at, "inherits", words[i+1]})
			}
			return
		default:
			s.options = append(s.options, item{at, "method", family + " " + w})
		}
	}
	if family == "inet6" {
		s.options = append(s.options, item{at, "family", family})
	}
}

// optionName spells an option as ifupdown-ng does.
func optionName(word string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "_", "-")
	if ours, ok := map[string]string{"vrf": "vrf-member", "up": "post-up", "down": "pre-down", "hwaddress": "link-address",
		"dns-nameserver": "dns-nameservers", "dns-domain": "dns-search", "link-addr": "link-address",
		"vlan-parent": "vlan-raw-device", "peer-name": "veth-peer-name", "tunnel-endpoint": "tunnel-remote",
		"tunnel-physdev": "tunnel-dev", "vxlan-local-tunnelip": "vxlan-local", "vxlan-local-ip": "vxlan-local", "vxlan-remoteip": "vxlan-remote",
		"vxlan-remote-ip": "vxlan-remote", "vxlan-peer-ips": "vxlan-remote", "vxlan-svcnodeip": "vxlan-remote", "vxlan-port": "vxlan-dstport"}[word]; ok {
		return ours
	}
	return word
}

// sourced reads the files that a line names by patterns.
func (r *reader) sourced(at problem.Pos, file, word, patterns string) (list []stanza, err error) {
	for pattern := range strings.FieldsSeq(patterns) {
		if strings.ContainsAny(pattern, "$~{`\"'\\") {
			r.noteIn(at, word+" "+pattern+": only *, ? and [] are followed; name the files")
			continue
		}
		if !path.IsAbs(pattern) {
			pattern = path.Join(path.Dir(file), pattern)
		}
		if word == "source-directory" {
			pattern = path.Join(pattern, "*")
		}
		found, err := fs.Glob(r.root, strings.TrimPrefix(path.Clean(pattern), "/"))
		if err != nil {
			return nil, problem.New(at, "%s: %w", pattern, err)
		}
		if len(found) == 0 && !strings.ContainsAny(pattern, "*?[") {
			r.noteIn(at, pattern+" is not there")
		}
		slices.Sort(found)
		for _, name := range found {
			if why := r.notSourced(name, word == "source-directory"); why != "" {
				r.noteIn(at, "/"+name+" "+why)
				continue
			}
			more, err := r.interfaces("/" + name)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	return list, nil
}

// notSourced says why a file that is named is not read, "" if it is.
func (r *reader) notSourced(name string, ofFolder bool) string {
	info, err := fs.Stat(r.root, name)
	switch {
	case err != nil:
		return "is not there: " + problem.Cause(err).Error()
	case info.IsDir():
		return "is a folder, which is not read"
	case ofFolder && strings.Contains(path.Base(name), "."):
		return "has a dot in its name, so it is not read"
	}
	return ""
}
