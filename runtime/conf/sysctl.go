package conf

import (
	"path"
	"slices"
	"strings"

	"rdgen/runtime/object"
)

// sysctl reads a line of [Sysctl]. A name is written as in sysctl.d(5): its first
// separator, "." or "/", separates; the other one is part of a name, as in
// net/ipv4/conf/eth0.5/forwarding.
func (p *parser) sysctl(k key, seen map[string]int) error {
	name := k.name
	if at := strings.IndexAny(name, "./"); at >= 0 && name[at] == '.' {
		swap := strings.NewReplacer(".", "/", "/", ".")
		name = swap.Replace(name)
	}
	if path.Clean("/"+name) != "/"+name || !strings.HasPrefix(name, "net/") {
		return p.fail(k.line, "%s: expected a variable of the network, such as net.ipv4.ip_forward", clip(k.name))
	}
	if strings.ContainsAny(k.value, "\t\n") || len(k.value) > 256 {
		return p.fail(k.line, "%s=%s: expected a value of one line", clip(k.name), clip(k.value))
	}
	if first := seen[name]; first != 0 {
		return p.fail(k.line, "%s= stands twice, first in line %d", clip(k.name), first)
	}
	seen[name] = k.line
	p.variable(k.line, name, strings.Join(strings.Fields(k.value), " "))
	return nil
}

func (p *parser) variable(line int, path, value string) {
	p.file.Sysctls = append(p.file.Sysctls, Sysctl{line, object.Sysctl{Netns: p.file.Domain.Netns, Path: path, Value: value}})
}

// advertised has the kernel do what IPv6AcceptRA= says: 2 is to take advertisements also where
// the namespace forwards packets, which makes it a router to the kernel.
func (p *parser) advertised() error {
	for _, l := range p.file.Links {
		if l.AcceptRA == "" {
			continue
		}
		path, line := "net/ipv6/conf/"+l.Name.String()+"/accept_ra", l.lines["IPv6AcceptRA"]
		if at := slices.IndexFunc(p.file.Sysctls, func(s Sysctl) bool { return s.Path == path }); at >= 0 {
			return p.fail(max(line, p.file.Sysctls[at].Line), "IPv6AcceptRA= and the variable %s exclude each other: it is the same", path)
		}
		p.variable(line, path, map[string]string{"yes": "2", "no": "0"}[l.AcceptRA])
	}
	return nil
}
