// Package s6 has the real s6 of a release run what rdgen s6 makes, in a guest of
// any kind and in a domain of any kind.
package s6

import (
	_ "embed"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rdgen/test/guest"
)

// ticker says who and where it is, and when it gets a signal.
const ticker = `#!/bin/sh
trap 'echo got HUP' HUP
trap 'echo got TERM; exit 0' TERM
echo "started $0 $* as $(id -un)"
[ -z "$READY" ] || echo >&3
exec 3>&-
while :; do sleep 2 & wait; done
`

// Domain is where the services run that are not in namespaces of other names: one
// that is called mgmt, and one more. The commands are given a port as $1.
type Domain struct {
	Key     string // in conf.d: "vrf" or "netns"
	File    string // /etc/rdomain/mgmt.conf
	Listens string // succeeds if something listens inside
	Gone    string // succeeds if there is no such domain

	Other        string // the ID of one more
	OtherFile    string
	OtherListens string
	Sockets      int // of those in mgmt, how many the host sees
}

// The kinds of domains.
var (
	Netns = Domain{
		"netns", "[Domain]\nKind=netns\n", "ip netns exec mgmt ss -Htln | grep -q :$1", "[ ! -e /run/netns/mgmt ]",
		"t3", "[Domain]\nKind=netns\n", "ip netns exec t3 ss -Htln | grep -q :$1", 0,
	}
	VRF = Domain{
		"vrf", "[Domain]\nKind=vrf\nTable=10\n\n[Link d0]\nKind=dummy\nAddress=10.20.30.40/24\n",
		"ss -Htln | grep -q %mgmt:$1", "! ip link show mgmt 2>/dev/null",
		"inner@t2", "[Domain]\nKind=vrf\nTable=20\n", "ip netns exec t2 ss -Htln | grep -q %inner:$1", 1,
	}
)

// lib are the shell functions of the tests.
//
//go:embed lib.sh
var lib string

// Test has the s6 of a guest run what rdgen s6 makes, in a domain of the kind d.
func Test(t *testing.T, m *guest.Guest, d Domain) {
	m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(d.File))
	m.Put(t, "/usr/local/sbin/ticker", 0o755, []byte(ticker))
	m.Put(t, "/usr/local/lib/s6.sh", 0o644, []byte(guest.Await+lib+"listens() { "+d.Listens+"; }\nother_listens() { "+d.OtherListens+"; }\ngone() { "+d.Gone+"; }\n"))
	t.Logf("%s", m.Sh(t, "dpkg-query -W s6 execline"))
	t.Run("source", func(t *testing.T) { source(t, m, d) })
	t.Run("closed", func(t *testing.T) { failsClosed(t, m, d) })
	t.Run("codes", func(t *testing.T) { exitCodes(t, m) })
	t.Run("notify", func(t *testing.T) { notify(t, m) })
	t.Run("svscan", func(t *testing.T) { svscan(t, m) })
	t.Run("instances", func(t *testing.T) { instances(t, m, d) })
}

