package systemd

import (
	"fmt"
	"strings"
	"testing"
)

// TestStarts: once who starts a daemon by systemd was not seen, and the daemon ran elsewhere.
func TestStarts(t *testing.T) {
	const bus = " org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager "
	for line, want := range map[string]string{
		"/bin/systemctl start other.service":                                "systemctl start: other.service",
		"/bin/systemctl --no-block -t service start other a@b.socket":       "systemctl start: other.service a@b.socket",
		"-/bin/sh -c \"systemctl start other\"":                             "systemctl start: other.service",
		"/bin/sh -c 'systemctl start a; exec systemctl restart b && true'":  "systemctl start: a.service, systemctl restart: b.service again",
		"/usr/bin/env A=1 systemctl enable --now other":                     "systemctl enable: other.service",
		"/usr/bin/systemctl start %p-main":                                  "systemctl start: x-main.service",
		"/usr/bin/systemctl start $O":                                       "systemctl start: other.service",
		"/usr/sbin/service other start":                                     "service start: other.service",
		"/usr/sbin/invoke-rc.d --quiet other restart":                       "invoke-rc.d restart: other.service again",
		"/etc/init.d/other start":                                           "other start: other.service",
		"/usr/bin/busctl call" + bus + "StartUnit ss other.service replace": "busctl StartUnit: other.service",
		"/usr/bin/dbus-send --system --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager.RestartUnit string:other.service string:replace": "dbus-send RestartUnit: other.service again",
		"/bin/systemctl reload other":              "",
		"/bin/systemctl try-restart nginx":         "",
		"/bin/systemctl is-active other":           "",
		"/bin/systemctl enable other":              "",
		"/bin/systemctl --user start other":        "",
		"/bin/systemctl -H far start other":        "",
		"/bin/systemctl start $UNKNOWN":            "",
		"/usr/sbin/service other status":           "",
		"/etc/init.d/other reload":                 "",
		"/usr/bin/busctl call" + bus + "ListUnits": "",
		"/usr/sbin/x --hook systemctl start other": "",
	} {
		var got []string
		for _, s := range Starts(&Unit{Name: "x.service", Settings: Read("x", []byte("[Service]\nEnvironment=O=other\nExecStart="+line+"\n"))}) {
			said := s.By + ": " + strings.Join(s.Units, " ")
			if s.Again {
				said += " again"
			}
			got = append(got, said)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s starts %q; want %q", line, strings.Join(got, ", "), want)
		}
	}
}

// TestDispatches: once only true(1) was known for a command that runs no daemon.
func TestDispatches(t *testing.T) {
	for commands, want := range map[string]string{
		"ExecStart=/bin/true":                                "runs nothing but true(1)",
		"ExecStart=-/bin/sh -c true":                         "runs nothing but -/bin/sh -c true",
		"ExecStart=/bin/sh -c :":                             "runs nothing but /bin/sh -c :",
		"ExecStart=/bin/bash -ec \"exit 0\"":                 "runs nothing but /bin/bash -ec \"exit 0\"",
		"ExecStart=/usr/bin/env A=b true":                    "runs nothing but /usr/bin/env A=b true",
		"ExecStart=/usr/bin/busybox true":                    "runs nothing but /usr/bin/busybox true",
		"ExecStart=/bin/sleep infinity":                      "runs nothing but /bin/sleep infinity sleeps",
		"ExecStop=/bin/x":                                    "has no ExecStart=, so it runs nothing",
		"ExecStart=/bin/systemctl start a b":                 "runs nothing but /bin/systemctl start a b [a.service b.service]",
		"ExecStart=/bin/sh -c 'systemctl start a; exit 0'":   "runs nothing but /bin/sh -c 'systemctl start a; exit 0' [a.service]",
		"ExecStart=/bin/systemctl start a\nExecStart=/bin/x": "",
		"ExecStart=/bin/sh -c 'systemctl start a; exec x'":   "",
		"ExecStart=/bin/sh -c 'true $X'":                     "",
		"ExecStart=/bin/sh /usr/lib/true":                    "",
		"ExecStart=/bin/systemctl restart a":                 "",
		"ExecStart=/bin/true ; /bin/x":                       "",
		"ExecStart=/usr/bin/env x":                           "",
		"ExecStart=/usr/bin/env":                             "",
		"ExecStart=/bin/sleep 5":                             "",
		"":                                                   "",
	} {
		d, ok := Dispatches(&Unit{Name: "x.service", Settings: Read("x", []byte("[Service]\n"+commands+"\n"))})
		got := d.What
		if d.Sleeps {
			got += " sleeps"
		}
		if len(d.Starts) > 0 {
			got += fmt.Sprint(" ", d.Starts)
		}
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", commands, got, ok, want)
		}
	}
}
