package openrc

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/test/need"
)

const unusual = `#!/sbin/openrc-run
command=/bin/sleep
command_args=1000
command_background=yes
pidfile="/run/$RC_SVCNAME.pid"
extra_started_commands="Reload _2"
Reload() { readlink /proc/self/ns/net >/run/reload.ns; }
_2() { Reload; }
`

// TestServicesUnusual starts services after a start that was killed, from a script
// that is linked from elsewhere, with a domain that is readonly, and with commands
// of unusual names.
func TestServicesUnusual(t *testing.T) {
	b := newBed(t)
	b.hook()
	b.rdexec()
	b.file("etc/init.d/killed", 0o755, unusual+"start_pre() { [ -e /run/ok ] || { kill -9 $PPID; kill -9 $$; }; }\n")
	b.file("etc/init.d/fixed", 0o755, unusual)
	b.file("opt/x/init.d/linked", 0o755, unusual)
	b.conf("netns=t1\n", "killed", "linked")
	b.conf("RDGEN_RDEXEC=/bin/true\nreadonly netns=t1\n", "fixed") // it was a knob once, and the service a success that never ran
	elsewhere := `rc linked start; said "write netns=t1 into /opt/x/conf.d/linked"; state linked
mkdir /opt/x/conf.d; cp /etc/conf.d/linked /opt/x/conf.d
`
	if !readsBeside(b) {
		elsewhere = ""
	}
	got := b.run(`
ip netns add t1; ip netns add t2
rc-service killed start </dev/null >/dev/null 2>&1; touch /run/ok; echo netns=t2 >/etc/conf.d/killed
rc killed start; running killed; state killed; rc killed stop
rm /run/ok; rc-service killed start </dev/null >/dev/null 2>&1; touch /run/ok; : >/etc/conf.d/killed
rc killed start; running killed; state killed; rc killed stop; said Stopping
ln -s /opt/x/init.d/linked /etc/init.d/linked
` + elsewhere + `rc linked start; running linked; state linked; rc linked stop
rc fixed start; running fixed; state fixed
rc fixed Reload; rc fixed _2; [ "$(cat /run/reload.ns)" = "net:[$(stat -L -c %i /run/netns/t1)]" ] || cat /run/reload.ns
rc none start; running none; rc fixed stop; rc none stop; daemons 0
`)
	want := []string{"killed start = 0", "killed started in t2", "killed stop = 0",
		"killed start = 0", "killed started in default", "killed stop = 0", "said Stopping"}
	if elsewhere != "" {
		want = append(want, "linked start = 1", "said write netns=t1 into /opt/x/conf.d/linked", "linked stopped in none")
	}
	b.want(got, append(want, "linked start = 0", "linked started in t1", "linked stop = 0",
		"fixed start = 0", "fixed started in t1", "fixed Reload = 0", "fixed _2 = 0",
		"none start = 0", "fixed stop = 0", "none stop = 0", "0 daemons")...)
}

// readsBeside reports whether the OpenRC reads the conf.d beside a script, and not the
// one of each folder.
func readsBeside(b *bed) bool { return !strings.Contains(b.sh("openrc-run.sh"), "$RC_PATH") }

// TestServicesBash has an OpenRC that was built for bash by its own name, which
// expands no aliases in a script by itself.
func TestServicesBash(t *testing.T) {
	b := newBed(t)
	need.Tools(t, need.Sh, "bash")
	b.hook()
	b.rdexec()
	b.conf("netns=t1\n", "decl")
	b.file("etc/init.d/nopid", 0o755, `#!/sbin/openrc-run
start() { start-stop-daemon --start --background --exec /bin/slept -- 1000; }
stop() { start-stop-daemon --stop --exec /bin/slept; }
`)
	got := b.run(`
ip netns add t1; ip netns add t2; cp /bin/sleep /bin/slept
sed -i '1s,.*,#!/bin/bash,' /lib/rc/sh/openrc-run.sh
rc decl start; running decl; state decl
rc nopid start; ip netns exec t2 /bin/slept 999 & other=$!
slept() { [ "$(cat /proc/$other/comm)" = slept ]; }
await slept
rc nopid stop; where "$other"; kill "$other"; rc decl stop
outside() { while read -r func place; do case $place in "net:[$(stat -L -c %i /run/netns/t1)]"*) ;; *) echo "$func in $place" ;; esac; done </run/decl.where; }
outside; rm /run/decl.where
sed -i s/sourcex/load/ /lib/rc/sh/openrc-run.sh
rc decl start; running decl; state decl; rc decl stop
outside | grep -v "^top " # which the main branch reads before a word of the guard comes
:
`)
	b.want(got, "decl start = 0", "decl started in t1", "nopid start = 0", "nopid stop = 0", "t2", "decl stop = 0",
		"decl start = 0", "decl started in t1", "decl stop = 0")
}

