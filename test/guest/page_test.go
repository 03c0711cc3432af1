package guest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTyped: what a reader of a page types, and which files he writes.
func TestTyped(t *testing.T) {
	const page = `# A page

    # first
    it prints
    this

A file:

    # /etc/one.conf
    [Domain]
    # a comment

    # /and/another
    Kind=netns

    # /bin/echo two words

Of one block.

    # /bin/ls /
    # second
`
	want := []Command{
		{Line: "first", Shown: "it prints this"},
		{Line: "/etc/one.conf", File: "[Domain]\n# a comment\n\n# /and/another\nKind=netns\n\n# /bin/echo two words\n"},
		{Line: "/bin/ls /"},
		{Line: "second"},
	}
	if d := cmp.Diff(want, Typed(page)); d != "" {
		t.Errorf("Typed (-want +got):\n%s", d)
	}
}
