package kernel

import (
	"rdgen/problem"
	"rdgen/runtime/module"
	"rdgen/runtime/object"
)

// noModule is the error for a link of a kind that the kernel does not know.
func noModule(l object.Link, err error) error {
	e := problem.New(problem.Pos{}, "the kernel has no %s module: %w", l.Kind, err)
	e.Temporary = true // as every system call that fails
	if m, ok := module.Kinds[l.Kind]; ok {
		e.Hint = "modprobe " + m.Name + ", in a container on its host; if there is no such module, boot a kernel with CONFIG_" + m.Option
	}
	return e
}
