package generators_test

import (
	"strings"
	"testing"

	"rdgen/services"
)

// started makes run from an init script with these lines, and conf.d/web with those.
func started(t *testing.T, script, conf string, more ...string) (string, error) {
	t.Helper()
	fsys := files(append([]string{"etc/init.d/web", "#!/sbin/openrc-run\n" + script + "\n", "etc/conf.d/web", conf + "\n"}, more...)...)
	job, err := services.NewLoader(fsys, parse(t, "t1", "")).S6.Load("web")
	if err != nil {
		return "", err
	}
	made, _, err := job.Files()
	if err != nil {
		return "", err
	}
	return text(t, made, "/etc/s6-rc/source/web/run"), nil
}

// TestScriptIsStartedAsByOpenRC: what start-stop-daemon and supervise-daemon are
// given, and the environment, are what the process under s6 has. Each line of want, but
// its "; ", is a line of run.
func TestScriptIsStartedAsByOpenRC(t *testing.T) {
	const bg = "command=/bin/x\ncommand_background=yes\npidfile=/run/x\n"
	const sup = "command=/bin/x\nsupervisor=supervise-daemon\n"
	for _, c := range []struct{ script, conf, want string }{
		// The environment.
		{bg + `export DB="${DB:-/var/lib/x.db}"`, "export LISTEN=127.0.0.1:80", "export DB /var/lib/x.db; export LISTEN 127.0.0.1:80"},
		{bg + "A=1\nexport A\nA=2", "", "export A 2"},
		{bg + "export A=1\nunset A\nexport RC_X=1 SSD_Y=2 EINFO_Z=3 SVCNAME=4", "", "export USER root; /usr/sbin/rdexec -n t1 --"},
		{bg + "export PATH=/opt/bin:/bin", "", "/usr/sbin/rdexec -n t1 --; export PATH /opt/bin:/bin; /bin/x"},
		{bg + "PATH=/opt/bin:/bin", "", "export PATH /opt/bin:/bin"},
		{bg + "export HOME=/a", "", "export HOME /a"},
		{bg + "export HOME=/a\ncommand_user=web", "", "backtick -n -i HOME { homeof web }; export USER web"},
		{bg + "command_user=web\nstart_stop_daemon_args='-e USER=c'", "", "export USER c"},
		// Programs of several words, and eval.
		{sup + "command='/bin/x serve'\ncommand_args='--port 80'", "", "/bin/x serve --port 80"},
		{"command='/bin/x serve'\ncommand_args='--port 80'\ncommand_background=1\npidfile=/run/x", "", "/bin/x serve --port 80"},
		{bg + `base=/srv/x` + "\ncommand='$base/bin/x'\n" + `directory='"/srv/my x"'`, "", `cd "/srv/my x"; /srv/x/bin/x`},
		{bg + "directory='$base/d'", "base=/srv", "cd /srv/d"},
		{bg + "command_args='-u nobody'\nprocname=y", "", "exec -a y; /bin/x -u nobody"},
		// In the foreground, and in the background.
		{"command=/bin/x\npidfile=/run/x\nstart_stop_daemon_args='--background --make-pidfile'", "", "/bin/x"},
		{"command=/bin/x\npidfile=/run/x\nstart_stop_daemon_args='-bm'\ncommand_args_background=-p\ncommand_args_foreground=-F", "", "/bin/x -p"},
		{"command=/bin/x\npidfile=/run/x\nstart_stop_daemon_args='--back -m --wait 100'", "", "/bin/x"},
		{"command=/bin/x\ncommand_args=-a\ncommand_args_background=-d", "command_args_foreground=-F", "/bin/x -a -F"},
		{bg + "command_args_foreground=-F", "", "/bin/x"},
		{sup + "command_args=-a\ncommand_args_foreground=-F\ncommand_args_background=-d", "", "/bin/x -a -F"},
		// Users and groups.
		{bg + "command_user=web", "", "/usr/sbin/rdexec -n t1 -u web --"},
		{bg + "command_user=web:adm", "", "/usr/sbin/rdexec -n t1 --; s6-envuidgid web; s6-envuidgid -g adm; s6-applyuidgid -U -z"},
		{bg + "start_stop_daemon_args='--user web --group adm'", "", "s6-envuidgid web; s6-envuidgid -g adm"},
		{bg + "start_stop_daemon_args='-g adm -u web:mail'", "", "s6-envuidgid -g mail"},
		{bg + "start_stop_daemon_args='--user=web:5'", "", "s6-envuidgid web; export GID 5"},
		{bg + "start_stop_daemon_args='-c 33:5'", "", "/usr/sbin/rdexec -n t1 -u 33:5 --; # user 33 is a number: HOME is not set, write the name"},
		{bg + "start_stop_daemon_args='-g adm'", "", "/usr/sbin/rdexec -n t1 -u root:adm --"},
		{bg + "start_stop_daemon_args='--user nobody --group nogroup --chdir /var/lib/x --env MODE=prod'", "",
			"cd /var/lib/x; export USER nobody; export MODE prod; s6-envuidgid nobody; s6-envuidgid -g nogroup"},
		{sup + "start_stop_daemon_args='--user web'", "", "/usr/sbin/rdexec -n t1 -u web --"},
		{sup + "supervise_daemon_args='--user web -d /d -k 077'\nstart_stop_daemon_args='--user other'", "", "cd /d; umask 077; /usr/sbin/rdexec -n t1 -u web --"},
		// Priorities, limits, rights.
		{bg + "start_stop_daemon_args='--nicelevel -5 --ionice 2:7 --oom-score-adj -500'\ncommand_user=web", "",
			"nice -n -5; ionice -c 2 -n 7; choom -n -500 --; s6-envuidgid web; s6-applyuidgid -U -z"},
		{bg + "export SSD_NICELEVEL=3", "export SSD_IONICELEVEL=3", "nice -n 3; ionice -c 3"},
		{bg + "export SSD_NICELEVEL=3\nstart_stop_daemon_args='-N 4'", "", "nice -n 4"},
		{bg, `rc_ulimit="-n 4096 -c unlimited -l 64"`, "prlimit --nofile=4096:4096; prlimit --core=unlimited:unlimited; prlimit --memlock=65536:65536"},
		{bg + "ulimit -Sn 100\nulimit -H -c 1", "", "prlimit --nofile=100:; prlimit --core=:512"},
		{bg + "start_stop_daemon_args='--scheduler rr --scheduler-priority 5'", "", "chrt -r 5"},
		{bg + "umask=027", "", "umask 027"},
		{bg + "no_new_privs=yes\ncommand_user=web", "", "/usr/sbin/rdexec -n t1 -u web --; setpriv --no-new-privs"},
		{bg + "capabilities='^cap_net_bind_service,!cap_sys_admin'\ncommand_user=web", "",
			"s6-envuidgid web; export UID 0; s6-applyuidgid -U -z; setpriv --reuid=web --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service --bounding-set=-sys_admin"},
		// Files, and folders.
		{bg + "output_log=/var/log/x.log\nerror_log=/var/log/x.err\numask=002", "", "umask 0177; redirfd -a 1 /var/log/x.log; redirfd -a 2 /var/log/x.err; umask 002"},
		{sup + "supervise_daemon_args='-0 /etc/in'", "", "redirfd -r 0 /etc/in"},
		{bg + "start_pre() { checkpath -d -m 0750 -o web:adm /run/x; }", "", "if { install -d -m 0750 /run/x }; if { chown -h web:adm /run/x }"},
		{bg + "start_pre() {\ncheckpath --directory --owner web /run/x/y || return 1\n}", "", "if { mkdir -p -m 0775 /run/x/y }; if { chown -h web: /run/x/y }"},
		{bg + "start_pre() {\nmkdir -p /run/x && checkpath -q -dm 755 /var/lib/x\n}", "", "if { mkdir -p /run/x }; if { install -d -m 755 /var/lib/x }"},
		{bg + "start_pre() {\nlocal d=/run/x\nm=0711\ncheckpath -d -m $m \"$d\"\n}", "", "if { install -d -m 0711 /run/x }"},
		{bg + "start_pre() {\nebegin \"making $(date)\"\ncheckpath -d -m 0711 /run/x\neend $?\n}", "", "if { install -d -m 0711 /run/x }"},
		{bg + "start_pre() {\ncheckpath -d -m 0711 /run/x\neend 1\n}", "", "if { install -d -m 0711 /run/x }; # not carried over: start_pre() but what it makes"},
		{bg + "start_pre() {\ncheck || return\ncheckpath -d -m 0711 /run/x\n}\ncheck() { /bin/x -t; }", "", "if { install -d -m 0711 /run/x }; # not carried over: start_pre() but what it makes check()"},
		{bg + "start_pre() {\nlocal d=$(date)\nlocal e=/run/e\ncheckpath -d $d\ncheckpath -d -m 0711 $e\n}", "", "if { install -d -m 0711 /run/e }; # not carried over: start_pre() but what it makes"},
		{bg + "start_pre() {\n[ -e /x ] && return\ncheckpath -d /run/x\n}", "", "# not carried over: start_pre()"},
		{bg + "start_pre() {\n[ -e /x ] && return $rc\ncheckpath -d /run/x\n}", "", "# not carried over: start_pre()"},
		{bg + "start_pre() {\n/bin/x -t || return $?\nif y; then\nreturn 1\nfi\ncheckpath -d -m 0711 /run/x\n}", "", "if { install -d -m 0711 /run/x }; # not carried over: start_pre() but what it makes"},
		{bg + "start_pre() {\nif x; then\ncheckpath -d /run/x\nfi\n}", "", "# not carried over: start_pre()"},
		{bg + "start_pre() {\nd=/run/x\n[ -e /y ] && d=/run/y\ncheckpath -d $d\n}", "", "# not carried over: start_pre()"},
		{bg + "start_pre() {\nlocal d=$(date)\ncheckpath -d /run/$d\n}", "", "# not carried over: start_pre()"},
		{bg + "start_pre() {\ny\ncheckpath -d $d\n}\ny() { d=/run/y; }\nd=/run/x", "", "# not carried over: start_pre() y()"},
		{bg + "start_pre() {\ncheckpath -d -m 0711 /run/x /etc/../x\n}", "", "if { install -d -m 0711 /run/x }; # not carried over: start_pre() but what it makes"},
		{bg + "start_pre() { cd /; }", "", "# not carried over: start_pre()"},
		{bg + "export A=${B:-0.0.0.0:80} C=${B:-} D=$E", "E=a:b=c", "export A 0.0.0.0:80; export C \"\"; export D a:b=c"},
		{bg + "export RC_ULIMIT='-n 5'", "", "prlimit --nofile=5:5"},
		{bg + "export RC_ULIMIT='-n 5'", "rc_ulimit='-n 6'", "prlimit --nofile=6:6"},
		{bg, "rc_need=net.eth0\nrc_after='a b'", "# not carried over: rc_need= rc_after="},
		{bg + "A+=x\nB+=y", "", "/bin/x"},
		// A start() of its own.
		{"D=/bin/x\nstart() {\nebegin x\ncheckpath -d -m 0750 /run/x\nlocal o='-a -b'\nstart-stop-daemon -S -bm -p /run/x.pid -u web -x $D -- $o \"c d\"\neend $?\n}\nstop() { :; }", "",
			"if { install -d -m 0750 /run/x }; /usr/sbin/rdexec -n t1 -u web --; /bin/x -a -b \"c d\""},
		{"start() {\nlocal rc user=$(id -un)\nstart-stop-daemon -Sbx /bin/x -- -x\nrc=$?\neend $rc\nreturn $rc\n}", "", "/bin/x -x"},
		{"command_user=web\ncommand=/bin/y\nstart() {\ncheck || return 1\nstart-stop-daemon --start --background --exec /bin/x\n}\ncheck() { :; }", "",
			"# not carried over: start() but its start-stop-daemon check(); /usr/sbin/rdexec -n t1 --; /bin/x"},
		// What only other functions change.
		{bg + "stop() { export A=1; command_user=y; }\nreload() { ulimit -n 1; command=/bin/y; }\nstop_post() { cd /; renice -n 1 $$; }", "", "/bin/x; cd /"},
	} {
		run, err := started(t, c.script, c.conf)
		if err != nil {
			t.Errorf("%q: %v", c.script, err)
			continue
		}
		for _, want := range strings.Split(c.want, "; ") {
			if !strings.Contains(run, "\n"+want+"\n") {
				t.Errorf("of %q and %q, run does not say %q:\n%s", c.script, c.conf, want, run)
			}
		}
		if strings.Contains(run, "RC_") || strings.Contains(run, "EINFO_") || strings.Contains(run, "SSD_") {
			t.Errorf("of %q, run has what OpenRC takes away:\n%s", c.script, run)
		}
	}
}

