package enter

import (
	"strings"
	"testing"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// A session is put into a VRF by who opens it: as root, from the session's own cgroup, and
// where systemd is, not before pam_systemd has made one.
func TestSessionCgroup(t *testing.T) {
	need.Uid0(t)
	own, err := sessionCgroup(sandbox.Held(t, "env"), "put", false)
	if err != nil {
		t.Errorf("a process of root's: %v", err)
	}
	refused := func(what string, pid int, systemd bool, want string) {
		t.Helper()
		if _, err := sessionCgroup(pid, "put", systemd); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", what, err, want)
		}
	}
	refused("a user's process", sandbox.Held(t, "setpriv", "--reuid=1000", "--clear-groups"), false, "it does not run as root")
	refused("the first process", 1, false, "it does not run as root")
	refused("no process", 1<<22, false, "no such file")
	refused("in front of pam_systemd", sandbox.Held(t, "env"), true, "cgroup "+own+" is not one of a session; the line has to stand behind that of pam_systemd")
	for path, want := range map[string]bool{
		"/user.slice/user-1.slice/session-3.scope": true, "/user.slice/user-1.slice/session-c1.scope/rdexec/vrf/x": true,
		"/system.slice/ssh.service": false, "/user.slice/user-1.slice/user@1.service/session.slice": false, "/machine.slice/x.scope": false, "/": false,
	} {
		if got := inSession(path); got != want {
			t.Errorf("inSession(%q) = %v", path, got)
		}
	}
}
