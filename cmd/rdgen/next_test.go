package main

import (
	"slices"
	"strings"
	"testing"

	"rdgen/openrc"
	"rdgen/runtime/domain"
	"rdgen/services"
)

// nextHere is what set or unset prints on a machine whose files are below dir.
func nextHere(t *testing.T, dir, service string, want ...openrc.Assignment) string {
	t.Helper()
	root, err := openRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	before := services.NewLoader(root, domain.Domain{})
	edit, err := before.Edit(service, want)
	if err != nil {
		t.Fatal(err)
	}
	inits, _, err := (&steering{root: dir}).judge(edit)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	then, err := (&steering{root: "/"}).next(edit, service, before, inits)
	if err != nil {
		t.Fatal(err)
	}
	if err := then.print(&b, edit, false, false); err != nil {
		t.Fatal(err)
	}
	_, next, _ := strings.Cut(strings.TrimSuffix(b.String(), "\n"), "\nnext: ")
	return next
}

// TestNextHere: the command that comes next on this machine is that of its init system. A
// socket that is not enabled is restarted if somebody started it; one that is, or that the unit
// names, comes along. What systemd keeps sockets of is stopped and started.
func TestNextHere(t *testing.T) {
	with := func(files []string, more ...string) []string { return slices.Concat(files, more) }
	private := openrc.Assignment{Key: "netns", Value: "private"}
	const unit = "usr/lib/systemd/system/"
	generator := []string{"usr/lib/systemd/system-generators/rdgen", "", "etc/rdomain/private.conf", "[Domain]\nKind=netns\n",
		unit + "web.service", "[Service]\nExecStart=/bin/web\n"}
	socket := with(generator, unit+"web.socket", "[Socket]\nListenStream=80\n")
	openRC := []string{"etc/rdomain/private.conf", "[Domain]\nKind=netns\n", "etc/rc.conf.d/50-rdgen.conf", "", "etc/init.d/rdomain.private", "#!/sbin/openrc-run\n",
		"etc/init.d/web", declarative}
	s6 := func(dir string) []string {
		return []string{dir + "/type", "longrun\n", dir + "/run", "#!/bin/execlineb -P\nweb\n", "etc/rdomain/private.conf", "[Domain]\nKind=netns\n"}
	}
	const reload = "systemctl daemon-reload && "
	for name, row := range map[string]struct {
		files []string
		set   openrc.Assignment
		want  string
	}{
		"unit":  {generator, private, reload + "systemctl restart web.service"},
		"unset": {with(generator, "etc/conf.d/web", "netns=private\n"), openrc.Assignment{Key: "netns"}, reload + "systemctl restart web.service"},
		"stops by commands": {with(generator, unit+"web.service", "[Service]\nExecStart=/bin/web\nExecStopPost=/bin/undo\n"), private,
			"systemctl stop web.service && " + reload + "systemctl start web.service"},
		"stops by commands, no generator": {with(generator[2:], unit+"web.service", "[Service]\nExecStart=/bin/web\nExecStop=/bin/undo\n"), private,
			"rdgen systemd web -o / && systemctl stop web.service && " + reload + "systemctl start web.service"},
		"socket stays": {with(socket, "etc/conf.d/web", "netns=private\n", "etc/systemd/system/sockets.target.wants/web.socket", "[Socket]\n"), openrc.Assignment{Key: "socket_domain", Value: "default"},
			reload + "systemctl stop web.socket web.service && systemctl start web.socket web.service"},
		"no start by hand": {with(generator, unit+"web.service", "[Unit]\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/web\n"), private,
			reload + "systemctl stop web.service"},
		"no stop by hand": {with(generator, unit+"web.service", "[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart=/bin/web\n"), private,
			"web.service cannot be stopped by hand (RefuseManualStop=): systemctl daemon-reload, and then reboot, or kill its main process"},
		"pinned, and systemd 252 does not": {with(generator, "usr/lib/systemd/libsystemd-shared-252.so", "", unit+"web.service", "[Service]\nFileDescriptorStoreMax=4\nFileDescriptorStorePreserve=yes\nExecStart=/bin/web\n"), private,
			reload + "systemctl stop web.service && systemctl start web.service"},
		"companion's template": {with(generator, unit+"web@.service", "[Unit]\nPartOf=web.service\n[Service]\nFileDescriptorStoreMax=4\nFileDescriptorStorePreserve=yes\nExecStart=/bin/web\n"), private,
			reload + "systemctl restart web.service, and restart its other instances"},
		"no generator":       {generator[2:], private, "rdgen systemd web -o / && " + reload + "systemctl restart web.service"},
		"socket not enabled": {socket, private, reload + "systemctl stop web.service && systemctl try-restart web.socket && systemctl start web.service"},
		"socket enabled": {with(socket, "etc/systemd/system/sockets.target.wants/web.socket", "[Socket]\n"), private,
			reload + "systemctl stop web.socket web.service && systemctl start web.socket web.service"},
		"socket named": {with(socket, unit+"web.service", "[Service]\nExecStart=/bin/web\nSockets=%p.socket\n"), private,
			reload + "systemctl stop web.socket web.service && systemctl start web.socket web.service"},
		"store": {with(generator, unit+"web.service", "[Service]\nFileDescriptorStoreMax=4\nExecStart=/bin/web\n"), private,
			reload + "systemctl stop web.service && systemctl start web.service"},
		"pinned": {with(generator, unit+"web.service", "[Service]\nFileDescriptorStoreMax=4\nFileDescriptorStorePreserve=yes\nExecStart=/bin/web\n"), private,
			reload + "systemctl stop web.service && { systemctl clean --what=fdstore web.service; systemctl start web.service; }"},
		"OpenRC":         {openRC, private, "rc-service web restart"},
		"OpenRC, no way": {openRC, openrc.Assignment{Key: "netns", Value: "fresh"}, "ln -s rdomain /etc/init.d/rdomain.fresh && rc-service web restart"},
		"OpenRC runs":    {with(openRC, unit+"web.service", "[Service]\nExecStart=/bin/web\n", "run/openrc/softlevel", "default"), private, "rc-service web restart"},
		"artix": {with(s6("etc/s6/sv/web-srv"), "etc/s6/adminsv/keep", ""), private,
			"rdgen s6 web -o / && s6-db-reload && s6-rc -u change web && s6-svc -r /run/s6-rc/servicedirs/web-srv"},
		"s6-rc": {s6("etc/s6-rc/source/web"), private,
			"rdgen s6 web -o /, compile (s6-rc-compile), switch to that database (s6-rc-update), and s6-svc -r /run/s6-rc/servicedirs/web"},
		"s6-rc, unset": {with(s6("etc/s6-rc/source/web"), "etc/conf.d/web", "netns=private\n"), openrc.Assignment{Key: "netns"},
			"take rdgen's lines out of the source directory (docs/s6.md, To take it back), compile, and restart web"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, row.files...)
			if got := nextHere(t, dir, "web", row.set); got != row.want {
				t.Errorf("%s; want\n%s", got, row.want)
			}
		})
	}
	// A name that begins with "-" was read as options.
	for want, files := range map[string][]string{
		"rdgen systemd -o / -- -dash && " + reload + "systemctl restart -- -dash.service": {unit + "-dash.service", "[Service]\nExecStart=/bin/web\n"},
		"rc-service -- -dash restart": with(openRC, "etc/init.d/-dash", declarative),
	} {
		dir := t.TempDir()
		write(t, dir, with(files, "etc/rdomain/private.conf", "[Domain]\nKind=netns\n")...)
		if got := nextHere(t, dir, "-dash", private); got != want {
			t.Errorf("%s; want\n%s", got, want)
		}
	}
}
