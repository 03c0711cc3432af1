package enter

import "testing"

func TestUnitCgroup(t *testing.T) {
	for own, want := range map[string]string{
		"/system.slice/ssh.service":                "/system.slice/ssh.service",
		"/system.slice/system-x.slice/x@1.service": "/system.slice/system-x.slice/x@1.service",
		"/system.slice/ssh.socket":                 "/system.slice/ssh.socket",
		"/system.slice/docker.service/.control":    "/system.slice/docker.service",
		"/":                                        "",
		"/.control":                                "",
		"/system.slice":                            "",
		"/user.slice/user-0.slice/session-1.scope": "",
		"/openrc.sshd":                             "",
		"/system.slice/docker.service/payload/something": "",
	} {
		got, ok := unitCgroup(own)
		if ok != (want != "") || ok && got != want {
			t.Errorf("unitCgroup(%q) = %q, %v; want %q", own, got, ok, want)
		}
	}
}