// TestScriptIsRefused: what would run otherwise than under OpenRC is an error.
func TestScriptIsRefused(t *testing.T) {
	const bg = "command=/bin/x\ncommand_background=yes\npidfile=/run/x\n"
	for _, c := range []struct{ script, conf, want string }{
		{bg + "export A=$(date)", "", "init.d/web:5"},
		{bg + "export A=$B", "B='a b'", "init.d/web:5"},
		{bg + "export A=$B", "B='[a]'", "init.d/web:5"},
		{bg + "IFS=:\nexport A=$B", "B=a:b", "init.d/web:6"},
		{bg + "[ -e /x ] && export A=1", "", "init.d/web:5"},
		{bg + "start_pre() { export A=1; }", "", "start_pre()"},
		{bg + "A=1\nstart_pre() {\nexport A; }", "", "init.d/web:7"},
		{bg, "[ -e /x ] && export A", "conf.d/web:1"},
		{bg + "PATH=$PATH:/opt", "", "PATH"},
		{bg + "start_pre() { ulimit -n 5; }", "", "changes what the daemon inherits"},
		{bg + "ulimit -n $(x)", "", "needs a shell"},
		{bg + "renice -n 5 $$", "", "changes what the daemon inherits"},
		{"start() {\nstart-stop-daemon --start --exec /bin/x\n}", "", "init.d/web:2: start() starts /bin/x, which goes to the background by itself"},
		{"start() {\nstart-stop-daemon --start --background --exec /bin/x -- $(y)\n}", "", "init.d/web:3"},
		{"start() {\nexport A=1\nstart-stop-daemon --start --background --exec /bin/x\n}", "", "init.d/web:3: export A=1 depends on start()"},
		{"start() {\nif x; then\nstart-stop-daemon --start --background --exec /bin/x\nfi\n}", "", "init.d/web:3: the script has its own start(), and whether it starts the daemon depends"},
		{"start() {\nstart-stop-daemon -Sbx /bin/x\nstart-stop-daemon -Sbx /bin/y\n}", "", "not one start-stop-daemon in it"},
		{"start() {\nx $y\n}\ny() { start-stop-daemon -S; }", "", "not one start-stop-daemon in it"},
		{"start() {\nstart-stop-daemon --start --background --pidfile /x\n}", "", "there is nothing for start-stop-daemon to start"},
		{bg + "command_args+=' -x'\ntrue", "", "init.d/web:5: command_args+=' -x' sets the variable under bash"},
		{bg + "[ -e /x ] && command_user+=x", "", "sets the variable under bash"},
		{bg + "printf -v command_args %s x", "", "sets the variable under bash"},
		{bg + "command ulimit -n 5", "", "changes what the daemon inherits"},
		{bg + "command_user=web\nstart_stop_daemon_args='--env HOME=/b'", "", "comes after --user, and with OpenRC 0.64"},
		{bg + "start_stop_daemon_args='--ionice 1:9'", "", "is not CLASS:DATA"},
		{bg + "cd /srv", "", "moves the daemon to another folder"},
		{bg + "start_pre() { directory=/x; }", "", "start_pre()"},
		{bg + "ssd_start() { /bin/y; }", "", "its own ssd_start()"},
		{bg + "yesno() { return 0; }", "", "its own yesno()"},
		{bg + "command_user=", "", "command_user= is empty"},
		{bg + "output_log=''", "", "output_log= is empty"},
		{bg + "command_user=a\nstart_stop_daemon_args='--user b'", "", "the user is b here and a before"},
		{bg + "start_stop_daemon_args='--chroot /srv'", "", "--chroot /srv has no counterpart"},
		{bg + "chroot=/srv", "", "--chroot /srv has no counterpart"},
		{bg + "secbits=0x2f", "", "--secbits 0x2f has no counterpart"},
		{bg + "capabilities='=ep'", "", "is no capability"},
		{bg + "rc_cgroup_devices='devices.deny a'", "", "rc_cgroup_devices= has no counterpart"},
		{bg + "start_stop_daemon_args='--frobnicate'", "", "start-stop-daemon has no option --frobnicate"},
		{bg + "start_stop_daemon_args='--s x'", "", "start-stop-daemon has no option --s"},
		{bg + "start_stop_daemon_args='--user'", "", `"--" is no user`},
		{bg + "command='/bin/x --serve'", "", "start-stop-daemon has no option --serve"},
		{bg + "start_stop_daemon_args='--test'", "", "--test starts nothing"},
		{bg + "start_stop_daemon_args='--nicelevel much'", "", "is not a number"},
		{bg + "start_stop_daemon_args='--chdir here'", "", "is not an absolute path"},
		{bg + "start_stop_daemon_args='--umask a-w'", "", "is not octal"},
		{bg + "start_stop_daemon_args='--env A'", "", "is not NAME=VALUE"},
		{bg + "command_args_background=-d", "", "are not for one service"},
		{bg, "rc_ulimit='-n'", "is not pairs"},
		{bg, "rc_ulimit='-z 5'", "sets no limit that is known"},
		{"command=/bin/x\nsupervisor=supervise-daemon\nstart_stop_daemon_args='--background'", "", "supervise-daemon has no option --background"},
		{"command=/bin/x\nsupervisor=supervise-daemon\nstart_stop_daemon_args='-N 5'\nsupervise_daemon_args=''", "", "some releases"},
		{"command=/bin/x\ncommand_args_background=-d", "", "goes to the background by itself"},
		{bg + "command_args='a; b'", "", "is more than words"},
		{bg + "directory='/srv/*'", "", "may match files"},
	} {
		run, err := started(t, c.script, c.conf)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("of %q and %q: error %v; want %q\n%s", c.script, c.conf, err, c.want, run)
		}
	}
}

