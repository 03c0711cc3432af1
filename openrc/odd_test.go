package openrc

import (
	"strings"
	"testing"

	"rdgen/test/need"
)

// odd are scripts that start a daemon where OpenRC does not: each leaves the pid of it in
// /run/NAME.pid by LEAVE, or has a program that does.
var odd = []struct{ name, script string }{
	{"path", `start() { /sbin/start-stop-daemon --start --background --make-pidfile --pidfile /run/path.pid --exec /bin/sleep -- 1000; }`},
	{"superpath", `start() { /sbin/supervise-daemon superpath --start --pidfile /run/super --respawn-delay 1 /bin/sh -- -c 'echo $$ >/run/superpath.pid; [ -e /run/once ] || { touch /run/once; exit 1; }; exec sleep 1000'; }
stop() { /sbin/supervise-daemon superpath --stop --pidfile /run/super; }`},
	{"env", `start() { env start-stop-daemon --start --background --make-pidfile --pidfile /run/env.pid --exec /bin/sleep -- 1000; }`},
	{"command", `start() { eval "eval command start-stop-daemon --start --background --make-pidfile --pidfile /run/command.pid --exec /bin/sleep -- 1000"; }`},
	{"exec", `start() { LEAVE; exec /bin/true; }`},
	{"trap", `start() { trap 'LEAVE' EXIT; exit 0; }`},
	{"part", `start_pre() { ( LEAVE ); }
start() { :; }`},
	{"pipe", `start() { : | { LEAVE; }; }`},
	{"quoted", `start() { x=$(LEAVE); }`},
	{"post", `start() { :; }
start_post() { LEAVE; }`},
	{"source", `. /etc/source.sh
start() { :; }`},
	{"top", `case $0 in */openrc-run.sh) LEAVE ;; esac
start() { :; }`},
	{"user", `start() { touch /run/user.pid; chown nobody /run/user.pid; su nobody -s /bin/sh -c 'LEAVE'; }`},
	{"session", `start() { setsid nohup sh -c 'echo $$ >/run/session.pid; exec sleep 1000' >/dev/null 2>&1 & }`},
	{"again", `unalias -a
sourcex() { . "$1"; }
yesno() { LEAVE; return 1; }
start() { yesno || :; }`},
	{"other", `start() { LEAVE; netns=t2 rc-service none start; touch /etc/conf.d/x; rc-update -u; }`},
}

// TestServicesOdd starts daemons in ways that OpenRC knows nothing of: by the path of
// start-stop-daemon, from a part of the shell, from an EXIT trap, when its function has
// ended in exec. All of them are inside, for the shell itself is.
func TestServicesOdd(t *testing.T) {
	for _, shell := range []string{"dash", "busybox", "bash"} {
		t.Run(shell, func(t *testing.T) {
			b := newBed(t)
			need.Tools(t, need.Sh, shell)
			b.hook()
			b.rdexec()
			b.file("usr/sbin/rdomain", 0o755, "#!/bin/sh\n")
			leave := "sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >/run/NAME.pid"
			scenario, want := "ln -sf "+shell+" /bin/sh; ip netns add t1; touch /run/once; ln -s rdomain /etc/init.d/rdomain.t1\n", []string(nil)
			b.file("etc/source.sh", 0o644, "start_pre() { "+strings.ReplaceAll(leave, "NAME", "source")+"; }\n")
			for _, o := range odd {
				b.file("etc/init.d/"+o.name, 0o755, "#!/sbin/openrc-run\n"+strings.ReplaceAll(o.script, "LEAVE", strings.ReplaceAll(leave, "NAME", o.name))+"\n")
				b.conf("export netns=t1\n", o.name)
				scenario += "rc " + o.name + " start; written " + o.name + "; where $(cat /run/" + o.name + ".pid)\n"
				want = append(want, o.name+" start = 0", "t1")
			}
			scenario += "running none; state none; grep -c 'ineed.*rdomain.t1' /run/openrc/deptree\n"
			b.want(b.run(scenario), append(want, "none started in default", "16")...)
		})
	}
}

// TestServicesInherit starts a service from the script of another one that exports its
// domain, by conf.d or itself: it is where its own conf.d says.
func TestServicesInherit(t *testing.T) {
	for _, way := range []string{"hook", "line", "hook and line"} {
		t.Run(way, func(t *testing.T) {
			b := newBed(t)
			b.rdexec()
			b.file("etc/init.d/first", 0o755, "#!/sbin/openrc-run\nstart() { netns=t1; vrf=v1; export netns vrf; rc-service none start; rc-service decl start; }\nstop() { :; }\n")
			if way != "line" {
				b.hook()
			}
			if way != "hook" {
				b.line()
			}
			b.conf("export netns=t2\n", "decl")
			if way != "line" {
				b.conf("export netns=t1\n", "first")
			}
			got := b.run(`
ip netns add t1; ip netns add t2
rc first start; running none; running decl; state none; state decl
rc decl restart; running decl; state decl; rc decl stop; rc none stop; daemons 0
`)
			b.want(got, "first start = 0", "none started in default", "decl started in t2",
				"decl restart = 0", "decl started in t2", "decl stop = 0", "none stop = 0", "0 daemons")
		})
	}
}
