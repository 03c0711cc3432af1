package services

import (
	"testing"
	"testing/fstest"

	"rdgen/runtime/domain"
)

// TestPIDFiles: where OpenRC has noted whose daemon a process is.
func TestPIDFiles(t *testing.T) {
	for note, text := range map[string]string{
		"daemons/d/001":     "exec=/bin/d\npidfile=/run/d.pid\n", // OpenRC's start-stop-daemon
		"options/d/pidfile": "/run/d.pid",                        // Debian 12's
	} {
		l := NewLoader(fstest.MapFS{
			"etc/conf.d/d":       {Data: []byte("netns=t1\n")},
			"etc/init.d/d":       {Data: []byte("#!/sbin/openrc-run\n"), Mode: 0o755},
			"run/d.pid":          {Data: []byte("77\n")},
			"run/openrc/" + note: {Data: []byte(text)},
		}, domain.Domain{})
		if got := l.trace(l.OpenRC, "d").PIDFiles; len(got) != 1 || got[0].PID != 77 {
			t.Errorf("%s: %+v", note, got)
		}
	}
}

// What is to be done can be pasted into a shell, which takes a backslash out of a unit's name.
func TestRestartIsForAShell(t *testing.T) {
	l := NewLoader(fstest.MapFS{
		`etc/conf.d/my\x2dvpn`:                     {Data: []byte("netns=t1\n")},
		`etc/init.d/my\x2dvpn`:                     {Data: []byte("#!/sbin/openrc-run\n"), Mode: 0o755},
		`usr/lib/systemd/system/my\x2dvpn.service`: {Data: []byte("[Service]\nFileDescriptorStoreMax=1\nExecStart=/bin/x\n")},
	}, domain.Domain{})
	for _, c := range []struct {
		init            Init
		restart, reopen string
	}{
		{l.OpenRC, `rc-service 'my\x2dvpn' restart`, ""},
		{l.Systemd, `systemctl daemon-reload && systemctl restart 'my\x2dvpn.service'`,
			`systemctl daemon-reload && systemctl stop 'my\x2dvpn.service' && systemctl start 'my\x2dvpn.service'`},
	} {
		if got := l.trace(c.init, `my\x2dvpn`); got.Restart != c.restart || got.Reopen != c.reopen {
			t.Errorf("%s: %s and %s; want %s and %s", c.init.Name(), got.Restart, got.Reopen, c.restart, c.reopen)
		}
	}
}
