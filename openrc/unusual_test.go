package openrc

import (
	"fmt"
	"os"
	"testing"

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
	b.conf("readonly netns=t1\n", "fixed")
	got := b.run(`
ip netns add t1; ip netns add t2
rc-service killed start </dev/null >/dev/null 2>&1; touch /run/ok; echo netns=t2 >/etc/conf.d/killed
rc killed start; running killed; state killed; rc killed stop
rm /run/ok; rc-service killed start </dev/null >/dev/null 2>&1; touch /run/ok; : >/etc/conf.d/killed
rc killed start; running killed; state killed; rc killed stop; said Stopping
ln -s /opt/x/init.d/linked /etc/init.d/linked
rc linked start; said "write netns=t1 into /opt/x/conf.d/linked"; state linked
mkdir /opt/x/conf.d; cp /etc/conf.d/linked /opt/x/conf.d
rc linked start; running linked; state linked; rc linked stop
rc fixed start; running fixed; state fixed
rc fixed Reload; rc fixed _2; [ "$(cat /run/reload.ns)" = "net:[$(stat -L -c %i /run/netns/t1)]" ] || cat /run/reload.ns
rc none start; running none; rc fixed stop; rc none stop; daemons
`)
	b.want(got, "killed start = 0", "killed started in t2", "killed stop = 0",
		"killed start = 0", "killed started in default", "killed stop = 0", "said Stopping",
		"linked start = 1", "said write netns=t1 into /opt/x/conf.d/linked", "linked stopped in none",
		"linked start = 0", "linked started in t1", "linked stop = 0",
		"fixed start = 0", "fixed started in t1", "fixed Reload = 0", "fixed _2 = 0",
		"none start = 0", "fixed stop = 0", "none stop = 0", "0 daemons")
}

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
i=0; until [ "$(cat /proc/$other/comm)" = slept ] || [ $i = 100 ]; do i=$((i + 1)); sleep 0.1; done
rc nopid stop; where "$other"; kill "$other"; rc decl stop
sed -i s/sourcex/load/ /lib/rc/sh/openrc-run.sh
rc decl start; running decl; state decl; rc decl stop
while read -r func place; do case $place in "net:[$(stat -L -c %i /run/netns/t1)]"*) ;; *) echo "$func in $place" ;; esac; done </run/decl.where
`)
	b.want(got, "decl start = 0", "decl started in t1", "nopid start = 0", "nopid stop = 0", "t2", "decl stop = 0",
		"decl start = 0", "decl started in t1", "decl stop = 0")
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