// TestServicesShells has a /bin/sh in which the hook cannot ask for the command: a service
// with a domain does not start and says why, all others do.
func TestServicesShells(t *testing.T) {
	for _, shell := range []string{"zsh", "yash"} {
		t.Run(shell, func(t *testing.T) {
			b := newBed(t)
			need.Tools(t, need.Shells, shell)
			b.hook()
			b.rdexec()
			b.conf("netns=t1\n", "decl", "plain")
			got := b.run("ip netns add t1; ln -sf " + shell + ` /bin/sh
rc none start; running none; state none; rc none stop
rc decl start; said "needs dash, busybox or bash as /bin/sh"; rc plain start; daemons 0
`)
			b.want(got, "none start = 0", "none started in default", "none stop = 0",
				"decl start = 1", "said needs dash, busybox or bash as /bin/sh", "plain start = 1", "0 daemons")
		})
	}
}

// TestServicesLeave starts a service from a shell in a VRF's cgroup, as an ssh
// session's is, with cgroup2 mounted and without, as on a plain Alpine.
func TestServicesLeave(t *testing.T) {
	b := newBed(t)
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/cgroup.controllers"); err != nil {
		root += "/unified"
	}
	if _, err := os.Stat(root + "/cgroup.controllers"); err != nil {
		need.Missing(t, need.OpenRC, "no cgroup2 is mounted")
	}
	dir := fmt.Sprintf("%s/rdgen-test-leave-%d", root, os.Getpid())
	t.Cleanup(func() { os.Remove(dir + "/vrf/mgmt"); os.Remove(dir + "/vrf"); os.Remove(dir) })
	b.hook()
	b.file("etc/init.d/where", 0o755, "#!/sbin/openrc-run\nstart() { grep ^0: /proc/self/cgroup >/run/at; }\nstop() { start; }\n")
	got := b.run(`
mkdir -p ` + dir + `/vrf/mgmt; echo $$ >` + dir + `/vrf/mgmt/cgroup.procs
at() { case $(cat /run/at) in */vrf/*) echo inside ;; *) echo outside ;; esac; }
rc where start; at
if setpriv --reuid=65534 rc-service where status >/dev/null 2>&1; then echo nobody may ask; fi
umount -lR /sys/fs/cgroup; grep cgroup /proc/mounts
rc where stop; at; rc where start; at; grep cgroup /proc/mounts
case $(cat /proc/$$/cgroup) in */vrf/mgmt*) echo still ;; esac
`)
	b.want(got, "where start = 0", "outside", "nobody may ask", "where stop = 0", "outside", "where start = 0", "outside", "still")
}

// TestServicesLinked starts services by links that lead to a script in another folder or
// of another name. OpenRC up to 0.56 takes such a service for the one that the script is
// named for, and reads the conf.d of that; none starts outside of the domain that the
// conf.d of the link names.
func TestServicesLinked(t *testing.T) {
	for _, shell := range []string{"dash", "busybox", "bash"} {
		t.Run(shell, func(t *testing.T) {
			b := newBed(t)
			need.Tools(t, need.Sh, shell)
			b.hook()
			b.rdexec()
			b.file("opt/x/init.d/real", 0o755, unusual)
			b.file("etc/init.d/beside", 0o755, unusual)
			b.conf("netns=t1\n", "web", "dotted", "second", "more.one")
			b.file("usr/local/etc/conf.d/far", 0o644, "netns=t1\n")
			b.file("etc/site", 0o644, "netns=t1\n")
			b.conf(". /etc/site\n", "sourced", "read")
			b.conf("netns = t1\nx=1\n", "slip")
			b.conf("x=1\n", "plain.2")
			scenario := "ln -sf " + shell + ` /bin/sh
ip netns add t1; ip netns add t2; mkdir -p /usr/local/etc/init.d
for name in web sourced slip free more.one read; do ln -s /opt/x/init.d/real /etc/init.d/$name; done
ln -s web /etc/init.d/second; ln -s ./beside /etc/init.d/dotted; ln -s beside /etc/init.d/plain.2
ln -s /opt/x/init.d/real /usr/local/etc/init.d/far
for way in "--nodeps start" "-q start" start; do rc web $way; done
said "write netns=t1 into /opt/x/conf.d/real"; rc dotted start; said "write netns=t1 into /etc/conf.d/beside"
rc second start; rc sourced start; said "write netns=t1"; rc slip start; said "write netns=t1"; rc more.one start
if rc-service far start >/dev/null 2>&1; then echo far started; fi
openrc default </dev/null >/dev/null 2>&1; ln -s /etc/init.d/web /etc/runlevels/default/web; openrc default </dev/null >/dev/null 2>&1
daemons 0
cd /etc/init.d; if ./web start >/dev/null 2>&1; then echo web started; fi; daemons 0
rc free start; running real; state real; rc free stop; rc plain.2 start; running plain.2; state plain.2; rc plain.2 stop
rm /etc/conf.d/web; rc web start; running real; echo netns=t1 >/etc/conf.d/web; rc web restart; said "write netns=t1"; daemons 0
`
			want := []string{"web --nodeps start = 1", "web -q start = 1", "web start = 1",
				"said write netns=t1 into /opt/x/conf.d/real", "dotted start = 1", "said write netns=t1 into /etc/conf.d/beside",
				"second start = 1", "sourced start = 1", "said write netns=t1", "slip start = 1", "said write netns=t1", "more.one start = 1",
				"0 daemons", "0 daemons",
				"free start = 0", "real started in default", "free stop = 0", "plain.2 start = 0", "plain.2 started in default", "plain.2 stop = 0",
				"web start = 0", "web restart = 1", "said write netns=t1", "0 daemons"}
			if readsBeside(b) {
				scenario += `
mkdir -p /opt/x/conf.d; echo netns=t2 >/opt/x/conf.d/real; cp /opt/x/conf.d/real /opt/x/conf.d/web
rc web start; said "write netns=t1"; rc read start; said "write netns=t1"
for name in real web read; do echo netns=t1 >/opt/x/conf.d/$name; done; rc web start; running real; daemons 1; rc web stop; daemons 0
`
				want = append(want, "web start = 1", "said write netns=t1", "read start = 1", "said write netns=t1",
					"web start = 0", "1 daemons", "web stop = 0", "0 daemons")
			}
			b.want(b.run(scenario), want...)
		})
	}
}

