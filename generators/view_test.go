package generators_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

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
	"copied": {unit: "RootDirectory=/srv/app\nRootEphemeral=yes\nExecStart=/bin/static --help\n", added: "RootDirectoryStartOnly=yes WorkingDirectory=-/"},
	"copied-only": {unit: "RootDirectory=/srv/app\nRootEphemeral=1\nRootDirectoryStartOnly=yes\nWorkingDirectory=/\nExecStart=/bin/static --help\n",
		added: "WorkingDirectory=-/"},
	"copied-in": {unit: "RootDirectory=/srv/app\nRootEphemeral=yes\nWorkingDirectory=/etc\nExecStart=/bin/static --help\n",
		refused: "x.service:6: WorkingDirectory= in a root that is copied"},
	"copied-may": {unit: "RootDirectory=/srv/app\nRootEphemeral=yes\nWorkingDirectory=-/etc\nExecStart=/bin/static --help\n", added: "RootDirectoryStartOnly=yes"},
	"copied-not": {unit: "RootEphemeral=yes\nExecStart=/bin/static --help\n"},
	"noexec":     {unit: "NoExecPaths=/\nExecPaths=/usr/bin /bin /lib /lib64 /usr/lib\nInaccessiblePaths=/usr/sbin\nExecStart=/bin/static --help\n"},
	"tight": {unit: "DynamicUser=yes\nPrivateUsers=yes\nProtectSystem=strict\nProtectProc=invisible\nProcSubset=pid\nProtectControlGroups=yes\n" +
		"PrivateDevices=yes\nNoNewPrivileges=yes\nRestrictNamespaces=yes\nCapabilityBoundingSet=\nRestrictAddressFamilies=AF_UNIX\n" +
		"SystemCallFilter=@system-service\nMemoryDenyWriteExecute=yes\nLimitNOFILE=16\nLimitNPROC=1\nUMask=0777\nExecStart=/bin/echo\n"},
	"both": {unit: "RootDirectory=/srv/app\nExecStartPre=/bin/static --help\nExecStart=/bin/static --help\n",
		refused: "x.service:4: RootDirectory= and ExecStartPre= in one unit"},
	"image": {unit: "RootImage=/srv/app.raw\nExecStop=/bin/static --help\nExecStart=/bin/static --help\n",
		refused: "x.service:4: RootImage= and ExecStop= in one unit"},
	"noproc": {unit: "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr /bin\nExecStart=/bin/static --help\n",
		refused: "x.service:4: TemporaryFileSystem= hides /proc"},
	"link": {unit: "BindReadOnlyPaths=/srv/app/bin:/sbin\nExecStart=/bin/static --help\n",
		refused: "x.service:4: BindReadOnlyPaths= hides /usr/sbin/rdexec"},
	"link-run": {unit: "TemporaryFileSystem=/var/run\nExecStart=/bin/static --help\n", refused: "x.service:4: TemporaryFileSystem= hides /run/netns/blue"},
	"no-link":  {unit: "TemporaryFileSystem=/var\nBindReadOnlyPaths=/srv/app:/var/run -/sbin /srv:/sbinary\nExecStart=/bin/static --help\n"},
	"unknown": {unit: "BindReadOnlyPaths=%h/bin:/usr/sbin\nExecStart=/bin/static --help\n",
		refused: "x.service:4: BindReadOnlyPaths= hides /usr/sbin/rdexec"},
	"emptied": {unit: "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr /bin /proc\nBindPaths=\nExecStart=/bin/static --help\n",
		refused: "x.service:4: TemporaryFileSystem= hides /proc"},
	"tasks":       {unit: "TasksMax=2\nExecStart=/bin/static --help\n", added: "TasksMax=8"},
	"tasks-reset": {unit: "TasksMax=2\nTasksMax=\nExecStart=/bin/static --help\n"},
	"tasks-many":  {unit: "TasksMax=10\nTasksMax=33%\nExecStart=/bin/static --help\n"},
	"resolver-file": {unit: "BindReadOnlyPaths=/etc/machine-id -/etc/resolv.conf\nExecStart=/bin/static --help\n",
		refused: "x.service:4: BindReadOnlyPaths= puts a file of the host on /etc/resolv.conf"},
	"resolver-own": {unit: "BindReadOnlyPaths=-/etc/netns/blue/resolv.conf:/etc/resolv.conf\nExecStart=/bin/static --help\n"},
	"resolver": {unit: "BindReadOnlyPaths=/run/systemd/resolve/io.systemd.Resolve\nExecStart=/bin/static --help\n",
		refused: "x.service:4: BindReadOnlyPaths= shows /run/systemd/resolve/io.systemd.Resolve"},
	"nscd":         {unit: "BindPaths=/srv:/var/run/nscd\nExecStart=/bin/static --help\n", refused: "x.service:4: BindPaths= shows /run/nscd"},
	"writable":     {unit: "ReadWritePaths=/srv -+/run/nscd\nExecStart=/bin/static --help\n", refused: "x.service:4: ReadWritePaths= shows /run/nscd"},
	"runtime":      {unit: "RuntimeDirectory=x systemd/resolve:y\nExecStart=/bin/static --help\n", refused: "x.service:4: RuntimeDirectory= shows /run/systemd/resolve"},
	"runtime-own":  {unit: "RuntimeDirectory=x systemd nscd/x\nExecStart=/bin/static --help\n"},
	"needs-file":   {unit: "InaccessiblePaths=-/run/nscd/x /run/nscd/socket\nExecStart=/bin/static --help\n", refused: "x.service:4: InaccessiblePaths= needs /run/nscd/socket"},
	"needs-link":   {unit: "InaccessiblePaths=/run/systemd/resolve/stub-resolv.conf\nExecStart=/bin/static --help\n", refused: "x.service:4: InaccessiblePaths= needs /run/systemd/resolve"},
	"needs-none":   {unit: "InaccessiblePaths=/run/nscd -/run/nscd/socket\nExecStart=/bin/static --help\n"},
	"no-resolve":   {unit: "BindPaths=/run /run/systemd\nTemporaryFileSystem=/run/nscd\nReadWritePaths=/run\nExecStart=/bin/static --help\n"},
	"layers":       {unit: "ExtensionDirectories=/srv/layer\nExecStart=/usr/bin/layered --help\n", added: "BindReadOnlyPaths=/usr/sbin/rdexec"},
	"layers-usr":   {unit: "ExtensionDirectories=/srv/layer\nBindReadOnlyPaths=/usr\nExecStart=/bin/static --help\n", added: "BindReadOnlyPaths=/usr/sbin/rdexec"},
	"layers-shown": {unit: "ExtensionDirectories=/srv/layer\nBindReadOnlyPaths=/usr/sbin\nExecStart=/usr/bin/layered --help\n"},
	"layers-root": {unit: "RootDirectory=/srv/app\nExtensionDirectories=/srv/layer\nExecStart=/bin/static --help\n",
		added: "RootDirectoryStartOnly=yes BindReadOnlyPaths=/usr/sbin/rdexec"},
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
			if strings.HasPrefix(line, "RootD") || strings.HasPrefix(line, "WorkingD") || strings.HasPrefix(line, "TasksMax") || strings.HasPrefix(line, "BindReadOnlyPaths=/") {
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
	top := map[string]string{"srv/app/etc/os-release": "ID=app\n", "srv/app/usr/.keep": "", "etc/netns/blue/.keep": "",
		// An extension, with another rdexec.
		"srv/layer/usr/lib/extension-release.d/extension-release.layer": "ID=_any\n", "srv/layer/usr/sbin/rdexec": "#!/bin/sh\nexit 1\n"}
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
			if made, err = generators.Disabled([]string{unit}, func(string) bool { return false }, "/etc/conf.d/v-"+name, "rdgen: error: "+err.Error()); err != nil {
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
mkdir -p /srv/app/bin /srv/layer/usr/bin; cp /usr/sbin/rdexec /bin/static; cp /bin/static /srv/app/bin; cp /bin/static /srv/layer/usr/bin/layered
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

// TestBootedSystemdRefusal: a unit that must not start does not, although a drop-in that
// systemd reads later resets the line that it fails by. The daemon was run without it,
// in the default domain.
func TestBootedSystemdRefusal(t *testing.T) {
	// An extension, with a shell that says nothing and succeeds.
	top := map[string]string{"srv/layer/usr/lib/extension-release.d/extension-release.layer": "ID=_any\n", "srv/layer/usr/bin/sh": "#!/usr/bin/true\n"}
	later := map[string]string{ // what systemd reads after rdgen's drop-in
		"plain": "", "layered": "", "reset": "ExecStartPre=\n", "success": "SuccessExitStatus=255\n",
		"known": "ExecStartPre=\nRootDirectory=\nRootDirectoryStartOnly=no\n[Unit]\nAssertPathExists=\nRequires=\nAfter=\n",
	}
	for name, text := range later {
		for _, kind := range []string{"service", "socket"} {
			unit := name + "." + kind
			body := "[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStartPre=/bin/true\nExecStart=+/bin/sh -c 'echo leaked >>/host/leaked; sleep 1000'\n"
			if kind == "socket" {
				body = "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/" + name + ".listens\n"
			}
			if name == "layered" {
				body += "ExtensionDirectories=/srv/layer\n"
			}
			top["etc/systemd/system/"+unit] = body
			section := strings.ToUpper(kind[:1]) + kind[1:]
			undone := name == "known" || kind == "socket" && text != ""
			made, err := generators.Disabled([]string{unit}, func(string) bool { return undone }, "/etc/conf.d/x", "rdgen: error: the reason why")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range made.Files() {
				top[f.Path[1:]] = string(f.Data)
			}
			if text != "" {
				top["etc/systemd/system/"+unit+".d/zz-site.conf"] = "[" + section + "]\n" + text
			}
		}
	}
	top["etc/systemd/system/idle.service"] = "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n"
	got := bootSystemd(t, top, []string{"idle.service"}, `
for n in plain layered reset success known; do for k in socket service; do
	systemctl start $n.$k
	echo "$n.$k $? $(systemctl is-active $n.$k)" >>/host/states
	ls /run/$n.listens >>/host/leaked 2>/dev/null
done; done
for n in plain.service success.service plain.socket; do systemctl status $n --no-pager >/host/why-$n 2>&1; done
systemctl status --no-pager layered reset success known >/host/more 2>&1`)
	var leaks []string
	for _, line := range strings.Split(strings.TrimSpace(got["states"]), "\n") {
		if f := strings.Fields(line); len(f) < 3 || f[1] == "0" || f[2] == "active" || f[2] == "activating" {
			leaks = append(leaks, line)
		}
	}
	if len(leaks) > 0 || got["leaked"] != "" || strings.Count(got["states"], "\n") != 2*len(later) {
		t.Errorf("started: %q, %q\n%s%s", leaks, got["leaked"], got["states"], got["more"])
	}
	for _, unit := range []string{"plain.service", "success.service", "plain.socket"} {
		// The line came to its end: it has said why.
		if !strings.Contains(got["why-"+unit], "status=255/EXCEPTION") {
			t.Errorf("%s does not say why:\n%s", unit, got["why-"+unit])
		}
	}
	if !strings.Contains(got["states"], "plain.service 1 failed\n") || !strings.Contains(got["states"], "plain.socket 1 failed\n") {
		t.Errorf("not failed:\n%s", got["states"])
	}
}

// TestViewOfLinks: /usr/sbin is /usr/bin on some machines, and on others /sbin is a folder of
// its own.
func TestViewOfLinks(t *testing.T) {
	merged := fstest.MapFS{"usr/sbin": {Mode: fs.ModeSymlink | 0o777, Data: []byte("bin")}, "sbin": {Mode: fs.ModeSymlink | 0o777, Data: []byte("usr/bin")}}
	apart := fstest.MapFS{"sbin/x": {}, "usr/sbin/x": {}}
	for _, c := range []struct {
		machine       fstest.MapFS
		unit, refused string
		added         string
	}{
		{merged, "TemporaryFileSystem=/usr/bin\n", "", "BindReadOnlyPaths=/usr/bin/rdexec"},
		{merged, "BindReadOnlyPaths=/srv:/usr/bin\n", "BindReadOnlyPaths= hides /usr/bin/rdexec", ""},
		{merged, "TemporaryFileSystem=/sbin\n", "TemporaryFileSystem= hides /usr/bin/rdexec", ""},
		{merged, "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr/bin /proc /run\n", "", "BindReadOnlyPaths=/usr/sbin/rdexec"},
		{merged, "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr /proc /run\n", "", ""},
		{apart, "TemporaryFileSystem=/sbin\n", "", ""},
		{apart, "TemporaryFileSystem=/usr/sbin\n", "", "BindReadOnlyPaths=/usr/sbin/rdexec"},
	} {
		fsys := maps.Clone(c.machine)
		fsys["lib/systemd/system/x.service"] = &fstest.MapFile{Data: []byte("[Service]\n" + c.unit + "ExecStart=/bin/x\n")}
		job, err := services.NewLoader(fsys, parse(t, "blue", "")).Systemd.Load("x")
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := job.Files()
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v; want %q", c.unit, err, c.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.unit, err)
			continue
		}
		var added []string
		for line := range strings.Lines(text(t, made, systemd.Etc+"/x.service.d/"+systemd.DropIn)) {
			if strings.HasPrefix(line, "BindReadOnlyPaths=/") {
				added = append(added, strings.TrimSuffix(line, "\n"))
			}
		}
		if got := strings.Join(added, " "); got != c.added {
			t.Errorf("%s: added %q; want %q", c.unit, got, c.added)
		}
	}
}
