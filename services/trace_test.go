package services

import (
	"slices"
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
		`etc/conf.d/-dash`:                         {Data: []byte("netns=t1\n")},
		`etc/init.d/-dash`:                         {Data: []byte("#!/sbin/openrc-run\n"), Mode: 0o755},
		`usr/lib/systemd/system/-dash.service`:     {Data: []byte("[Service]\nFileDescriptorStoreMax=1\nFileDescriptorStorePreserve=yes\nExecStart=/bin/x\n")},
	}, domain.Domain{})
	for _, c := range []struct {
		init                  Init
		name, restart, reopen string
	}{
		{l.OpenRC, "-dash", "rc-service -- -dash restart", ""},
		{l.Systemd, "-dash", "systemctl daemon-reload && systemctl restart -- -dash.service", "systemctl daemon-reload && systemctl stop -- -dash.service && " +
			"{ systemctl clean --what=fdstore -- -dash.service; systemctl start -- -dash.service; }"},
		{l.OpenRC, `my\x2dvpn`, `rc-service 'my\x2dvpn' restart`, ""},
		{l.Systemd, `my\x2dvpn`, `systemctl daemon-reload && systemctl restart 'my\x2dvpn.service'`,
			`systemctl daemon-reload && systemctl stop 'my\x2dvpn.service' && systemctl start 'my\x2dvpn.service'`},
	} {
		if got := l.trace(c.init, c.name); got.RestartOf(nil) != c.restart || got.Reopen != c.reopen {
			t.Errorf("%s: %s and %s; want %s and %s", c.init.Name(), got.RestartOf(nil), got.Reopen, c.restart, c.reopen)
		}
	}
}

// An instance with a line of its own was the template's too, and rdgen status was 1 for ever.
func TestInstanceWithItsOwnLine(t *testing.T) {
	l := NewLoader(fstest.MapFS{
		"etc/conf.d/app@":                      {Data: []byte("netns=blue\n")},
		"etc/conf.d/app@x":                     {Data: []byte("netns=red\n")},
		"etc/conf.d/app@said":                  {Data: []byte("VERBOSE=yes\n")},
		"etc/conf.d/app@slip":                  {Data: []byte("netns='a b'\n")},
		"usr/lib/systemd/system/app@.service":  {Data: []byte("[Service]\nExecStart=/bin/x\n")},
		"usr/lib/systemd/system/more@.service": {Data: []byte("[Service]\nExecStart=/bin/x\n")},
		"etc/conf.d/more@y":                    {Data: []byte("netns=red\n")},
	}, domain.Domain{})
	if got, want := l.trace(l.Systemd, "app@").Apart, []string{"app@slip.service", "app@x.service"}; !slices.Equal(got, want) {
		t.Errorf("apart from app@: %q; want %q", got, want)
	}
	if got := l.trace(l.Systemd, "app@x"); len(got.Apart) > 0 || !slices.Equal(got.Units, []string{"app@x.service"}) {
		t.Errorf("app@x: %+v", got)
	}
}

// TestOf: which units are a service's. OpenRC has no templates.
func TestOf(t *testing.T) {
	trace := Trace{Units: []string{"app@.service", "app.service", "run@"}, Apart: []string{"app@x.service"}}
	for unit, want := range map[string]bool{"app.service": true, "app@1.service": true, "app@10.0.0.1.service": true, "app@x.service": false,
		"app@1.socket": false, "apps.service": false, "run@": true, "run@1": false, "": false} {
		if got := trace.Of(unit); got != want {
			t.Errorf("Of(%q) = %v", unit, got)
		}
	}
}

// The hint of a template was systemctl restart app@.service, which systemd refuses.
func TestRestartOfInstances(t *testing.T) {
	instances := Trace{Init: "systemd", Units: []string{"app@.service"}}
	both := Trace{Init: "systemd", Units: []string{"app.service", "app@.service"}}
	stops := Trace{Init: "systemd", Units: []string{"app.service", "idle.service", "app@.service"}, members: []Member{{Name: "app@.service", Active: true, Commands: true}}}
	for want, got := range map[string]string{
		"systemctl stop app@1.service && systemctl daemon-reload && systemctl start app@1.service": stops.RestartOf([]string{"app@1.service"}),
		"systemctl daemon-reload && systemctl restart app.service ":                                stops.RestartOf([]string{"app.service"}) + " ",
		`systemctl daemon-reload && systemctl restart app@1.service 'app@a\x2db.service'`:          instances.RestartOf([]string{`app@a\x2db.service`, "app@1.service", "app@1.service"}),
		"systemctl daemon-reload && systemctl restart app.service app@1.service":                   both.RestartOf([]string{"app.service", "app@1.service"}),
		"rc-service web restart": Trace{Init: "openrc", Units: []string{"web"}, Restart: "rc-service web restart"}.RestartOf([]string{"web"}),
	} {
		if got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}
