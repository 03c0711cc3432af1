package vm

import (
	"embed"
	"testing"

	"rdgen/test/guest"
)

// scripts are the shell that runs in the machines.
//
//go:embed script
var scripts embed.FS

// script returns the text of the scripts of these names, one after the other.
func script(t *testing.T, names ...string) string { return guest.Script(t, scripts, names...) }

// TestScripts reads all shell of this folder.
func TestScripts(t *testing.T) { guest.Lint(t, "customize", "customize-alpine") }
