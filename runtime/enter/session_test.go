package enter

import (
	"strings"
	"testing"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// A session is put into a VRF by who opens it: as root, from the session's own cgroup, and
// where systemd or elogind is, not before its module has made one.
func TestSessionCgroup(t *testing.T) {
	need.Uid0(t)
	none := sessions{}
	own, err := sessionCgroup(sandbox.Held(t, "env"), "put", none)
	if err != nil {
		t.Errorf("a process of root's: %v", err)
	}
	refused := func(what string, pid int, keeper sessions, want string) {
		t.Helper()
		if _, err := sessionCgroup(pid, "put", keeper); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", what, err, want)
		}
	}
	refused("a user's process", sandbox.Held(t, "setpriv", "--reuid=1000", "--clear-groups"), none, "it does not run as root")
	refused("the first process", 1, none, "it does not run as root")
	refused("no process", 1<<22, none, "no such file")
	refused("in front of pam_systemd", sandbox.Held(t, "env"), sessions{"pam_systemd", inSession},
		"cgroup "+own+" is not one of a session; the line has to stand behind that of pam_systemd")
	c3 := func(id string) bool { return id == "c3" }
	refused("in front of pam_elogind", sandbox.Held(t, "env"), sessions{"pam_elogind", func(cgroups string) bool { return inSessionOf(cgroups, c3) }},
		"the line has to stand behind that of pam_elogind")
	for path, want := range map[string]bool{
		"/user.slice/user-1.slice/session-3.scope": true, "/user.slice/user-1.slice/session-c1.scope/rdexec/vrf/x": true,
		"/system.slice/ssh.service": false, "/user.slice/user-1.slice/user@1.service/session.slice": false, "/machine.slice/x.scope": false, "/": false,
	} {
		if got := inSession("0::" + path + "\n"); got != want {
			t.Errorf("inSession(%q) = %v", path, got)
		}
	}
	for cgroups, want := range map[string]bool{
		"0::/c3\n": true, "1:cpu:/\n0::/c3/rdexec/vrf/x\n": true, "2:name=elogind:/c3\n0::/openrc.sshd\n": true,
		"0::/openrc.sshd\n": false, "0::/c4\n": false, "1:cpu:/c3\n0::/\n": false, "1:name=elogind:/\n0::/\n": false, "": false,
	} {
		if got := inSessionOf(cgroups, c3); got != want {
			t.Errorf("inSessionOf(%q) = %v", cgroups, got)
		}
	}
}
