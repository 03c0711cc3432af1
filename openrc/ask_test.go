package openrc

import (
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// `monit -t` of monit's own configtest() and the ReloadConfig of every dbus script
// were findings, so rdgen check never became 0.
func TestAsks(t *testing.T) {
	for _, c := range []struct{ command, own, want string }{
		{"monit -t", "", ""},
		{"/usr/bin/monit -c /etc/monitrc -t", "", ""},
		{"monit start web", "", "monit"},
		{"monit start web", "monit", ""}, // it is inside
		{"monit $action web", "", "monit"},
		{"monit -c $conf -t", "", "monit"},
		{"monit", "", "monit"},
		{"supervisorctl -c /etc/s.conf status", "", ""},
		{"supervisorctl -c status start web", "", "supervisord"},
		{"supervisorctl restart web", "", "supervisord"},
		{"supervisorctl reread", "", ""},
		{"dbus-send --system --type=method_call --dest=org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig", "", ""},
		{"dbus-send --dest=org.freedesktop.DBus / org.freedesktop.DBus.StartServiceByName string:x uint32:0", "", aBusService},
		{"dbus-send --dest=org.example.X / org.freedesktop.DBus.ReloadConfig", "", aBusService},
		{"dbus-send --dest=org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig $more", "", aBusService},
		{"busctl tree org.example.X", "", aBusService}, // which starts it to ask it
		{"systemctl is-active x", "", ""},
		{"systemctl start x", "", "systemd"},
		{"docker logs web", "", ""},
		{"docker start web", "", "dockerd"},
		{"sv hup web", "", "runsv"}, // it may end, and be started again
		{"s6-svc -d /run/service/web", "", ""},
		{"s6-svc -dx /run/service/web", "", "s6-supervise"},
		{"at -l", "", ""},
		{"batch", "", "atd"},
		{"echo monit", "", ""},
	} {
		f, err := syntax.NewParser().Parse(strings.NewReader(c.command), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := asks(f.Stmts[0].Cmd.(*syntax.CallExpr), c.own); got != c.want {
			t.Errorf("%s, in the script of %q: asks %q; want %q", c.command, c.own, got, c.want)
		}
	}
}
