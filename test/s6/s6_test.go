package s6

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// lib are the shell functions of the tests. until_ waits for a condition.
var lib = guest.Await + `
until_() { await eval "$1" || { cat /run/scan.log /run/log/*/current; return 1; }; }
pid() { s6-svstat -o pid "$1"; }
scan() { mkdir -p /run/scan; setsid s6-svscan /run/scan >/run/scan.log 2>&1 & until_ 's6-svscanctl -z /run/scan'; }
listens() { [ "$(ip netns exec "$1" ss -Htln | grep -c ":$2 ")" = 1 ] && [ "$(ss -Htln | grep -c ":$2 ")" = 0 ]; }
`

// host makes the sandbox a machine with this project installed, and two
// services: a unit, and a source directory of its own.
func host(t *testing.T) {
	t.Helper()
	sandbox.Need(t)
	var programs []string
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		path, err := need.Program("cmd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, path)
	}
	// /usr/sbin is the machine's: what is put there goes with the sandbox.
	sandbox.Sh(t, `mkdir -p /run/over/up /run/over/work /run/empty
		mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=/run/over/up,workdir=/run/over/work /usr/sbin
		cp `+strings.Join(programs, " ")+` /usr/sbin/
		echo 'root:x:0:0::/:/bin/sh' >/etc/passwd; echo 'root:x:0:' >/etc/group
		mkdir -p /etc/conf.d /etc/systemd/system /run/log /var/log
		mount -t tmpfs log /var/log; mount --bind /var/log /run/log`)
	t.Cleanup(func() {
		sandbox.Sh(t, lib+`s6-svscanctl -t /run/scan 2>/dev/null || :; until_ '! s6-svscanctl -z /run/scan'
			rdomain down --all 2>/dev/null || rdomain down t1
			umount /run/log /var/log /usr/sbin; umount -l /run/netns 2>/dev/null || :; rm -rf /run/* /etc/conf.d /etc/systemd /etc/s6-rc /etc/s6 /etc/rdomain/*`)
	})
	write(t, "/etc/systemd/system/web.service", "[Service]\nExecStart="+busybox(t)+" httpd -f -p 8080 -h /run/empty\n")
	write(t, "/etc/conf.d/web", "netns=t1\n")
}

func busybox(t *testing.T) string { return need.Tools(t, need.S6, "busybox")[0] }

