package native

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// stopped is a service and at which signal its daemon ends by itself, and what rdgen
// says is lost of how it is stopped.
type stopped struct{ text, ends, lost string }

// stoppedScripts are stopped by OpenRC and by s6.
var stoppedScripts = []stopped{
	{"", "TERM", ""},
	{"retry=1", "never", ""},
	{"retry=30", "TERM", ""},
	{"retry=INT/1", "never", ""},
	{"retry=SIGUSR2/30", "USR2", ""},
	{"retry=-HUP/1", "never", ""},
	{"retry=-2/1", "never", ""},
	{"retry=TERM/1/KILL/5", "never", ""},
	{"retry=SIGINT/1/SIGKILL/5\nstopsig=USR1", "never", ""},
	{"retry=INT/30/KILL", "INT", ""},
	{"retry=TERM/1/TERM/1/KILL/5", "TERM", "retry="},
	{"retry=TERM/forever", "TERM", "retry="},
}

// stoppedSupervised are stopped by supervise-daemon alone, and stoppedOtherwise by
// start-stop-daemon: a stop() of their own would have the other one start them again.
var (
	stoppedSupervised = []stopped{
		{"stopsig=INT", "INT", "before, supervise-daemon sends SIGTERM"},
		{"stopsig=3", "TERM", "stopsig="},
		{"retry=1\nstopsig=QUIT", "never", "stopsig="},
	}
	stoppedOtherwise = []stopped{
		{"stopsig=INT", "INT", ""},
		{"stopsig=SIGUSR1", "USR1", ""},
		{"stopsig=3", "QUIT", ""},
		{"retry=1\nstopsig=QUIT", "never", ""},
		{"stopsig=USR1\nstop() {\n\tebegin \"Stopping\"\n\tstart-stop-daemon --stop --pidfile \"$pidfile\" --retry INT/1/KILL/5\n\teend $?\n}", "never", ""},
		{"retry=INT/1/KILL/5\nstop() { start-stop-daemon -K -p $pidfile -s QUIT -R 1; }", "never", ""},
		{"stop() { start-stop-daemon --stop --exec $command; }", "TERM", ""},
		{"stop() { start-stop-daemon --stop --exec $command; rm -f /run/x; }", "TERM", "stop() but"},
		{"stop() { pkill -TERM -x hears; }", "TERM", "stop()"},
	}
)

// stoppedUnits are stopped by systemd and by s6.
var stoppedUnits = []stopped{
	{"", "TERM", ""},
	{"KillSignal=SIGINT", "INT", ""},
	{"KillSignal=USR1", "USR1", ""},
	{"KillSignal=3", "QUIT", ""},
	{"TimeoutStopSec=1", "never", ""},
	{"TimeoutSec=1", "never", ""},
	{"TimeoutSec=1h\nTimeoutStopSec=1s", "never", ""},
	{"TimeoutStopSec=1h\nTimeoutSec=1s", "never", ""},
	{"TimeoutStopSec=1\nKillSignal=SIGUSR2", "never", ""},
	{"TimeoutStopSec=1\nSendSIGKILL=no", "never", "a second time"},
	{"TimeoutStopSec=infinity", "TERM", ""},
	{"KillMode=mixed", "TERM", "KillMode="},
	{"ExecStop=/bin/kill -QUIT $MAINPID", "QUIT", "right after it"},
}

// TestStoppedAsOpenRC stops daemons by OpenRC and by s6, and compares the signals that
// they get, and whether they still run then.
func TestStoppedAsOpenRC(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		for _, by := range []struct {
			name, head string
			list       []stopped
		}{
			{"start-stop-daemon", "command_background=yes\npidfile=\"/run/${RC_SVCNAME}.pid\"\n", stoppedOtherwise},
			{"supervise-daemon", "supervisor=supervise-daemon\n", stoppedSupervised},
		} {
			if by.name == "start-stop-daemon" && m.Release == "bookworm" { // it is Debian's own, and has other options
				continue
			}
			t.Run(by.name, func(t *testing.T) {
				list := slices.Concat(stoppedScripts, by.list)
				for i, s := range list {
					text := fmt.Sprintf("#!/sbin/openrc-run\n%scommand=/usr/sbin/hears\ncommand_args='/run/got %s'\n%s\n", by.head, s.ends, s.text)
					m.Put(t, fmt.Sprintf("/etc/init.d/g%03d", i), 0o755, []byte(text))
				}
				stoppedSame(t, m, "openrc_stop", list)
			})
		}
	})
}

// TestStoppedAsSystemd does so with units.
func TestStoppedAsSystemd(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		for i, s := range stoppedUnits {
			text := fmt.Sprintf("[Service]\nType=exec\nExecStart=/usr/sbin/hears /run/got %s\n%s\n", s.ends, s.text)
			m.Put(t, fmt.Sprintf("/etc/systemd/system/g%03d.service", i), 0o644, []byte(text))
		}
		m.Sh(t, "systemctl daemon-reload")
		stoppedSame(t, m, "systemd_stop", stoppedUnits)
	})
}

func stoppedSame(t *testing.T, m *Machine, how string, list []stopped) {
	t.Helper()
	m.PutProgram(t, "/usr/sbin/hears", "test/native/hears")
	m.Put(t, "/usr/local/lib/stop.sh", 0o644, []byte(guest.Await+script(t, "stop")))
	m.Sh(t, "rdomain up same")
	var names []string
	for i := range list {
		names = append(names, fmt.Sprintf("g%03d", i))
	}
	facts := func(how string) (each [][]string) {
		out := m.Sh(t, ". /usr/local/lib/stop.sh\n"+how+" "+strings.Join(names, " "))
		for _, section := range strings.Split(out, "=== g")[1:] {
			each = append(each, strings.Split(strings.TrimSpace(section), "\n")[1:])
		}
		return each
	}
	same, lost := 0, 0
	truth, s6 := facts(how), facts("s6_stop")
	for i, s := range list {
		got := slices.DeleteFunc(slices.Clone(s6[i]), func(f string) bool { return strings.HasPrefix(f, "lost: ") })
		switch {
		case s.lost != "" && !strings.Contains(strings.Join(s6[i], "\n"), s.lost):
			t.Errorf("%q: %q is not said to be lost: %q", s.text, s.lost, s6[i])
		case s.lost != "":
			lost++
		case !slices.Equal(got, truth[i]) || len(got) != 2:
			t.Errorf("%q, of which the daemon ends at %s: %q by the init system, %q by s6", s.text, s.ends, truth[i], got)
		default:
			same++
		}
	}
	t.Logf("%d services: %d are stopped in the same way, of %d it is said what is lost", len(list), same, lost)
}
