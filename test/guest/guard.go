package guest

import (
	_ "embed"
	"fmt"
	"testing"
)

// guardScript is the shell of Guard.
//
//go:embed guard.sh
var guardScript string

// Guard starts services on the OpenRC of the guest with its openrc-run.sh altered, as
// its authors may one day: openrc.TestGuard has more of them, with one release. It
// needs the probe.
func (g *Guest) Guard(t *testing.T) {
	for _, c := range []struct{ name, does, sed string }{
		{"as it is", "enters", ""},
		{"another function reads the files", "enters", "s/sourcex/load/g"},
		{"helpers are called in between", "enters", `s/sourcex "$RC_SERVICE"$/yesno no || [ -z "$vrf" ] || :; &/`},
		{"no aliases, and another function", "leaks not", "s/sourcex/load/g; s/^_conf_d=/unalias -a; &/; s/^lsbh=/unalias -a; &/"},
		{"rc.conf.d is not read", "stays", `s,/rc\.conf\.d/\*\.conf,/nowhere/*.conf,`},
	} {
		g.Verdicts(t, guardScript+fmt.Sprintf("altered '%s' '%s' '%s'\n", c.name, c.does, c.sed))
	}
}
