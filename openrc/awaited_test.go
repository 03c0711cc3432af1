package openrc

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestAwaited: a shell that ends early waits until its parent waits for it. openrc-run that is kept
// from its processor after fork(2) waited for ever else.
func TestAwaited(t *testing.T) {
	const child = `
unset rdgen_end
. "$1"
kill -USR1 $PPID
rdgen_awaited
: >"$2"`
	// It runs, and makes no system call, until the child had time enough to end.
	const parent = `
trap 'called=yes' USR1
"$@" &
while [ -z "$called" ]; do kill -0 $! || exit; done
i=0
while [ $i -lt 300000 ]; do i=$((i + 1)); done
for last; do :; done
[ ! -e "$last" ] || { echo "it has ended"; exit 1; }
wait $!
[ -e "$last" ] || { echo "it has not ended"; exit 1; }`
	for _, shell := range realShells(t) {
		for path, name := range map[string]string{HookPath: "sh", ConfPath: "openrc-run.sh"} {
			file, err := filepath.Abs("files" + path)
			if err != nil {
				t.Fatal(err)
			}
			run := func(name, program string, args ...string) []string {
				return slices.Concat(shell, []string{"-c", program, name}, args)
			}
			argv := run("sh", parent, run(name, child, file, filepath.Join(t.TempDir(), "ended"))...)
			if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%v, %s: %v\n%s", shell, path, err, out)
			}
		}
	}
}
