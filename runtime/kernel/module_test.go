package kernel

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/object"
)

// Every kind that a file can name has a hint.
func TestNoModule(t *testing.T) {
	for _, kind := range append([]string{"vrf"}, conf.LinkKinds...) {
		err := noModule(object.Link{Kind: kind}, unix.EOPNOTSUPP)
		if p, ok := errors.AsType[*problem.Error](err); !ok || p.Hint == "" || !p.Temporary || !errors.Is(err, unix.EOPNOTSUPP) {
			t.Errorf("of Kind=%s: %#v", kind, err)
		}
	}
}
