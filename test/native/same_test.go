package native

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// sameService is a service and what rdgen s6 has to make of it: the same process, or
// with refused an error that says so.
type sameService struct {
	text, conf, refused string
	// truth is added to the script for OpenRC alone, where a real daemon would go
	// to the background by itself.
	truth string
	// lost are what rdgen says that it does not carry over.
	lost string
}

// TestSameAsOpenRC starts daemons by OpenRC and by what rdgen s6 makes of their
// scripts, and compares the processes.
func TestSameAsOpenRC(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		list := slices.Concat(sameScripts, moreScripts, oddScripts, wildScripts)
		if len(list) < 300 {
			t.Fatalf("%d scripts; want 300", len(list))
		}
		sameAsOpenRC(t, m, list)
		m.Put(t, "/etc/rc.conf.d/90-gizmo.conf", 0o644, []byte("rc_ulimit=\"-n 3000\"\nexport GIZMO_ALL=1 GIZMO_CONF=2\n: ${command_args:=-all}\n"))
		sameAsOpenRC(t, m, globalScripts)
		if m.Release == "forky" {
			sameAsOpenRC(t, m, newerScripts)
		}
	})
}

// globalScripts are run with an rc.conf.d that says something for all services.
var globalScripts = []sameService{
	{text: supervised, conf: "export GIZMO_CONF=3"},
	{text: supervised + "rc_ulimit=\"-n 99\"\ncommand_args=-x\nexport GIZMO_ALL=4"},
	{text: background + "unset GIZMO_ALL\ncommand_args=\"$command_args $GIZMO_CONF\""},
}

// newerScripts say what OpenRC does not know before 0.6x.
var newerScripts = []sameService{
	{text: background + "input_file=/etc/passwd"},
	{text: background + "input_file=/etc/passwd\noutput_log=/var/log/gizmo/in.log\ncommand_user=gizmo\numask=027"},
	{text: supervised + "input_file=\"/etc/group\"\ncommand_user=gizmo:mail"},
	{text: background + "start_stop_daemon_args=\"--stdin /etc/passwd\""},
	{text: supervised + "input_file=in", refused: "is not an absolute path"},
	{text: supervised + "input_file=", refused: "is empty"},
}

func sameAsOpenRC(t *testing.T, m *Machine, list []sameService) {
	t.Helper()
	if m.Release == "bookworm" {
		// Its start-stop-daemon is Debian's own, and has other options; its
		// supervise-daemon is built without capabilities.
		list = slices.DeleteFunc(slices.Clone(list), func(s sameService) bool {
			return !strings.Contains(s.text+s.truth, "supervisor=") || strings.Contains(s.text, "capabilities=")
		})
	}
	for i, s := range list {
		name := fmt.Sprintf("g%03d", i)
		m.Put(t, "/etc/conf.d/"+name, 0o644, []byte(s.conf+"\n"))
		m.Put(t, "/etc/init.d/"+name, 0o755, []byte("#!/sbin/openrc-run\n"+s.text+"\n"+s.truth+"\n"))
	}
	truth := sameRun(t, m, "openrc_all", list)
	for i, s := range list {
		m.Put(t, fmt.Sprintf("/etc/init.d/g%03d", i), 0o755, []byte("#!/sbin/openrc-run\n"+s.text+"\n"))
	}
	sameCompare(t, truth, sameRun(t, m, "s6_all", list), list)
}

// TestSameAsSystemd does so with units.
func TestSameAsSystemd(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		list := slices.Concat(sameUnits, moreUnits, oddUnits, wildUnits)
		if m.Release == "bookworm" { // which does not know it
			list = slices.DeleteFunc(list, func(s sameService) bool { return strings.Contains(s.text, "SetLoginEnvironment=") })
		}
		sameAsSystemd(t, m, list)
	})
}

func sameAsSystemd(t *testing.T, m *Machine, list []sameService) {
	t.Helper()
	for i, s := range list {
		m.Put(t, fmt.Sprintf("/etc/systemd/system/g%03d.service", i), 0o644, []byte("[Service]\n"+s.text+"\n"))
	}
	m.Sh(t, "systemctl daemon-reload")
	truth := sameRun(t, m, "systemd_all", list)
	sameCompare(t, truth, sameRun(t, m, "s6_all", list), list)
}

// TestSameHasEachSetting: each setting that rdgen.s6(5) says is carried over is in one of
// the scripts or units, and is not refused there.
func TestSameHasEachSetting(t *testing.T) {
	page, err := os.ReadFile("../../man/rdgen.s6.5")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), ".Ss From a script\n")
	scripts, units, ok := strings.Cut(rest, ".Ss From a unit\n")
	if !ok {
		t.Fatal("the page has other headings")
	}
	carried := func(part string) (names []string) {
		for line := range strings.Lines(part[:strings.Index(part, ".El\n")]) {
			if list, ok := strings.CutPrefix(line, ".It Li "); ok {
				names = append(names, strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' })...)
			}
		}
		return names
	}
	for what, c := range map[string]struct {
		names []string
		list  []sameService
	}{
		"scripts": {carried(scripts), slices.Concat(sameScripts, moreScripts, oddScripts, newerScripts)},
		"units":   {carried(units), slices.Concat(sameUnits, moreUnits, oddUnits)},
	} {
		if len(c.names) < 15 {
			t.Errorf("of %s the page has only %v", what, c.names)
		}
		for _, name := range append(c.names, limits[what]...) {
			switch name {
			case "notify", "Type=notify", "ReloadSignal=", "ExecReload=": // TestCarriedOver of generators
				continue
			case "stop", "stopsig", "retry", "KillSignal=", "ExecStop=", "TimeoutStopSec=", "SendSIGKILL=": // TestStoppedAsOpenRC, TestStoppedAsSystemd
				continue
			}
			name, _, _ = strings.Cut(name, "*")
			if !slices.ContainsFunc(c.list, func(s sameService) bool { return s.refused == "" && strings.Contains(s.text+s.conf, name) }) {
				t.Errorf("no test starts one of the %s that has %s", what, name)
			}
		}
	}
}

