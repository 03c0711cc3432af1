package generators_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/services"
	"rdgen/systemd"
)

// rooted are units with a file tree of their own: what of the unit follows Type=,
// and what is added to its drop-in, or the error.
var rooted = map[string]struct{ unit, added, refused string }{
	"plain":     {unit: "ExecStart=/bin/static --help\n"},
	"run":       {unit: "TemporaryFileSystem=/run\nExecStart=/bin/static --help\n", added: "BindReadOnlyPaths=/run/netns/blue"},
	"run-netns": {unit: "TemporaryFileSystem=/run/netns:ro,size=1M\nExecStart=/bin/static --help\n", added: "BindReadOnlyPaths=/run/netns/blue"},
	"sbin":      {unit: "TemporaryFileSystem=/usr/sbin /opt\nExecStart=/bin/static --help\n", added: "BindReadOnlyPaths=/usr/sbin/rdexec"},
	"all": {unit: "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr/bin /bin /lib /lib64 /usr/lib -/nowhere /proc /dev\nExecStart=/bin/static --help\n",
		added: "BindReadOnlyPaths=/usr/sbin/rdexec BindReadOnlyPaths=/run/netns/blue"},
	"usr":    {unit: "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr /bin /run/netns /proc\nExecStart=/bin/static --help\n"},
	"root":   {unit: "RootDirectory=/srv/app\nExecStart=/bin/static --help\n", added: "RootDirectoryStartOnly=yes"},
	"only":   {unit: "RootDirectory=/srv/app\nRootDirectoryStartOnly=yes\nExecStartPre=/bin/true\nExecStart=/bin/static --help\n"},
	"noexec": {unit: "NoExecPaths=/\nExecPaths=/usr/bin /bin /lib /lib64 /usr/lib\nInaccessiblePaths=/usr/sbin\nExecStart=/bin/static --help\n"},
	"tight": {unit: "DynamicUser=yes\nPrivateUsers=yes\nProtectSystem=strict\nProtectProc=invisible\nProcSubset=pid\nProtectControlGroups=yes\n" +
		"PrivateDevices=yes\nNoNewPrivileges=yes\nRestrictNamespaces=yes\nCapabilityBoundingSet=\nRestrictAddressFamilies=AF_UNIX\n" +
		"SystemCallFilter=@system-service\nMemoryDenyWriteExecute=yes\nLimitNOFILE=16\nLimitNPROC=1\nUMask=0777\nExecStart=/bin/echo\n"},
	"both": {unit: "RootDirectory=/srv/app\nExecStartPre=/bin/static --help\nExecStart=/bin/static --help\n",
		refused: "x.service:4: RootDirectory= and ExecStartPre= in one unit"},
	"image": {unit: "RootImage=/srv/app.raw\nExecStop=/bin/static --help\nExecStart=/bin/static --help\n",
		refused: "x.service:4: RootImage= and ExecStop= in one unit"},
	"noproc": {unit: "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr /bin\nExecStart=/bin/static --help\n",
		refused: "x.service:4: TemporaryFileSystem= hides /proc"},
	"other": {unit: "BindReadOnlyPaths=/srv/app/bin:/usr/sbin\nExecStart=/bin/static --help\n",
		refused: "x.service:4: BindReadOnlyPaths= hides /usr/sbin/rdexec"},
}

// TestView: what is added for a unit with a file tree of its own, and which of
// them are refused.
func TestView(t *testing.T) {
	for name, c := range rooted {
		fsys := files("lib/systemd/system/x.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\n"+c.unit)
		job, err := services.NewLoader(fsys, parse(t, "blue", "")).Systemd.Load("x")
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := job.Files()
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v; want %q", name, err, c.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var added []string
		for line := range strings.Lines(text(t, made, systemd.Etc+"/x.service.d/"+systemd.DropIn)) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "RootD") || strings.HasPrefix(line, "BindReadOnlyPaths=/") {
				added = append(added, line)
			}
		}
		if got := strings.Join(added, " "); got != c.added {
			t.Errorf("%s: added %q; want %q", name, got, c.added)
		}
	}
}

// TestBootedSystemdView: units with a file tree of their own start in the domain,
// or fail and say why. They must not be skipped.
func TestBootedSystemdView(t *testing.T) {
	top := map[string]string{"srv/app/etc/.keep": "", "etc/netns/blue/.keep": ""}
	var names, started, failed []string
	for name, c := range rooted {
		unit := "v-" + name + ".service"
		names = append(names, name)
		body := "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\n" + c.unit
		top["etc/systemd/system/"+unit] = body
		job, err := services.NewLoader(files("lib/systemd/system/"+unit, body), parse(t, "blue", "")).Systemd.Load("v-" + name)
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := job.Files()
		if err != nil {
			failed = append(failed, name)
			if made, err = generators.Disabled([]string{unit}, "/etc/conf.d/v-"+name, "rdgen: error: "+err.Error()); err != nil {
				t.Fatal(err)
			}
		} else {
			started = append(started, name)
		}
		for _, f := range made.Files() {
			top[f.Path[1:]] = string(f.Data)
		}
	}
	withoutTargets(top)
	slices.Sort(names)
	// The program is rdexec itself, which needs no other file.
	got := bootSystemd(t, top, []string{"rdomain@blue.service"}, `
mkdir -p /srv/app/bin; cp /usr/sbin/rdexec /bin/static; cp /bin/static /srv/app/bin
for n in `+strings.Join(names, " ")+`; do
	systemctl start v-$n
	echo "$n $? $(systemctl is-active v-$n)" >>/host/states
	systemctl status v-$n --no-pager >/host/status-$n 2>&1
done`)
	want := ""
	for _, name := range names {
		if slices.Contains(started, name) {
			want += name + " 0 active\n"
		} else {
			want += name + " 1 failed\n"
		}
	}
	if d := cmp.Diff(want, got["states"]); d != "" {
		t.Errorf("started, and refused %v (-want +got):\n%s", failed, d)
		for name, text := range got {
			t.Logf("%s:\n%s", name, text)
		}
	}
}
