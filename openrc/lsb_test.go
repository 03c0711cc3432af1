package openrc

import (
	"testing"
	"testing/fstest"
)

func TestFollowsLSB(t *testing.T) {
	const functions = "for hook in $(run-parts --lsbsysinit --list /lib/lsb/init-functions.d 2>/dev/null); do . $hook; done\n"
	machine := func(text string) fstest.MapFS {
		return fstest.MapFS{"lib/lsb/init-functions": {Data: []byte(functions)}, "lib/lsb/init-functions.d/50-rdgen": {Data: []byte(text)}}
	}
	whole := string(shipped()[LSBPath])
	const head = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: a\n### END INIT INFO\n"
	for _, c := range []struct {
		script string
		want   bool
	}{
		{head + "DAEMON=/usr/sbin/a\ntest -x $DAEMON || exit 0\n. /lib/lsb/init-functions\ncase \"$1\" in\nstart) $DAEMON ;;\nesac\n", true},
		{head + "[ -r /lib/lsb/init-functions ] && . /lib/lsb/init-functions\ncase $1 in\nesac\n", true},
		{head + "if [ -r /etc/default/a ]; then\n\t. /etc/default/a\nfi\n[ -r /etc/default/b ] && . /etc/default/b\n. /lib/lsb/init-functions || exit 1\n", true},
		{head + "PATH=/sbin:/bin # both\nDESC=\"a daemon\"\nNAME=$(cat /etc/name)\n. /lib/lsb/init-functions\n", false},
		{head + "X=1 /usr/sbin/a\n. /lib/lsb/init-functions\n", false},
		{head + "[ -x /usr/sbin/a ] && /usr/sbin/a\n. /lib/lsb/init-functions\n", false},
		{head + "X=\"\n. /lib/lsb/init-functions\n\"\n", false},
		{"#!/usr/bin/env /lib/init/init-d-script\n### BEGIN INIT INFO\nDAEMON=/usr/sbin/a\n", true},
		{head + "case \"$1\" in\nstart) /usr/sbin/a ;;\nesac\n", false},
		{head + "# . /lib/lsb/init-functions\n", false},
		{head + "if [ -r /lib/lsb/init-functions ]; then\n. /lib/lsb/init-functions\nfi\ncase $1 in\nesac\n", false},
		{head + "start-stop-daemon --start --exec /usr/sbin/a\n. /lib/lsb/init-functions\n", false},
		{head + "start() {\n\t. /lib/lsb/init-functions\n}\nstart\n", false},
		{head + ". /lib/lsb/init-functions-of-mine\n", false},
		{head + "cat <<X\n. /lib/lsb/init-functions\nX\n/usr/sbin/a\n", false},
	} {
		if got := FollowsLSB(machine(whole), []byte(c.script)); got != c.want {
			t.Errorf("FollowsLSB = %v; want %v, of\n%s", got, c.want, c.script)
		}
		for what, fsys := range map[string]fstest.MapFS{"half of the file": machine(whole[:len(whole)/2]), "no functions": {
			"lib/lsb/init-functions.d/50-rdgen": {Data: []byte(whole)}}, "no file": {"lib/lsb/init-functions": {Data: []byte(functions)}}} {
			if FollowsLSB(fsys, []byte(c.script)) {
				t.Errorf("FollowsLSB with %s is true, of\n%s", what, c.script)
			}
		}
	}
}
