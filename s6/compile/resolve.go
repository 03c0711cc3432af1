package compile

import (
	"fmt"
	"slices"
)

func (c *checker) of(kind string) []*definition {
	var list []*definition
	for _, name := range c.order {
		if d := c.defs[name]; d.kind == kind {
			list = append(list, d)
		}
	}
	return list
}

func (c *checker) longruns() []*definition { return c.of("longrun") }
func (c *checker) oneshots() []*definition { return c.of("oneshot") }

// kind returns the type of a service, as s6-rc-compile names it.
func (c *checker) kind(name string) string {
	if d := c.defs[name]; d != nil {
		return d.kind
	}
	return "unknown"
}

// pipelineBundles adds the bundle of each pipeline that has a name.
func (c *checker) pipelineBundles() {
	for _, d := range slices.Backward(c.longruns()) {
		if d.pipelineName == "" {
			continue
		}
		if old := c.defs[d.pipelineName]; old != nil {
			c.fail(d.dir()+"/pipeline-name", "duplicate service definition: %s defined in s6-rc-compile internals is already defined and has type %s", d.pipelineName, old.kind)
			continue
		}
		b := &definition{name: d.pipelineName, folder: d.folder, kind: "bundle"}
		c.defs[b.name] = b
		c.pipeline(b, d)
	}
}

func (c *checker) pipeline(b, d *definition) bool {
	if len(b.members) > len(c.order) {
		c.fail(d.dir(), "pipeline %s is too long: possible loop involving %s", b.name, d.name)
		return false
	}
	b.members = append(b.members, d.name)
	for _, name := range d.consumerFor {
		p := c.defs[name]
		if p == nil || p.kind != "longrun" {
			c.fail(d.dir()+"/consumer-for", "longrun %s declares a producer %s of type %s", d.name, name, c.kind(name))
			return false
		}
		if !c.pipeline(b, p) {
			return false
		}
	}
	return true
}

// resolveBundles looks for members that nothing defines, and for bundles that
// contain themselves.
func (c *checker) resolveBundles() {
	const begun, done = 1, 2
	mark := map[*definition]int{}
	var visit func(source, b *definition) bool
	visit = func(source, b *definition) bool {
		switch mark[b] {
		case done:
			return true
		case begun:
			c.fail(b.dir(), "cyclic bundle definition: resolution of %s encountered a cycle involving %s", source.name, b.name)
			return false
		}
		mark[b] = begun
		for _, name := range b.members {
			switch m := c.defs[name]; {
			case m == nil:
				c.add(Problem{File: b.dir(), Exit: 1, Undefined: true,
					Msg: fmt.Sprintf("during resolution of bundle %s: undefined service name %s", b.name, name)})
			case m.kind == "bundle" && !visit(source, m):
				return false
			}
		}
		mark[b] = done
		return true
	}
	for _, b := range c.of("bundle") {
		if !visit(b, b) {
			return
		}
	}
}

// resolve looks whether the other ends of pipes agree and dependencies exist.
func (c *checker) resolve(d *definition) {
	if d.producerFor != "" {
		file := d.dir() + "/producer-for"
		switch q := c.defs[d.producerFor]; {
		case q == nil || q.kind != "longrun":
			c.fail(file, "longrun service %s declares being a producer for a service named %s of type %s", d.name, d.producerFor, c.kind(d.producerFor))
		case !slices.Contains(q.consumerFor, d.name):
			c.fail(file, "longrun service %s declares being a producer for a service named %s that does not declare it back", d.name, d.producerFor)
		}
	}
	for _, name := range d.consumerFor {
		file := d.dir() + "/consumer-for"
		switch p := c.defs[name]; {
		case p == nil || p.kind != "longrun":
			c.fail(file, "longrun service %s declares being the consumer for a service named %s of type %s", d.name, name, c.kind(name))
		case p.producerFor != d.name:
			c.fail(file, "longrun service %s declares being the consumer for a service named %s that does not declare it back", d.name, name)
		}
	}
	for _, name := range d.deps {
		if c.defs[name] == nil && !slices.Contains(d.consumerFor, name) {
			c.add(Problem{File: d.dir(), Exit: 1, Undefined: true,
				Msg: fmt.Sprintf("during dependency resolution for service %s: undefined service name %s", d.name, name)})
		}
	}
}
