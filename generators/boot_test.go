package generators_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/systemd"
	"rdgen/templates"
	"rdgen/test/need"
)

// boot is the script that makes a machine of namespaces: an overlay of / with
// the files in $1 on top, its own processes, links, mounts and cgroups, and the
// systemd of this machine as pid 1. What it leaves outside goes to $1/host.
const boot = `set -e
echo $$ >"$2/cgroup.procs"
exec unshare -C -p -f -m -n -u -i --kill-child /bin/sh -e -c '
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/fs"
mkdir "$1/fs/up" "$1/fs/work" "$1/fs/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/fs/up,workdir=$1/fs/work" "$1/fs/root"
cd "$1/fs/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
cp -r "$1/top/." .
mkdir -p host old
mount --bind "$1/host" host
pivot_root . old
umount -l /old
exec env -i container=none PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/usr/lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
' boot "$1"
`

// bootSystemd boots with the files of top, relative to /, and returns the files
// that units wrote below /host. test.target wants the units named, and the
// commands in last run when they have all started, failed or stopped.
func bootSystemd(t *testing.T, top map[string]string, units []string, last string) map[string]string {
	t.Helper()
	need.Uid0(t)
	need.Tools(t, need.Systemd, "/usr/lib/systemd/systemd", "unshare", "pivot_root", "ip")
	cgroup := ownCgroup(t)
	dir := t.TempDir()
	for _, d := range []string{"fs", "top", "host"} {
		os.Mkdir(filepath.Join(dir, d), 0o755)
	}
	list := strings.Join(units, " ")
	top["etc/systemd/system/test.target"] = "[Unit]\nDefaultDependencies=no\nWants=" + list + " last.service\n"
	top["etc/systemd/system/last.service"] = "[Unit]\nDefaultDependencies=no\nAfter=" + list + "\n" +
		"[Service]\nType=oneshot\nExecStart=-/bin/sh /last\nExecStart=/bin/systemctl exit\n"
	top["last"] = last
	for name, text := range top {
		path := filepath.Join(dir, "top", name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	buildTop(t, filepath.Join(dir, "top"))
	// A hang must not hang the tests: it ends with pid 1. It takes seconds; this is not a
	// measurement but the end of hope.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", boot, "boot", dir, cgroup)
	console, err := cmd.CombinedOutput()
	t.Logf("%v, console:\n%s", err, console)
	written := map[string]string{}
	entries, _ := os.ReadDir(filepath.Join(dir, "host"))
	for _, e := range entries {
		text, _ := os.ReadFile(filepath.Join(dir, "host", e.Name()))
		written[e.Name()] = string(text)
	}
	return written
}

// buildTop puts rdgen's programs that a service in a domain calls into top.
func buildTop(t *testing.T, top string) {
	t.Helper()
	for _, path := range []string{generators.Rdomain, generators.Rdexec} {
		program, err := need.Program("cmd/" + filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("install", "-D", program, filepath.Join(top, path)).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// ownCgroup makes a cgroup for a test, which is emptied and removed at its end.
func ownCgroup(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if f[2] != "cgroup2" {
			continue
		}
		dir := filepath.Join(f[1], fmt.Sprintf("rdgen-test-%d", os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			break
		}
		t.Cleanup(func() {
			os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
			var below []string
			filepath.WalkDir(dir, func(p string, d os.DirEntry, _ error) error {
				if d.IsDir() {
					below = append(below, p)
				}
				return nil
			})
			for i := len(below) - 1; i >= 0; i-- {
				err := syscall.Rmdir(below[i])
				for n := 0; err == syscall.EBUSY && n < 1000; n++ { // until the killed are gone
					time.Sleep(time.Millisecond)
					err = syscall.Rmdir(below[i])
				}
				if err != nil {
					t.Errorf("%s stays: %v", below[i], err)
				}
			}
		})
		return dir
	}
	need.Missing(t, need.Systemd, "no cgroup2 that can be written to is mounted")
	return ""
}

// prober is a unit that says where it ran, and as what it saw the resolver. Its
// sandbox is one that breaks helpers in ExecStart=.
const prober = `[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
User=nobody
ProtectSystem=strict
ProtectControlGroups=yes
NoNewPrivileges=yes
RestrictNamespaces=yes
StandardOutput=append:/host/%p
ExecStartPre=/bin/sh -c 'echo pre $$(readlink /proc/self/ns/net)'
ExecStart=/bin/sh -c 'echo run $$(readlink /proc/self/ns/net) $$(id -un) $$(cat /etc/resolv.conf)'
`

// withoutTargets takes the ordering after sysinit.target from the domain's unit:
// it would start all of this machine's early boot.
func withoutTargets(top map[string]string) {
	name := "etc/systemd/system/" + systemd.Rdomain
	for _, line := range []string{"Requires=sysinit.target\n", "After=sysinit.target network-pre.target\n",
		"Before=network.target shutdown.target\n"} {
		top[name] = strings.Replace(top[name], line, "", 1)
	}
}

// TestBootedSystemd boots the systemd of this machine and lets it run services
// with the files that are generated: one that must run in its namespace, and
// others whose namespace systemd could not enter, each in another way. Of those
// no program may run, not even ExecStartPre=, and the unit must have failed.
func TestBootedSystemd(t *testing.T) {
	top := map[string]string{"etc/netns/blue/resolv.conf": "nameserver 192.0.2.53\n"}
	names := []string{"good", "missing", "ignored", "blind", "stale"}
	domains := map[string]string{"missing": "nosuch", "stale": "stale"}
	var units []string
	for _, name := range names {
		netns := "blue"
		if domains[name] != "" {
			netns = domains[name]
		}
		unit := "lib/systemd/system/" + name + ".service"
		made, _ := generate(t, files(unit, prober), parse(t, netns, ""), name, systemdOf)
		for _, f := range made.Files() {
			top[f.Path[1:]] = string(f.Data)
		}
		top["etc/systemd/system/"+name+".service"] = prober
		units = append(units, name+".service")
	}
	withoutTargets(top)
	// missing, stale: the domain's unit says that it is up, and it is not.
	for _, netns := range []string{"nosuch", "stale"} {
		top["etc/systemd/system/rdomain@"+netns+".service.d/x.conf"] = "[Service]\nExecStart=\nExecStart=/bin/sh -c 'mkdir -p /run/netns; [ %i = nosuch ] || : >/run/netns/%i'\n"
	}
	// ignored: as if this systemd did not know or could not do it.
	dropIn := func(name string) string { return "etc/systemd/system/" + name + ".service.d/" + systemd.DropIn }
	top[dropIn("ignored")] = strings.Replace(top[dropIn("ignored")], "NetworkNamespacePath=", "NetworkNamespacePathOfTheFuture=", 1)
	// blind: the same, and nobody can look.
	top[dropIn("blind")] = strings.NewReplacer("NetworkNamespacePath=", "#", generators.Rdexec, "/usr/sbin/gone").Replace(top[dropIn("blind")])

	got := bootSystemd(t, top, units, `
stat -Lc 'net:[%i]' /run/netns/blue >/host/blue
for s in `+strings.Join(names, " ")+`; do
	echo "$s $(systemctl show -p Result --value $s) $(systemctl show -p AssertResult --value $s) $(systemctl is-failed $s)" >>/host/states
done`)
	blue := strings.TrimSpace(got["blue"])
	if blue == "" {
		t.Fatalf("the domain did not come up: %v", got)
	}
	want := map[string]string{
		"good": "pre " + blue + "\nrun " + blue + " nobody nameserver 192.0.2.53\n",
		"blue": blue + "\n",
		// What the look said is in the log, and nothing else.
		"ignored": "rdexec: fatal: this process is not in netns blue: it is in another network namespace\n",
		"blind":   "", // systemd's own log has it
		"states": "good success yes inactive\nmissing success no inactive\nignored exit-code yes failed\nblind exit-code yes failed\n" +
			"stale success no inactive\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("written by the services (-want +got):\n%s", d)
	}
}

// TestBootedSystemdArguments: a quoted word arrives in a program's argv as it is.
func TestBootedSystemdArguments(t *testing.T) {
	line := "ExecStart=/show"
	for _, s := range odd {
		quoted, err := templates.UnitWord(s)
		if err != nil {
			t.Fatal(err)
		}
		line += " " + quoted
	}
	got := bootSystemd(t, map[string]string{
		"show": "#!/bin/sh\nprintf '%s\\0' \"$@\" >/host/argv\n",
		"etc/systemd/system/odd.service": "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\n" +
			"Environment=HOME=/wrong X=wrong x=wrong\n" + line + "\n",
	}, []string{"odd.service"}, "true")
	if d := cmp.Diff(odd, strings.Split(strings.TrimSuffix(got["argv"], "\x00"), "\x00")); d != "" {
		t.Errorf("argv (-want +got):\n%s", d)
	}
}

// TestBootedSystemdSocket: the socket of a service is made in the namespace too.
func TestBootedSystemdSocket(t *testing.T) {
	fsys := files(
		"lib/systemd/system/web.service", prober,
		"lib/systemd/system/web.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=0.0.0.0:8080\n")
	made, _ := generate(t, fsys, parse(t, "blue", ""), "web", systemdOf)
	top := map[string]string{}
	for _, f := range made.Files() {
		top[f.Path[1:]] = string(f.Data)
	}
	for name, f := range fsys {
		top[strings.Replace(name, "lib", "etc", 1)] = string(f.Data)
	}
	withoutTargets(top)
	got := bootSystemd(t, top, []string{"web.socket"}, `
grep -c ':1F90 00000000:0000 0A' /proc/net/tcp >/host/outside
ip netns exec blue grep -c ':1F90 00000000:0000 0A' /proc/net/tcp >/host/inside`)
	if d := cmp.Diff(map[string]string{"inside": "1\n", "outside": "0\n"}, got); d != "" {
		t.Errorf("sockets that listen (-want +got):\n%s", d)
	}
}