// TestServicesUser starts a user's services, of which the conf.d is below a home too: a
// slip there ends the start as one in /etc does.
func TestServicesUser(t *testing.T) {
	for _, shell := range []string{"dash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			b := newBed(t)
			need.Tools(t, need.Sh, shell)
			b.hook()
			b.rdexec()
			run := b.sh("openrc-run.sh")
			if !readsBeside(b) { // the path of the sweep has no home
				run = replaced(run, "export RC_PATH='", "export RC_PATH='/home/alice/.config/rc:")
			} else if !strings.Contains(run, "_usr_conf") { // as 0.60 to 0.63 have it
				run = replaced(run, "unset _conf_d\n", "unset _conf_d\nsourcex -e \"$HOME/.config/rc/conf.d/$RC_SVCNAME\" || :\n")
			}
			b.file("lib/rc/sh/openrc-run.sh", 0o755, run)
			b.file("etc/rc.conf", 0o644, "RC_USER_SERVICES=yes\nHOME=/home/alice\n")
			scenario, want := "ln -sf "+shell+` /bin/sh; ip netns add t1; mkdir -p /home/alice/.config/rc/conf.d; cd /home/alice/.config/rc/conf.d
echo x=1 >none; rc none start; running none; state none; rc none stop; daemons 0
`, []string{"none start = 0", "none started in default", "none stop = 0", "0 daemons"}
			for _, row := range []struct{ conf, said string }{{`netns = t1\nx=1`, "netns=t1"}, {"NETNS=t1", "NETNS= is not read"}, {"x=1; k=netns; $k t1; x=1", "has the command netns"}} {
				scenario += "printf '" + row.conf + "\\n' | tee none >../none; rc none start; said '" + row.said + "'\n"
				want = append(want, "none start = 1", "said "+row.said)
			}
			b.want(b.run(scenario+"daemons 0\n"), append(want, "0 daemons")...)
		})
	}
}

// TestElsewhere asks which file rdgen check says that OpenRC reads for such links.
// TestServicesLinked sees the same of the real one up to 0.56.
func TestElsewhere(t *testing.T) {
	const old, mid, new = "#!/bin/sh\n", "yesno $RC_USER_SERVICES\n", "yesno $RC_USER_SERVICES; for d in $RC_PATH\n"
	link := func(to string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
	}
	fsys := fstest.MapFS{"opt/x/init.d/real": {}, "etc/init.d/beside": {}, "etc/init.d/web": link("/opt/x/init.d/real"),
		"etc/init.d/real": link("../../opt/x/init.d/real"), "etc/init.d/second": link("/etc/init.d/web"),
		"etc/init.d/dotted": link("./beside"), "etc/init.d/beside.1": link("beside"), "etc/init.d/beside.2": link("/etc/init.d/beside")}
	for _, c := range []struct{ run, service, script, conf string }{
		{old, "web", "/opt/x/init.d/real", "/opt/x/conf.d/real"}, {mid, "web", "/opt/x/init.d/real", "/opt/x/conf.d/web"}, {new, "web", "", ""},
		{old, "real", "/opt/x/init.d/real", "/opt/x/conf.d/real"}, {mid, "real", "/opt/x/init.d/real", "/opt/x/conf.d/real"},
		{old, "second", "/etc/init.d/web", "/etc/conf.d/web"}, {mid, "second", "/opt/x/init.d/real", "/opt/x/conf.d/second"},
		{old, "dotted", "/etc/init.d/beside", "/etc/conf.d/beside"}, {mid, "dotted", "", ""},
		{old, "beside", "", ""}, {old, "beside.1", "", ""}, {old, "beside.2", "", ""}, {mid, "beside.2", "", ""},
	} {
		fsys["lib/rc/sh/openrc-run.sh"] = &fstest.MapFile{Data: []byte(c.run)}
		script, conf, ok := Elsewhere(fsys, c.service)
		if !ok {
			script, conf = "", ""
		}
		if script != c.script || conf != c.conf {
			t.Errorf("%s with %q: %s, %s; want %s, %s", c.service, c.run, script, conf, c.script, c.conf)
		}
	}
}
