package s6

import (
	"testing"

	"rdgen/test/guest"
)

// TestScripts reads all shell of this folder.
func TestScripts(t *testing.T) { guest.Lint(t) }