// source: a daemon from an OpenRC script in a VRF, and source directories
// of others, in execline, sh and bash, wrapped.
func source(t *testing.T, m *guest.Guest, d Domain) {
	putServices(t, m, d)
	m.Sh(t, `. /usr/local/lib/s6.sh
		mkdir -p /srv/scan
		ln -s rdomain /etc/init.d/rdomain.mgmt
		rdgen s6 --all -o /
		rdgen s6 --all --check
		rdgen check
		oneshot rdomain-mgmt up
		rdomain check mgmt
		scan /srv/scan
		place
		s6-svscanctl -a /srv/scan
		until_ 'listens 8080'
		until_ 's6-svstat -o ready /srv/scan/xl | grep -q true'
		grep -q "started /usr/local/sbin/ticker *as nobody" /var/log/xl/current
		ps -o user= -p "$(pid /srv/scan/httpd)" | grep -q nobody`)
	where := func(name string) {
		t.Helper()
		if got := m.Sh(t, `. /usr/local/lib/s6.sh; until_ "rdomain identify \$(s6-svstat -o pid /srv/scan/`+name+`) | grep -q mgmt"; rdomain identify $(pid /srv/scan/`+name+`)`); strings.TrimSpace(got) != "mgmt" {
			t.Errorf("%s runs in %q; want mgmt", name, got)
		}
	}
	for _, name := range []string{"httpd", "xl", "sh-bindash-eu", "sh-usrbinenvbash", "sh-binbusyboxsh", "sh-usrlocalbinwith-contenvsh"} {
		where(name)
	}
	if got := m.Sh(t, "cat /run/sh-*.out"); strings.Count(got, "entered no\n") != 4 || strings.Count(got, "started") != 4 {
		t.Errorf("the shell scripts said %q; want each once, and no mark left in the environment", got)
	}
	// A signal, and a crash: the next process is in the domain again.
	m.Sh(t, `. /usr/local/lib/s6.sh
		until_ 'grep -q "started /usr/local/sbin/ticker" /var/log/xl/current' # it has its traps by then
		s6-svc -h /srv/scan/xl
		until_ 'grep -q "got HUP" /var/log/xl/current'
		for s in httpd xl sh-binbusyboxsh; do pid /srv/scan/$s >/run/$s.old; kill -9 "$(cat /run/$s.old)"; done
		for s in httpd xl sh-binbusyboxsh; do until_ "s6-svstat -o up,pid /srv/scan/$s | grep true && ! [ \$(s6-svstat -o pid /srv/scan/$s) = $(cat /run/$s.old) ]"; done
		until_ 'listens 8080'
		until_ 'grep -q mgmt /run/xl.finish'`)
	for _, name := range []string{"httpd", "xl", "sh-binbusyboxsh"} {
		where(name)
	}
	if got := m.Sh(t, "cat /run/xl.finish"); got != "mgmt\n" {
		t.Errorf("finish runs in %q; want mgmt", got)
	}
	if got := m.Sh(t, "ss -Htln"); strings.Count(got, ":8080") != strings.Count(got, "%mgmt:8080") {
		t.Errorf("something listens outside:\n%s", got)
	}
	m.Sh(t, `. /usr/local/lib/s6.sh; s6-svscanctl -t /srv/scan; until_ '! s6-svscanctl -z /srv/scan'; until_ '! pidof s6-supervise'; rm -rf /srv/scan; oneshot rdomain-mgmt down; oneshot rdomain-mgmt down; gone`)
}

// putServices puts the services of source into the guest.
func putServices(t *testing.T, m *guest.Guest, d Domain) {
	put := func(path, text string) {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		m.Put(t, path, mode, []byte(text))
	}
	put("/etc/init.d/httpd", "#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args=\"httpd -f -p 8080 -h /mnt\"\ncommand_background=yes\npidfile=/run/h.pid\ncommand_user=nobody\n")
	put("/etc/conf.d/httpd", d.Key+"=mgmt\n")
	put("/etc/conf.d/xl", d.Key+"=mgmt\n")
	put("/etc/s6-rc/source/xl/type", "longrun\n")
	put("/etc/s6-rc/source/xl/notification-fd", "3\n")
	put("/etc/s6-rc/source/xl/run", "#!/bin/execlineb -P\nfdmove -c 2 1\ns6-envdir ./env\ns6-setuidgid nobody\n/usr/local/sbin/ticker\n")
	put("/etc/s6-rc/source/xl/finish", "#!/bin/sh\nrdomain identify $$ >/run/xl.finish\n")
	put("/etc/s6-rc/source/xl/env/READY", "1")
	put("/etc/s6-rc/source/xl/producer-for", "xl-log\n")
	put("/etc/s6-rc/source/xl-log/type", "longrun\n")
	put("/etc/s6-rc/source/xl-log/consumer-for", "xl\n")
	put("/etc/s6-rc/source/xl-log/run", "#!/bin/execlineb -P\ns6-log T /var/log/xl\n")
	for _, sh := range []string{"/bin/dash -eu", "/usr/bin/env bash", "/bin/busybox sh", "/usr/local/bin/with-contenv sh"} {
		name := "sh-" + strings.NewReplacer("/", "", " ", "").Replace(sh)
		put("/etc/conf.d/"+name, d.Key+"=mgmt\n")
		put("/etc/s6-rc/source/"+name+"/type", "longrun\n")
		put("/etc/s6-rc/source/"+name+"/run", "#!"+sh+"\n# a comment\nexec 2>&1\nexec >>/run/"+name+".out\necho \"entered ${rdgen_entered-no}\"\nexec /usr/local/sbin/ticker \"$@\"\n")
	}
	// As s6-overlay's: what it executes has none of the environment.
	put("/usr/local/bin/with-contenv", "#!/bin/execlineb -S0\nemptyenv -p\nexec\n$@\n")
}

