package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratorLongName: above 253 bytes a unit has no folder of drop-ins. It is masked, and
// it alone; all others went without theirs.
func TestGeneratorLongName(t *testing.T) {
	for _, n := range []int{252, 253, 254, 255} {
		root, out, early := t.TempDir(), t.TempDir(), t.TempDir()
		name := strings.Repeat("x", n-len(".service"))
		write(t, root, "lib/systemd/system/rdomain@.service", "[Service]\n", "lib/systemd/system/"+name+".service", daemonUnit,
			"etc/conf.d/"+name, "netns=q\n", "lib/systemd/system/good.service", daemonUnit, "etc/conf.d/good", "netns=q\n")
		var log bytes.Buffer
		code := generatorRun{root: root, dir: out, early: early}.run(&log)
		made := contents(t, out)
		mask, _ := os.Readlink(filepath.Join(early, name+".service"))
		enters := strings.Contains(made[name+".service.d/zz-rdomain.conf"], "NetworkNamespacePath=")
		switch {
		case !strings.Contains(made["good.service.d/zz-rdomain.conf"], "NetworkNamespacePath="):
			t.Errorf("%d bytes: good.service is not in its domain\n%s", n, &log)
		case n <= 253 && (code != exitMade || !enters):
			t.Errorf("%d bytes: exit %d\n%s", n, code, &log)
		case n > 253 && (code != exitHeld || mask != "/dev/null" || !strings.Contains(log.String(), "is too long: it has "+fmt.Sprint(n)+" bytes")):
			t.Errorf("%d bytes: exit %d, masked by %q\n%s", n, code, mask, &log)
		}
	}
}