// limits are what the page has as Limit*=.
var limits = map[string][]string{"units": {"LimitCPU=", "LimitFSIZE=", "LimitDATA=", "LimitSTACK=", "LimitCORE=", "LimitRSS=", "LimitNOFILE=",
	"LimitAS=", "LimitNPROC=", "LimitMEMLOCK=", "LimitLOCKS=", "LimitSIGPENDING=", "LimitMSGQUEUE=", "LimitRTPRIO=", "LimitRTTIME=", "LimitNICE=",
	"CPUSchedulingPriority=", "CPUSchedulingResetOnFork=", "IOSchedulingClass=", "IOSchedulingPriority=",
	"RuntimeDirectoryMode=", "RuntimeDirectoryPreserve=", "StateDirectoryMode=", "CacheDirectoryMode=", "PermissionsStartOnly="}}

// sameRun returns the facts of each service.
func sameRun(t *testing.T, m *Machine, how string, list []sameService) [][]string {
	t.Helper()
	m.PutProgram(t, "/usr/sbin/gizmod", "test/native/idle")
	m.PutProgram(t, "/usr/local/bin/facts", "test/native/facts")
	m.Put(t, "/usr/local/lib/same.sh", 0o644, []byte(guest.Await+script(t, "same")))
	m.Sh(t, script(t, "same-setup"))
	facts := make([][]string, len(list))
	var names []string
	for i, s := range list {
		if how == "s6_all" || s.refused == "" {
			names = append(names, fmt.Sprintf("g%03d", i))
		}
	}
	for some := range slices.Chunk(names, 20) {
		out := m.Sh(t, ". /usr/local/lib/same.sh\n"+how+" "+strings.Join(some, " "))
		for _, section := range strings.Split(out, "=== g")[1:] {
			var i int
			fmt.Sscanf(section, "%d", &i)
			facts[i] = strings.Split(strings.TrimSpace(section), "\n")[1:]
		}
	}
	return facts
}

// ofInit are the variables of an init system itself, which a daemon is not
// configured by; PATH is compared where the service sets it.
var ofInit = []string{"PATH", "TERM", "LANG", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_", "CONSOLETYPE", "EERROR_QUIET", "IN_DRYRUN",
	"SVCNAME", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "SHELL", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
	"CPU_PRESSURE_WATCH", "CPU_PRESSURE_WRITE", "IO_PRESSURE_WATCH", "IO_PRESSURE_WRITE", "NOTIFY_SOCKET", "MAINPID"}

// sameCompare compares the facts of what the init system started and what s6 did.
func sameCompare(t *testing.T, truth, s6 [][]string, list []sameService) {
	t.Helper()
	right, refused, lost := 0, 0, 0
	for i, s := range list {
		settled := func(facts []string) (kept []string) {
			for _, f := range facts {
				name, _, _ := strings.Cut(strings.TrimPrefix(f, "env: "), "=")
				switch own := strings.Contains(s.text+s.conf, name+"="); {
				case strings.HasPrefix(f, "lost: "):
				case strings.HasPrefix(f, "env: ") && slices.Contains(ofInit, name) && !own:
				case f == "env: USER=root" && strings.Contains(s.text, "ExecStart=") && !strings.Contains(s.text, "User="): // of systemd 254 and newer
				case strings.HasPrefix(f, "env: RC_"), strings.HasPrefix(f, "env: EINFO_"), strings.HasPrefix(f, "env: SSD_"): // not in 0.6x
				default:
					kept = append(kept, strings.Join(strings.Fields(f), " "))
				}
			}
			return kept
		}
		got, want := settled(s6[i]), settled(truth[i])
		said := strings.Join(s6[i], "\n")
		switch {
		case s.refused != "":
			refused++
			if !strings.HasPrefix(said, "refused: ") || !strings.Contains(said, s.refused) {
				t.Errorf("%d: %q: %s; want that it is refused: %s", i, s.text, said, s.refused)
			}
		case strings.Contains(strings.Join(truth[i], "\n"), "failed: "):
			t.Errorf("%d: %q, %q: not started by the init system: %q", i, s.text, s.conf, truth[i])
		case !slices.Equal(got, want) || strings.Contains(said, "failed: "):
			t.Errorf("%d: %q, %q:%s", i, s.text, s.conf, sameDiff(want, got))
		case !strings.Contains(said, s.lost):
			t.Errorf("%d: %q: %q is not said to be lost:\n%s", i, s.text, s.lost, said)
		case s.lost != "":
			lost++
		default:
			right++
		}
	}
	t.Logf("%d services: %d the same, %d the same except what is named, %d refused", len(list), right, lost, refused)
}

func sameDiff(want, got []string) string {
	var b strings.Builder
	for _, w := range want {
		if !slices.Contains(got, w) {
			b.WriteString("\n\tinit -" + w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			b.WriteString("\n\ts6   +" + g)
		}
	}
	return b.String()
}