// failsClosed: no domain, no rdexec, no BPF. The service does not run, its
// log says why, and it is tried about once a second.
func failsClosed(t *testing.T, m *guest.Guest, d Domain) {
	for _, c := range []struct{ name, before, svscan, after, want string }{
		{"no domain", ":", "", ":", "rdexec: fatal: unable to enter " + d.Key + " mgmt"},
		{"no rdexec", "rdomain up mgmt; mv /usr/sbin/rdexec /root/", "", "mv /root/rdexec /usr/sbin/", "/usr/sbin/rdexec: No such file or directory"},
		{"no BPF", ":", "setpriv --bounding-set -all", "rdomain down mgmt", "operation not permitted"},
	} {
		log := m.Sh(t, `. /usr/local/lib/s6.sh
			rm -rf /srv/scan /var/log/httpd; mkdir /srv/scan
			`+c.before+`
			place
			rm -rf /srv/scan/sh-* /srv/scan/xl
			setsid `+c.svscan+` s6-svscan /srv/scan >/srv/scan.log 2>&1 &
			until_ '[ $(grep -c . /var/log/httpd/current) -ge 4 ]'
			! ss -Htln | grep :8080 || exit 1
			! pidof busybox || exit 1
			until_ 's6-svscanctl -t /srv/scan'; until_ '! pidof s6-supervise'
			`+c.after+`
			cat /var/log/httpd/current`)
		lines := strings.Split(strings.TrimSpace(log), "\n")
		var first, last time.Time
		for i, line := range lines {
			if !strings.Contains(line, c.want) {
				t.Errorf("%s: the log says %q; want %q", c.name, line, c.want)
			}
			at, err := time.Parse("2006-01-02 15:04:05.999999999", line[:min(29, len(line))])
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = at
			}
			last = at
		}
		// s6-supervise starts nothing twice within a second; on a busy machine a line may be
		// late in the log, so this is about all of them.
		if tries := time.Duration(len(lines) - 1); last.Sub(first) < tries*time.Second/2 {
			t.Errorf("%s: %d tries within %v", c.name, tries+1, last.Sub(first))
		}
	}
}

// exitCodes: 100 ends the restarts, anything else does not.
func exitCodes(t *testing.T, m *guest.Guest) {
	m.Put(t, "/usr/local/sbin/fails", 0o755, []byte("#!/bin/sh\necho $1 >>/run/fails.$1\nexit $1\n"))
	for _, code := range []string{"100", "111", "1"} {
		m.Put(t, "/etc/init.d/f"+code, 0o755, []byte("#!/sbin/openrc-run\ncommand=/usr/local/sbin/fails\ncommand_args="+code+"\ncommand_background=yes\npidfile=/run/f.pid\n"))
	}
	m.Sh(t, `. /usr/local/lib/s6.sh
		rm -rf /srv/scan /etc/s6-rc/source; mkdir /srv/scan
		rdomain up t9
		rdgen s6 f100 f111 f1 --netns t9 -o /
		place
		scan /srv/scan
		until_ '[ $(cat /run/fails.111 | wc -l) -ge 3 ] && [ $(cat /run/fails.1 | wc -l) -ge 3 ]'
		until_ 's6-svstat -o up,exitcode /srv/scan/f100 | grep -qx "false 100"'
		[ $(cat /run/fails.100 | wc -l) = 1 ]
		s6-svscanctl -t /srv/scan; until_ '! pidof s6-supervise'; rdomain down t9`)
}

// notify: a unit of Type=notify tells s6 that it is ready, where s6 can
// listen; elsewhere rdgen says that it cannot.
func notify(t *testing.T, m *guest.Guest) {
	m.Put(t, "/usr/local/sbin/notifies", 0o755, []byte("#!/bin/sh\nprintf 'READY=1\\n' | socat - \"ABSTRACT-SENDTO:${NOTIFY_SOCKET#@}\"\nexec sleep 1000\n"))
	m.Put(t, "/lib/systemd/system/notifies.service", 0o644, []byte("[Service]\nType=notify\nUser=nobody\nExecStart=/usr/local/sbin/notifies\nTimeoutStartSec=30\n"))
	out := m.Run(t, "rdgen", "s6", "notifies", "--netns", "t9", "-o", "/")
	can := m.Run(t, "test", "-e", "/usr/bin/s6-notify-fd-from-socket").Code == 0
	if can != (m.Release == "forky") {
		t.Errorf("s6-notify-fd-from-socket is there: %t", can)
	}
	if !can {
		if out.Code != 0 || !strings.Contains(out.Stderr, "readiness (Type=notify) is not carried over") {
			t.Errorf("rdgen s6 = %d, %q; want a warning about readiness", out.Code, out.Stderr)
		}
		return
	}
	m.Sh(t, `. /usr/local/lib/s6.sh
		rm -rf /srv/scan; mkdir /srv/scan
		rm -rf /etc/s6-rc/source/f*
		rdomain up t9
		place
		scan /srv/scan
		until_ 's6-svstat -o ready /srv/scan/notifies | grep -q true'
		rdomain identify $(pid /srv/scan/notifies) | grep -qx t9
		s6-svscanctl -t /srv/scan; until_ '! pidof s6-supervise'; rdomain down t9`)
}

