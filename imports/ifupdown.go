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
		s.options = inherited(s.options, templates, list, 0)
		if err := r.iface(s); err != nil {
			return err
		}
	}
	return nil
}

// inherited puts the options of templates, or of other stanzas, before those of a stanza.
func inherited(options []item, templates map[string][]item, list []stanza, depth int) (all []item) {
	for _, o := range options {
		from, ok := templates[o.value]
		for _, s := range list {
			if s.name == o.value && !ok {
				from = append(from, s.options...)
			}
		}
		if o.key == "inherits" && len(from) > 0 && depth < 8 {
			all = append(all, inherited(from, templates, list, depth+1)...)
		} else {
			all = append(all, o)
		}
	}
	return all
}

// interfaces reads the stanzas of a file and of those that it names.
func (r *reader) interfaces(file string) (list []stanza, err error) {
	if r.depth++; r.depth > 16 {
		return nil, problem.New(problem.Pos{File: file}, "files name each other in a circle")
	}
	defer func() { r.depth-- }()
	data, err := r.open(file)
	if err != nil {
		return nil, err
	}
	var s *stanza
	for n, text := range logicalLines(string(data)) {
		at := problem.Pos{File: file, Line: n}
		word, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
		rest = strings.TrimSpace(rest)
		switch {
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
			return nil, problem.New(at, "%q stands in no iface; expected iface NAME, auto NAME or source FILE", word)
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
		"bridge-access": "bridge-vlans", "vlan-parent": "vlan-raw-device", "peer-name": "veth-peer-name", "tunnel-endpoint": "tunnel-remote",
		"tunnel-physdev": "tunnel-dev", "vxlan-local-tunnelip": "vxlan-local", "vxlan-local-ip": "vxlan-local", "vxlan-remoteip": "vxlan-remote",
		"vxlan-remote-ip": "vxlan-remote", "vxlan-peer-ips": "vxlan-remote", "vxlan-svcnodeip": "vxlan-remote", "vxlan-port": "vxlan-dstport"}[word]; ok {
		return ours
	}
	return word
}

// logicalLines returns the lines that are not empty, by the number of their first line; a
// backslash at the end goes on in the next one.
func logicalLines(text string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		joined, first := "", 0
		for i, line := range strings.Split(text, "\n") {
			line = strings.TrimRight(line, "\r")
			if joined == "" {
				first = i + 1
			}
			if part, ok := strings.CutSuffix(line, `\`); ok {
				joined += part + " "
				continue
			}
			joined = strings.TrimSpace(joined + line)
			if joined != "" && joined[0] != '#' && !yield(first, joined) {
				return
			}
			joined = ""
		}
		if joined = strings.TrimSpace(joined); joined != "" && joined[0] != '#' {
			yield(first, joined)
		}
	}
}

// sourced reads the files that a line names by a pattern.
func (r *reader) sourced(at problem.Pos, file, word, pattern string) (list []stanza, err error) {
	if !path.IsAbs(pattern) {
		pattern = path.Join(path.Dir(file), pattern)
	}
	if word == "source-directory" {
		pattern = path.Join(pattern, "*")
	}
	found, err := fs.Glob(r.root, strings.TrimPrefix(pattern, "/"))
	if err != nil {
		return nil, problem.New(at, "%s: %w", pattern, err)
	}
	if len(found) == 0 && !strings.ContainsAny(pattern, "*?[") {
		r.left = append(r.left, lineNote(at, pattern+" is not there"))
	}
	slices.Sort(found)
	for _, name := range found {
		if info, err := fs.Stat(r.root, name); err != nil || info.IsDir() || word == "source-directory" && strings.Contains(path.Base(name), ".") {
			continue
		}
		more, err := r.interfaces("/" + name)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}
