package conf

import (
	"path"
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
	p.file.Sysctls = append(p.file.Sysctls, Sysctl{k.line, object.Sysctl{
		Netns: p.file.Domain.Netns, Path: name, Value: strings.Join(strings.Fields(k.value), " ")}})
	return nil
}
