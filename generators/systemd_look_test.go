package generators_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/systemd"
)

// TestLook: the look is the first command of the unit, and the unit's own follow
// word for word.
func TestLook(t *testing.T) {
	const line = "=+/usr/sbin/rdexec --look -n t1 -v mgmt"
	for name, c := range map[string]struct {
		unit  string
		files []string // more of them: path, text
		want  []string
	}{
		"none of its own: a later version's are not lost": {"ExecStart=/bin/x\n", nil, []string{"ExecStartPre" + line}},
		"its own": {"ExecStartPre=-/bin/a  'b c' %i $$X \\\n  more\nExecStartPre=+!/bin/b\nExecStart=/bin/x\n", nil,
			[]string{"ExecStartPre=", "ExecStartPre" + line, "ExecStartPre=-/bin/a  'b c' %i $$X    more", "ExecStartPre=+!/bin/b"}},
		"a backslash that blanks follow": {"ExecStartPre=/bin/a \\ \nExecStartPre=/bin/b \\\\\nExecStopPost=/bin/d \\\t\nExecStart=/bin/x\n", nil,
			[]string{"ExecStartPre=", "ExecStartPre" + line, `ExecStartPre=/bin/a \\`, `ExecStartPre=/bin/b \\`, "ExecStopPost=", "ExecStopPost" + line, `ExecStopPost=/bin/d \\`}},
		"reset by itself": {"ExecStartPre=/bin/a\nExecStartPre=\nExecStartPre=/bin/b\nExecStart=/bin/x\n", nil,
			[]string{"ExecStartPre=", "ExecStartPre" + line, "ExecStartPre=/bin/b"}},
		"a condition comes before all": {"ExecCondition=/bin/c\nExecStartPre=/bin/a\nExecStart=/bin/x\n", nil,
			[]string{"AssertFileIsExecutable=/usr/sbin/rdexec", "ExecCondition=", "ExecCondition" + line, "ExecCondition=/bin/c"}},
		"what runs after a look that failed, too": {"ExecStopPost=-/bin/d %i\nExecStart=/bin/x\n", nil,
			[]string{"ExecStartPre" + line, "ExecStopPost=", "ExecStopPost" + line, "ExecStopPost=-/bin/d %i"}},
		"a drop-in's": {"ExecStartPre=/bin/a\nExecStart=/bin/x\n", []string{
			"etc/systemd/system/x.service.d/override.conf", "[Service]\nExecStartPre=/bin/b\n"},
			[]string{"ExecStartPre=", "ExecStartPre" + line, "ExecStartPre=/bin/a", "ExecStartPre=/bin/b"}},
		"a drop-in's reset": {"ExecStartPre=/bin/a\nExecStart=/bin/x\n", []string{
			"run/systemd/system/service.d/override.conf", "[Service]\nExecStartPre=\n"}, []string{"ExecStartPre" + line}},
	} {
		fsys := files(append([]string{"lib/systemd/system/x.service", "[Service]\n" + c.unit}, c.files...)...)
		made, _ := generate(t, fsys, parse(t, "t1", "mgmt"), "x", systemdOf)
		var got []string
		for l := range strings.Lines(text(t, made, systemd.Etc+"/x.service.d/"+systemd.DropIn)) {
			if strings.HasPrefix(l, "Exec") || strings.HasPrefix(l, "AssertFile") {
				got = append(got, strings.TrimSuffix(l, "\n"))
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestLookOfInstances: an instance with a drop-in of its own keeps its commands.
func TestLookOfInstances(t *testing.T) {
	fsys := files(
		"lib/systemd/system/x@.service", "[Service]\nExecStartPre=/bin/a\nExecStart=/bin/x\n",
		"etc/systemd/system/x@one.service.d/o.conf", "[Service]\nExecStartPre=/bin/one\n",
		"etc/systemd/system/x@two.service.d/o.conf", "[Service]\nExecStartPre=/bin/two\n", "etc/conf.d/x@two", "netns=other\n",
		"etc/conf.d/x@", "netns=t1\n")
	made, _ := generate(t, fsys, domain.Domain{}, "x@", systemdOf)
	const own = "ExecStartPre=/bin/a\n"
	if got := text(t, made, systemd.Etc+"/x@.service.d/"+systemd.DropIn); !strings.Contains(got, own) || strings.Contains(got, "/bin/one") {
		t.Errorf("the template's:\n%s", got)
	}
	if got := text(t, made, systemd.Etc+"/x@one.service.d/"+systemd.DropIn); !strings.Contains(got, own+"ExecStartPre=/bin/one\n") {
		t.Errorf("the instance's:\n%s", got)
	}
	for _, f := range made.Files() {
		if strings.Contains(f.Path, "x@two") {
			t.Errorf("%s: x@two is in a domain of its own", f.Path)
		}
	}
}

// TestLookRefused: a unit in which a look that fails would not stop the start.
func TestLookRefused(t *testing.T) {
	for name, c := range map[string]struct {
		unit  string
		files []string
		want  string
	}{
		"the look's own exit code":        {"SuccessExitStatus=1 255\n", nil, "/lib/systemd/system/x.service:2: 255 would count as success"},
		"in another base":                 {"SuccessExitStatus=0xFF\n", nil, "0xFF would count as success"},
		"with a zero before it":           {"SuccessExitStatus=0377\n", nil, "0377 would count as success"},
		"systemd's":                       {"SuccessExitStatus=EXEC\n", nil, "EXEC would count as success"},
		"a signal":                        {"SuccessExitStatus=SIGKILL\n", nil, "SIGKILL would count as success"},
		"that of a journal which is gone": {"IgnoreSIGPIPE=no\nSuccessExitStatus=TERM PIPE\n", nil, "/lib/systemd/system/x.service:3: PIPE would count as success"},
		"a drop-in that comes later": {"", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nExecStartPre=\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: ExecStartPre= in a drop-in that systemd reads after rdgen's"},
		"one that adds what runs after it": {"", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nExecStopPost=/bin/d\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: ExecStopPost= in a drop-in that systemd reads after rdgen's"},
		"one that shows the host's resolvers": {"", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nTemporaryFileSystem=\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: TemporaryFileSystem= in a drop-in that systemd reads after rdgen's"},
		"one that takes its own away": {"", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nBindPaths=\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: BindPaths= in a drop-in that systemd reads after rdgen's"},
		"a runtime that fails":  {"LimitAS=64M\nSuccessExitStatus=0 2\n", nil, "2 would count as success"},
		"the same, by its name": {"LimitNPROC=1\nSuccessExitStatus=INVALIDARGUMENT\n", nil, "INVALIDARGUMENT would count as success"},
		"one with fewer tasks than the look has": {"", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nTasksMax=2\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: TasksMax= in a drop-in that systemd reads after rdgen's"},
		"one that has the look in its root": {"RootDirectory=/srv\n", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nRootDirectoryStartOnly=no\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: RootDirectoryStartOnly= in a drop-in that systemd reads after rdgen's"},
		"a namespace of its users": {"DelegateNamespaces=mnt net\n", nil, "/lib/systemd/system/x.service:2: DelegateNamespaces= has systemd"},
		"all of them":              {"DelegateNamespaces=no\nDelegateNamespaces=yes\nDelegateNamespaces=~mnt\n", nil, "x.service:3: DelegateNamespaces= has"},
		"all but another":          {"DelegateNamespaces=net\nDelegateNamespaces=\nDelegateNamespaces=~mnt\n", nil, "x.service:4: DelegateNamespaces= has"},
		"one that a drop-in delegates": {"DelegateNamespaces=~net\n", []string{"etc/systemd/system/x.service.d/zzz.conf", "[Service]\nDelegateNamespaces=net\n"},
			"/etc/systemd/system/x.service.d/zzz.conf:2: DelegateNamespaces= has"},
	} {
		fsys := files(append([]string{"lib/systemd/system/x.service", "[Service]\n" + c.unit + "ExecStart=/bin/x\n"}, c.files...)...)
		job, err := services.NewLoader(fsys, parse(t, "t1", "mgmt")).Systemd.Load("x")
		if err == nil {
			_, _, err = job.Files()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	for _, unit := range []string{"SuccessExitStatus=2 101\n", "SuccessExitStatus=PIPE\n", "IgnoreSIGPIPE=yes\nSuccessExitStatus=SIGPIPE\n", "DelegateNamespaces=mnt\n", "DelegateNamespaces=yes\nDelegateNamespaces=~net\n", "DelegateNamespaces=~net\n", "DelegateNamespaces=yes\nDelegateNamespaces=no\n"} {
		job, err := services.NewLoader(files("lib/systemd/system/x.service", "[Service]\n"+unit+"ExecStart=/bin/x\n"), parse(t, "t1", "")).Systemd.Load("x")
		if err == nil {
			_, _, err = job.Files()
		}
		if err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
	for _, word := range []string{"0", "1", "77", "143", "199", "0x10", "256", "SIGTERM", "TERM", "DATAERR", "CANTCREAT", "CONFIG"} {
		if generators.IsLookFailure(word, true) {
			t.Errorf("SuccessExitStatus=%s is refused", word)
		}
	}
}
