// Package readers has the programs of others read what rdgen draws, counts and completes:
// graphviz, Prometheus, a renderer of SVG, and the shells.
package readers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// others lays the programs over /usr of the sandbox, once.
var others = sync.OnceValue(func() error {
	root := os.Getenv("RDGEN_READERS_ROOT")
	if _, err := os.Stat(root + "/usr"); root == "" || err != nil {
		return fmt.Errorf("RDGEN_READERS_ROOT names no folder with them; make fixtures makes one")
	}
	out, err := exec.Command("sh", "-ec", `
		mkdir -p /run/readers && mount -t tmpfs readers /run/readers && cd /run/readers && mkdir upper upper/bin work
		cp -a "$1/bin/." upper/bin/ 2>/dev/null || :
		mount -t overlay readers -o "lowerdir=$1/usr:/usr,upperdir=upper,workdir=work" /usr
		ldconfig 2>/dev/null || :
		dot -c`, "sh", root).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// start skips the test where the programs of others cannot be had. It returns rdgen.
func start(t *testing.T) string {
	t.Helper()
	sandbox.Need(t)
	need.Slow(t)
	if err := others(); err != nil {
		need.Missing(t, need.Readers, err.Error())
	}
	rdgen, err := need.Program("cmd/rdgen")
	if err != nil {
		t.Fatal(err)
	}
	return rdgen
}

// reads has a program read a text, and returns what it says.
func reads(t *testing.T, text string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}
