package generators_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/runtime/domain"
	"rdgen/test/need"
)

// alpine is an init script in the style of Alpine's sshd.
const alpine = `#!/sbin/openrc-run

description="OpenBSD Secure Shell server"
extra_started_commands="reload"

: "${SSHD_CONFIG:=/etc/ssh/sshd_config}"

command="${SSHD_BINARY:-/usr/sbin/sshd}"
command_args="-f $SSHD_CONFIG ${SSHD_OPTS:-}"
command_args_foreground="-D"
pidfile="/run/$RC_SVCNAME.pid"

depend() {
	use logger dns
}

start_pre() {
	"$command" -t -f "$SSHD_CONFIG"
}

reload() {
	start-stop-daemon --signal HUP --pidfile "$pidfile"
}
`

// TestShellsAcceptTheScripts lets every shell that may run them, shellcheck and
// checkbashisms read what is generated for OpenRC.
func TestShellsAcceptTheScripts(t *testing.T) {
	paths := need.Tools(t, need.Sh, "sh", "dash", "busybox", "shellcheck", "checkbashisms")
	fsys := files("etc/init.d/sshd", alpine, "etc/conf.d/sshd", "netns=private\n")
	made, _ := generate(t, fsys, domain.Domain{}, "sshd", openrcOf)
	dir := t.TempDir()
	if err := made.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"sshd", "rdomain"} {
		file := filepath.Join(dir, "etc/init.d", script)
		first, _, _ := strings.Cut(text(t, made, "/etc/init.d/"+script), "\n")
		if first != "#!/sbin/openrc-run" {
			t.Errorf("%s begins with %q, which gendepends and abuild do not take", script, first)
		}
		for _, argv := range [][]string{
			{paths[0], "-n", file}, {paths[1], "-n", file}, {paths[2], "sh", "-n", file},
			// OpenRC reads the variables (2034) and sets some (2154); the hook is
			// not below the test's folder (1091); 1008 is the interpreter.
			{paths[3], "-s", "sh", "-S", "warning", "-e", "SC2034,SC2154,SC1091,SC1008", file},
			{paths[4], "-f", file},
		} {
			if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%q: %v\n%s", argv, err, out)
			}
		}
	}
	if target, err := os.Readlink(filepath.Join(dir, "etc/init.d/rdomain.private")); target != "rdomain" {
		t.Errorf("rdomain.private leads to %q, %v; want rdomain", target, err)
	}
}

// TestOpenRCChangesOneLine: the script is the original except one line, also
// when it is generated again from what was generated.
func TestOpenRCChangesOneLine(t *testing.T) {
	once, _ := generate(t, files("etc/init.d/sshd", alpine), domain.Domain{}, "sshd", openrcOf)
	got := text(t, once, "/etc/init.d/sshd")
	lines := strings.SplitAfter(got, "\n")
	if rest := lines[0] + strings.Join(lines[2:], ""); rest != alpine {
		t.Errorf("more than the second line differs:\n%s", got)
	}
	again, _ := generate(t, files("etc/init.d/sshd", got), domain.Domain{}, "sshd", openrcOf)
	if text(t, again, "/etc/init.d/sshd") != got {
		t.Error("generated again, the script changes")
	}
	if n := len(once.Files()); n != 1 {
		t.Errorf("%d files for a service without a domain; want its script alone", n)
	}
}