// TestScriptAfterRcConf: what /etc/rc.conf says for all services, conf.d and the script
// may say otherwise. rdgen's own file is not read.
func TestScriptAfterRcConf(t *testing.T) {
	const bg = "command=/bin/x\ncommand_background=yes\npidfile=/run/x\n"
	for _, c := range []struct{ script, conf, rc, want string }{
		{bg, "", "rc_ulimit='-n 7'", "prlimit --nofile=7:7"},
		{bg, "rc_ulimit='-n 8'", "rc_ulimit='-n 7'", "prlimit --nofile=8:8"},
		{bg, "", "export http_proxy=http://proxy", "export http_proxy http://proxy"},
		{bg + "export A=3", "export B=2", "export A=1 B=1 C=1", "export A 3; export B 2; export C 1"},
		{bg, "", "ulimit -c 0", "prlimit --core=0:0"},
		{bg, "", "[ -e /x ] && export A=1", "rc.conf.d/10-own.conf:1"},
		{bg, "", "rc_cgroup_devices='devices.deny a'", "has no counterpart"},
		{bg, "", "case x in", "rc.conf.d/10-own.conf"},
	} {
		run, err := started(t, c.script, c.conf, "etc/rc.conf", "rc_parallel=NO\n", "etc/rc.conf.d/10-own.conf", c.rc+"\n", "etc/rc.conf.d/50-rdgen.conf", ". /x\n")
		if err != nil {
			run = err.Error()
		}
		for _, want := range strings.Split(c.want, "; ") {
			if !strings.Contains(run, want) {
				t.Errorf("of %q after %q: %q is not in\n%s", c.script, c.rc, want, run)
			}
		}
	}
}