// svscan: service directories without s6-rc bring their domain up
// themselves.
func svscan(t *testing.T, m *guest.Guest) {
	m.Put(t, "/etc/s6/services/wrapped/run", 0o755, []byte("#!/bin/sh\nexec 2>&1\nexec /usr/local/sbin/ticker\n"))
	m.Put(t, "/etc/conf.d/wrapped", 0o644, []byte("netns=t2\n"))
	m.Sh(t, `. /usr/local/lib/s6.sh
		rm -rf /srv/scan /etc/conf.d/sh-* /etc/conf.d/xl /var/log/httpd /etc/s6-rc; mkdir /srv/scan
		rdgen s6 --all --flavor svscan -o /
		rdgen check
		for s in httpd wrapped; do ln -s /etc/s6/services/$s /srv/scan/$s; done
		scan /srv/scan
		until_ 'listens 8080'
		until_ 'rdomain identify $(s6-svstat -o pid /srv/scan/wrapped) | grep -qx t2'
		rdomain identify $(pid /srv/scan/httpd) | grep -qx mgmt
		# The domain goes while the service runs: it comes back inside, or not at all.
		rdomain down t2
		s6-svc -r /srv/scan/wrapped
		until_ 'rdomain identify $(s6-svstat -o pid /srv/scan/wrapped) | grep -qx t2'
		# A domain that cannot be made: the service does not run.
		rdomain down t2
		printf '[Domain]\nKind=vrf\n' >/etc/rdomain/t2.conf
		s6-svc -r /srv/scan/wrapped
		until_ 'grep -q "rdomain: fatal: .*t2.conf" /srv/scan.log'
		! pidof -x ticker || exit 1
		rm /etc/rdomain/t2.conf
		until_ 'rdomain identify $(s6-svstat -o pid /srv/scan/wrapped) | grep -qx t2'
		s6-svscanctl -t /srv/scan; until_ '! pidof s6-supervise'; rdomain down t2 mgmt; rm -rf /srv/scan /etc/conf.d/wrapped`)
}

// instances: instances of a template, made while s6 runs, each in the
// domain that it is called as.
func instances(t *testing.T, m *guest.Guest, d Domain) {
	m.Put(t, "/etc/rdomain/"+d.Other+".conf", 0o644, []byte(d.OtherFile))
	m.Put(t, "/lib/systemd/system/webs.service", 0o644, []byte("[Service]\nUser=nobody\nExecStart=/bin/busybox httpd -f -p 8081 -h /mnt\n"))
	m.Sh(t, `. /usr/local/lib/s6.sh
		mkdir -p /srv/scan
		rdgen s6 webs@ --flavor svscan -o /
		s6-instance-maker -L /var/log/webs -t 2 /etc/s6/services/webs@ /srv/webs
		ln -s /srv/webs /srv/scan/webs
		scan /srv/scan
		until_ 's6-instance-list /srv/scan/webs'
		for i in t1 mgmt `+d.Other+`; do s6-instance-create /srv/scan/webs $i; done
		until_ 'ip netns exec t1 ss -Htln | grep -q ":8081"'
		until_ 'listens 8081'
		until_ 'other_listens 8081'
		[ $(s6-instance-list /srv/scan/webs | wc -l) = 3 ]
		[ $(ss -Htln | grep -c :8081) = `+strconv.Itoa(d.Sockets)+` ]
		s6-instance-delete /srv/scan/webs t1
		until_ '! ip netns exec t1 ss -Htln | grep -q :8081'
		listens 8081
		# A name that is no domain's ID never runs.
		s6-instance-create /srv/scan/webs no:such
		until_ 'grep -q "rdomain: fatal: .*no:such" /var/log/webs/current'
		[ $(pidof busybox | wc -w) = 2 ]
		s6-svscanctl -t /srv/scan; until_ '! pidof s6-supervise'; rdomain down t1 mgmt `+d.Other)
}