func write(t *testing.T, path, text string) {
	t.Helper()
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	if err := os.MkdirAll(path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestSvscan: without s6-rc, by an ordinary s6-svscan.
func TestSvscan(t *testing.T) {
	need.Tools(t, need.S6, "s6-svscan", "execlineb", "busybox")
	host(t)
	write(t, "/etc/s6/services/own/run", "#!/bin/sh\nexec 2>&1\nexec busybox nc -ll -p 8081 -e /bin/cat\n")
	write(t, "/etc/conf.d/own", "netns=t1\n")
	sandbox.Sh(t, lib+`
		rdgen s6 --all --flavor svscan -o /
		scan
		for s in web own; do ln -s /etc/s6/services/$s /run/scan/; done
		s6-svscanctl -a /run/scan
		until_ 'listens t1 8080'; until_ 'listens t1 8081'
		s6-svstat -o ready /run/scan/web/log | grep -q true || until_ 's6-svstat -o ready /run/scan/web/log | grep true'
		pid /run/scan/web >/run/old
		kill -9 "$(cat /run/old)"
		until_ '[ "$(pid /run/scan/web)" != "$(cat /run/old)" ] && listens t1 8080'
		s6-svc -wd -d /run/scan/web
		[ -z "$(ip netns exec t1 ss -Htln | grep :8080)" ]
		# Nobody can make the domain: the reason is in the log, and nothing runs.
		rdomain down t1
		echo nonsense >/etc/rdomain/t1.conf
		s6-svc -u /run/scan/web
		until_ 'grep -q "rdomain: fatal: .*/etc/rdomain/t1.conf" /var/log/web/current'
		[ -z "$(ss -Htln)" ]
		rm /etc/rdomain/t1.conf
		until_ 'listens t1 8080'`)
}

// TestS6RC: all of it by the real s6-rc: dependencies, readiness, reload, and
// the order in which things go down.
func TestS6RC(t *testing.T) {
	need.Tools(t, need.S6RC, "s6-rc-compile", "s6-rc-init", "s6-rc", "s6-rc-update", "s6-svscan", "busybox")
	host(t)
	write(t, "/etc/rdomain/t1.conf", "[Domain]\nKind=netns\n\n[Link d0]\nKind=veth\nPeer=d0-out\nAddress=192.0.2.1/24\n")
	// Of its own: a longrun with a deprecated list of dependencies and its pipe, a oneshot.
	write(t, "/etc/s6-rc/source/own/type", "longrun\n")
	write(t, "/etc/s6-rc/source/own/dependencies", "first\n")
	write(t, "/etc/s6-rc/source/own/producer-for", "own-log\n")
	write(t, "/etc/s6-rc/source/own/notification-fd", "3\n")
	write(t, "/etc/s6-rc/source/own/down-signal", "SIGUSR1\n")
	write(t, "/etc/s6-rc/source/own/run", "#!/bin/sh\nexec 2>&1\necho arguments: \"$@\"\ntrap 'echo got USR1; exit 0' USR1\necho >&3\nexec 3>&-\nwhile :; do sleep 1 & wait; done\n")
	write(t, "/etc/s6-rc/source/own-log/type", "longrun\n")
	write(t, "/etc/s6-rc/source/own-log/consumer-for", "own\n")
	write(t, "/etc/s6-rc/source/own-log/run", "#!/bin/execlineb -P\ns6-log t /var/log/own\n")
	write(t, "/etc/s6-rc/source/first/type", "oneshot\n")
	write(t, "/etc/s6-rc/source/first/up", "redirfd -w 1 /run/first ip netns identify\n")
	write(t, "/etc/s6-rc/source/first/down", "redirfd -w 1 /run/first.down ip netns identify\n")
	write(t, "/etc/conf.d/own", "netns=t1\n")
	write(t, "/etc/conf.d/first", "netns=t1\n")
	out := sandbox.Sh(t, lib+`
		rdgen s6 --all -o /
		rdgen check own first
		s6-rc-compile /run/compiled /etc/s6-rc/source
		s6-rc-db -c /run/compiled dependencies web | sort
		echo --
		s6-rc-db -c /run/compiled contents web-pipeline | sort
		echo --
		s6-rc-db -c /run/compiled script rdomain-t1 | tr '\0' ' '; echo
		s6-rc-db -c /run/compiled -d script rdomain-t1 | tr '\0' ' '`)
	want := "rdomain-t1\ns6rc-fdholder\nweb-log\n--\nweb\nweb-log\n--\n/usr/sbin/rdomain up t1 \n/usr/sbin/rdomain down t1 "
	if out != want {
		t.Errorf("s6-rc-db says\n%s\nwant\n%s", out, want)
	}
	sandbox.Sh(t, lib+`
		scan
		s6-rc-init -c /run/compiled -l /run/s6-rc /run/scan
		s6-rc -l /run/s6-rc -u -t 20000 change web-pipeline own
		until_ 'listens t1 8080'
		[ "$(cat /run/first)" = t1 ]
		rdomain identify "$(pid /run/scan/own)" | grep -qx t1
		s6-rc -l /run/s6-rc -a list | grep -qx rdomain-t1
		s6-svc -h /run/scan/web
		# An edited file is applied while the services go on.
		pid /run/scan/web >/run/old
		sed -i 's,192.0.2.1/24,192.0.2.9/24,' /etc/rdomain/t1.conf`)
	if _, err := exec.Command("s6-rc", "-l", "/run/s6-rc", "reload", "rdomain-t1").CombinedOutput(); err != nil {
		t.Logf("this s6-rc has no reload; as before 0.7: %v", err)
		sandbox.Sh(t, "rdomain reload t1")
	}
	sandbox.Sh(t, lib+`
		ip -n t1 -4 address show d0 | grep -q 192.0.2.9
		[ "$(pid /run/scan/web)" = "$(cat /run/old)" ]
		kill -9 "$(cat /run/old)"
		until_ '[ "$(pid /run/scan/web)" != "$(cat /run/old)" ] && listens t1 8080'
		# A new service is taken into the live database.
		rdgen s6 web -o /
		s6-rc-compile /run/compiled2 /etc/s6-rc/source
		s6-rc-update -l /run/s6-rc /run/compiled2
		until_ 'listens t1 8080'
		# The domain goes down after its services.
		s6-rc -l /run/s6-rc -d -t 20000 change rdomain-t1
		grep -q "got USR1" /var/log/own/current
		[ "$(cat /run/first.down)" = t1 ]
		[ -z "$(ip netns list)" ]
		[ -z "$(ss -Htln)" ]
		! s6-rc -l /run/s6-rc -a list | grep -E '^(web|own|rdomain-t1)$' || exit 1
		# A domain that cannot be made: nothing of what needs it is started.
		echo nonsense >/etc/rdomain/t1.conf
		! s6-rc -l /run/s6-rc -u -t 20000 change web || exit 1
		! s6-rc -l /run/s6-rc -a list | grep -x web || exit 1
		[ -z "$(ss -Htln)" ]
		s6-rc -l /run/s6-rc -da change
		s6-svscanctl -t /run/scan; until_ '! s6-svscanctl -z /run/scan'
		`)
}

// TestStore: a service of a package's store, wrapped, and its domain in the
// administrator's, by s6-rc's own tools.
func TestStore(t *testing.T) {
	need.Tools(t, need.S6RC, "s6-rc-repo-init", "s6-rc-set-new", "s6-rc-set-change", "s6-rc-set-commit", "s6-rc-repo-sync")
	dir := t.TempDir()
	write(t, dir+"/usr/share/s6/sources/web/type", "longrun\n")
	write(t, dir+"/usr/share/s6/sources/web/run", "#!/bin/sh\nexec web\n")
	write(t, dir+"/etc/s6/sources/other/type", "longrun\n")
	write(t, dir+"/etc/s6/sources/other/run", "#!/bin/sh\nexec other\n")
	write(t, dir+"/etc/conf.d/web", "netns=t1\n")
	out := sandbox.Sh(t, `cd `+dir+`
		s6-rc-repo-init -v 0 -r repo "$PWD/etc/s6/sources" "$PWD/usr/share/s6/sources"
		s6-rc-set-new -r repo current
		(cd `+cwd(t)+` && go run rdgen/cmd/rdgen s6 --all --root `+dir+` -o `+dir+`)
		s6-rc-repo-sync -v 0 -r repo
		s6-rc-set-change -r repo -p current active web
		s6-rc-set-commit -r repo current 2>/dev/null
		s6-rc-set-status -r repo current | sort`)
	if want := "other/usable\nrdomain-t1/active\nweb/active\n"; out != want {
		t.Errorf("the set is %q; want %q", out, want)
	}
}

func cwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
