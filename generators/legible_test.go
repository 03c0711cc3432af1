package generators_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rdgen/generators"
	"rdgen/systemd"
)

// TestDisabledSaysAnything: a reason that no unit file can have leaves the unit without
// its refusal, or all units without theirs.
func TestDisabledSaysAnything(t *testing.T) {
	for _, why := range []string{"a name that is no UTF-8: \xff", "NUL: \x00", strings.Repeat("long ", 1<<19), "%n $HOME \\ ' \" \r\n\ttwo lines"} {
		made, err := generators.Disabled([]string{"x.service"}, func(string) bool { return false }, "/etc/conf.d/x", why)
		if err != nil {
			t.Errorf("%.40q: %v", why, err)
			continue
		}
		got := text(t, made, systemd.Etc+"/x.service.d/"+systemd.DropIn)
		if !utf8.ValidString(got) || len(got) > 64<<10 || !strings.Contains(got, "exit 255") {
			t.Errorf("%.40q: %d bytes: %.900q", why, len(got), got)
		}
	}
}
