package enter

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// run returns only when nothing was executed, so here it is asked for what
// cannot be; TestExec, with the real program, shows what can.
func TestRunRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o644, "text": 0o755, "orphan": 0o755} {
		text := map[string]string{"orphan": "#!/no/such/interpreter\n"}[name]
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		prog, path string
		code       int
		want       string
	}{
		{dir + "/none", "", domain.ExitNotFound, "no such file"},
		{dir + "/plain/x", "", domain.ExitNotFound, "not a directory"},
		{dir, "", domain.ExitCannotRun, "permission denied"},
		{dir + "/plain", "", domain.ExitCannotRun, "permission denied"},
		{dir + "/text", "", domain.ExitCannotRun, "exec format error"},
		{dir + "/orphan", "", domain.ExitCannotRun, "its interpreter is not"},
		{"none", dir, domain.ExitNotFound, "not found in PATH"},
		{"plain", dir, domain.ExitCannotRun, "permission denied"},
		{"plain", "/none:" + dir + ":/", domain.ExitCannotRun, "(" + dir + "/plain): permission denied"},
		{"orphan", "/none:" + dir, domain.ExitCannotRun, "its interpreter is not"},
		{"none", "", domain.ExitNotFound, "not found in PATH"},
		{"none", strings.Repeat("x", 256), domain.ExitCannotRun, "file name too long"},
	} {
		err := run([]string{c.prog}, []string{"A=b", "PATH=" + c.path, "PATH=/bin"})
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Text, c.want) ||
			!strings.HasPrefix(e.Text, "unable to run ") {
			t.Errorf("run(%q) with PATH=%s = %v; want code %d and %q", c.prog, c.path, err, c.code, c.want)
		}
	}
}

// What a limit refuses can be done later: no program can make the kernel say all of these.
func TestNotRunForNow(t *testing.T) {
	for errno, want := range map[unix.Errno]int{unix.EAGAIN: domain.ExitTemporary, unix.ENOMEM: domain.ExitTemporary, unix.E2BIG: domain.ExitCannotRun} {
		var e *Error
		if err := notRun("x", "/bin/x", errno); !errors.As(err, &e) || e.Code != want {
			t.Errorf("notRun with %v = %v; want code %d", errno, err, want)
		}
	}
}

func TestSearchPath(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, defaultPath},
		{[]string{"XPATH=/x", "PATHX=/y", "PATH"}, defaultPath},
		{[]string{"A=b", "PATH=/a:/b", "PATH=/c"}, "/a:/b"},
		{[]string{"PATH="}, ""},
	} {
		if got := searchPath(c.env); got != c.want {
			t.Errorf("searchPath(%q) = %q; want %q", c.env, got, c.want)
		}
	}
}
