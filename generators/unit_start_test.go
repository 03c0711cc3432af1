package generators_test

import (
	"strings"
	"testing"

	"rdgen/services"
)

// unitStarted makes run and finish from a unit with these lines, and the files in more.
func unitStarted(t *testing.T, lines string, more ...string) (run, finish string, err error) {
	t.Helper()
	unit := "[Service]\n" + lines + "\n"
	if !strings.Contains(lines, "ExecStart=") {
		unit += "ExecStart=/bin/x\n"
	}
	fsys := files(append([]string{"lib/systemd/system/web.service", unit}, more...)...)
	job, err := services.NewLoader(fsys, parse(t, "t1", "")).S6.Load("web")
	if err != nil {
		return "", "", err
	}
	made, _, err := job.Files()
	if err != nil {
		return "", "", err
	}
	return text(t, made, "/etc/s6-rc/source/web/run"), text(t, made, "/etc/s6-rc/source/web/finish"), nil
}

// TestUnitIsStartedAsBySystemd: each line of want, but its "; ", is a line of run, or
// of finish.
func TestUnitIsStartedAsBySystemd(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"User=web", "umask 0022; backtick -n -i HOME { homeof web }; export USER web; export LOGNAME web; /usr/sbin/rdexec -n t1 -u web --"},
		{"User=web\nEnvironment=USER=x", "export USER x"},
		{"Group=adm", "/usr/sbin/rdexec -n t1 -u root:adm --"},
		{"UMask=077", "umask 077"},
		{"ExecStart=@/bin/x y z", "exec -a y; /bin/x z"},
		// Folders.
		{"User=web\nRuntimeDirectory=a b\nRuntimeDirectoryMode=0750",
			"if { install -d -m 0750 /run/a }; if { chown -h web: /run/a }; export RUNTIME_DIRECTORY /run/a:/run/b; foreground { rm -rf /run/a }"},
		{"StateDirectory=%p\nRuntimeDirectory=a\nRuntimeDirectoryPreserve=yes", "if { install -d -m 0755 /var/lib/web }; export STATE_DIRECTORY /var/lib/web"},
		{"User=web\nGroup=adm\nCacheDirectory=a/b", "if { mkdir -p -m 0755 /var/cache/a/b }; if { chown -h web:adm /var/cache/a/b }"},
		{"User=web\nConfigurationDirectory=a", "if { install -d -m 0755 /etc/a }; export CONFIGURATION_DIRECTORY /etc/a"},
		{"RuntimeDirectory=gizmo\nExecStart=/bin/x --state ${RUNTIME_DIRECTORY}/state", `importas -D "" RUNTIME_DIRECTORY RUNTIME_DIRECTORY`},
		// Commands before and after.
		{"User=web\nExecStartPre=/bin/a -t\nExecStartPre=-/bin/b\nExecStartPre=+/bin/c\nExecStopPost=/bin/d 1",
			"if { /usr/sbin/rdexec -n t1 -u web -- /bin/a -t }; foreground { /usr/sbin/rdexec -n t1 -u web -- /bin/b }; " +
				"if { /usr/sbin/rdexec -n t1 -- /bin/c }; if { /usr/sbin/rdexec -n t1 -u web -- /bin/d 1 }"},
		{"Environment=O=1\nExecStartPre=/bin/a $O ${P}\nExecStart=/bin/x $O", "if { /usr/sbin/rdexec -n t1 -- /bin/a $O \"${P}\" }; /bin/x $O"},
		// Limits, priorities, rights.
		{"LimitNOFILE=1024:4096\nLimitCORE=infinity\nLimitMEMLOCK=64K\nLimitCPU=2min\nUser=web",
			"prlimit --nofile=1024:4096; prlimit --core=unlimited:unlimited; prlimit --memlock=65536:65536; prlimit --cpu=120:120; s6-envuidgid web; s6-applyuidgid -U -z"},
		{"Nice=-5\nOOMScoreAdjust=-900\nIOSchedulingClass=best-effort\nIOSchedulingPriority=2", "nice -n -5; choom -n -900 --; ionice -c 2 -n 2"},
		{"IOSchedulingClass=idle", "ionice -c 3"},
		{"NoNewPrivileges=true", "setpriv --no-new-privs"},
		{"NoNewPrivileges=1\nNoNewPrivileges=off", "/usr/sbin/rdexec -n t1 --; /bin/x"},
		{"CapabilityBoundingSet=CAP_NET_ADMIN CAP_KILL\nCapabilityBoundingSet=~CAP_KILL", "setpriv --bounding-set=-all,+net_admin,+kill,-kill"},
		{"CapabilityBoundingSet=~CAP_SYS_ADMIN", "setpriv --bounding-set=+all,-sys_admin"},
		{"CapabilityBoundingSet=", "setpriv --bounding-set=-all"},
		{"User=web\nAmbientCapabilities=CAP_NET_BIND_SERVICE", "s6-envuidgid web; export UID 0; s6-applyuidgid -U -z; " +
			"setpriv --reuid=web --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service"},
		// Settings that were only named as lost, or read otherwise than systemd reads them.
		{"ExecStart=/bin/x $A.x '$A' \"$A b\" $(id) $$A ${A}\nEnvironment=A=1", `/bin/x $A_ $A "${A__}"`},
		{"PIDFile=x.pid\nExecStart=/bin/x", "export PIDFILE /run/x.pid"},
		{"PIDFile=/var/run/x.pid\nEnvironment=PIDFILE=a", "export PIDFILE a"},
		{"PIDFile=/var/run/x.pid", "export PIDFILE /run/x.pid"},
		{"Environment=A=1 B=2\nUnsetEnvironment=A\nUnsetEnvironment='B'", "unexport A; unexport B"},
		{"User=0", "export USER root; export LOGNAME root"},
		{"User=web\nPermissionsStartOnly=yes\nExecStartPre=/bin/a", "if { /usr/sbin/rdexec -n t1 -- /bin/a }"},
		{"LimitNOFILE=9\nLimitNOFILE=", "prlimit --nofile=9:9"},
		{"LimitRTTIME=1s\nLimitNICE=+4:-5", "prlimit --rttime=1000000:1000000; prlimit --nice=16:25"},
		{"CPUSchedulingPolicy=rr\nCPUSchedulingResetOnFork=yes", "chrt -R -r 1"},
		{"CPUSchedulingPolicy=batch", "chrt -b 0"},
		{"CPUAffinity=0-3 5\nCPUAffinity=7,8", "taskset -c 0-3,5,7,8"},
		{"StandardOutput=append:/var/log/x", "redirfd -a 1 /var/log/x; fdmove -c 2 1"},
		{"StandardInput=file:/etc/x\nStandardOutput=null\nStandardError=truncate:/var/log/x", "redirfd -r 0 /etc/x; redirfd -w 1 /dev/null; redirfd -w 2 /var/log/x"},
		{"WorkingDirectory=~\nUser=web", "backtick -n -i HOME { homeof web }; export USER web"},
		{"WorkingDirectory=~\nUser=web\nSetLoginEnvironment=no", "backtick -n -i HOME { homeof web }; unexport HOME"},
		{"User=web\nSupplementaryGroups=adm 8\nGroup=mail", "s6-envuidgid web; s6-envuidgid -g mail; s6-applyuidgid -U -z"},
		{"SupplementaryGroups=adm\nUser=web\nUser=", `export UID 0; export GID 0; export GIDLIST ""; s6-applyuidgid -U -z`},
		{"User=web\nGroup=root", "/usr/sbin/rdexec -n t1 -u web:root --"},
		{"User=nobody", "umask 0022; export USER nobody"},
		{"SetLoginEnvironment=no\nUser=web", "umask 0022; export USER web; /usr/sbin/rdexec -n t1 -u web --"},
		{"ExecCondition=/bin/c\nExecCondition=-/bin/d", "if -x 100 { /usr/sbin/rdexec -n t1 -- /bin/c }; foreground { /usr/sbin/rdexec -n t1 -- /bin/d }"},
		{"User=web\nLimitNOFILE=9\nNice=1\nNoNewPrivileges=yes\nExecStartPre=!/bin/a\nExecStartPre=+/bin/b",
			"if { /usr/sbin/rdexec -n t1 -- prlimit --nofile=9:9 nice -n 1 setpriv --no-new-privs /bin/a }; if { /usr/sbin/rdexec -n t1 -- nice -n 1 /bin/b }"},
		{"ExecStartPre=@/bin/a b c", "if { /usr/sbin/rdexec -n t1 -- exec -a b /bin/a c }"},
		{"Environment=A=1\nExecStopPost=-/bin/a $A", `importas -D "" -s -C A A; foreground { /usr/sbin/rdexec -n t1 -- /bin/a $A }`},
		{"WorkingDirectory=-/srv\nExecStopPost=/bin/a", `sh -c "cd -- \"$0\" 2>/dev/null || cd /;;unset PWD OLDPWD;;exec \"$@\"" /srv`},
		{"IOSchedulingClass=none", "ionice -c 2 -n 4"},
		{"StateDirectory=\"a\" a", "export STATE_DIRECTORY /var/lib/a"},
		{"RootDirectory=/\nSupplementaryGroups=a\nSupplementaryGroups=\nRemainAfterExit=no", "/bin/x"},
		{"PrivateTmp=no\nProtectSystem=off\nProcSubset=all\nSystemCallFilter=@x\nSystemCallFilter=", "/bin/x"},
	} {
		run, finish, err := unitStarted(t, c.lines)
		if err != nil {
			t.Errorf("%q: %v", c.lines, err)
			continue
		}
		for _, want := range strings.Split(c.want, "; ") {
			want = strings.ReplaceAll(want, ";;", "; ")
			said := strings.NewReplacer("\n    ", "\n", "\n  ", "\n").Replace(run + finish)
			if !strings.Contains(said, "\n"+want+"\n") {
				t.Errorf("of %q, neither run nor finish says %q:\n%s%s", c.lines, want, run, finish)
			}
		}
	}
}

// TestUnitOfSystemdToo: what rdgen systemd has made for the unit is not part of it, and
// sockets are named.
func TestUnitOfSystemdToo(t *testing.T) {
	const dir = "etc/systemd/system/web.service.d/"
	run, _, err := unitStarted(t, "ExecStart=/bin/x -y\nUMask=077", dir+"zz-rdomain.conf", "[Service]\nBPFProgram=x:y\nExecCondition=/bin/look\nExecStart=\nExecStart=/usr/sbin/rdexec -v x -- /bin/x -y\n",
		dir+"own.conf", "[Service]\nUMask=027\n", "lib/systemd/system/web.socket", "[Socket]\nListenStream=80\n")
	if err != nil || !strings.Contains(run, "\n/bin/x -y\n") || strings.Contains(run, "look") || !strings.Contains(run, "\numask 027\n") {
		t.Errorf("error %v, and\n%s", err, run)
	}
	if !strings.Contains(run, "# systemd hands it what web.socket listens on") {
		t.Errorf("no word of web.socket in\n%s", run)
	}
}

// TestUnitIsRefused: what s6 would run otherwise is an error with its line.
func TestUnitIsRefused(t *testing.T) {
	for _, c := range []struct{ lines, file, want string }{
		{"ExecStart=/bin/x ${RUNTIME_DIRECTORY}", "", "uses $RUNTIME_DIRECTORY, which only systemd sets"},
		{"ExecStart=/bin/x $MAINPID", "", "uses $MAINPID"},
		{"ExecStartPre=/bin/a $CREDENTIALS_DIRECTORY", "", "uses $CREDENTIALS_DIRECTORY"},
		{"Environment='O=a \"b c\"'\nExecStart=/bin/x $O", "", "has quotes or begins with a space"},
		{"EnvironmentFile=/etc/default/web\nExecStart=/bin/x $O", `O="-a \"b\""`, "/etc/default/web:1: O="},
		{"EnvironmentFile=/etc/default/web", "O='-a -b'", "/etc/default/web:1: has quotes"},
		{"EnvironmentFile=-/etc/default/web", "A=1\nexport O=1", "/etc/default/web:2: is no NAME=VALUE"},
		{"RuntimeDirectory=a/b/c", "", "is not a directory that root could make"},
		{"RuntimeDirectory=../etc", "", "is not a directory that root could make"},
		{"RuntimeDirectory=a:b", "", "is not a directory that root could make"},
		{"LimitNOFILE=many", "", "is no limit"},
		{"Nice=x", "", "is not a number"},
		{"CapabilityBoundingSet=net_admin", "", "is no capability"},
		{"PrivateTmp=yes\nProtectHome=yes", "", "web.service:2: PrivateTmp= has no counterpart in s6, nor have ProtectHome="},
		{"SupplementaryGroups=a:b", "", "web.service:2: SupplementaryGroups= \"a:b\" is no group"},
		{"User=1000\nSupplementaryGroups=adm", "", "needs a name here"},
		{"ExecStart=/bin/x a${A:-b}", "", "has ${A:-b}, which systemd 262 takes as it stands"},
		{"ExecStartPre=/bin/x ${A:-b}", "", "web.service:2: ExecStartPre= has ${A:-b}"},
		{"User=%i", "", "web.service:2: User= \"\" is no user"},
		{"Group=%i", "", "web.service:2: Group= \"\" is no user and group"},
		{"SupplementaryGroups=%i", "", "web.service:2: SupplementaryGroups= \"%i\" is no group"},
		{"User=-1", "", "is no user"},
		{"User=nobody\nWorkingDirectory=~", "", "is not a path"},
		{"WorkingDirectory=~", "", "is not a path"},
		{"Environment=A-B=1", "", "is not NAME=VALUE"},
		{"EnvironmentFile=/etc/../etc/x", "", "is not one absolute path"},
		{"Nice=20", "", "is not a number from -20 to 19"},
		{"OOMScoreAdjust=1001", "", "is not a number from -1000 to 1000"},
		{"LimitNOFILE=2:1", "", "is a soft limit above the hard one"},
		{"User=web\nAmbientCapabilities=CAP_KILL\nCapabilityBoundingSet=CAP_CHOWN", "", "has \"kill\", and CapabilityBoundingSet= has not"},
		{"StandardInput=tty-force", "", "is tty-force, and s6 has none"},
		{"ExecStopPost=/bin/sh -c 'exit $$EXIT_STATUS'", "", "web.service:2: ExecStopPost= uses $EXIT_STATUS, which only systemd sets"},
		{"ExecStopPost=/bin/a ${SERVICE_RESULT}", "", "uses $SERVICE_RESULT"},
		{"ExecStartPre=/bin/sh -c 'echo $$INVOCATION_ID'", "", "uses $INVOCATION_ID"},
		{"SetLoginEnvironment=yes", "", "is for a user that is not named"},
		{"PAMName=login", "", "PAMName= has no counterpart"},
		{"ExecSearchPath=/opt", "", "ExecSearchPath= has no counterpart"},
		{"LoadCredential=a:/b", "", "LoadCredential= has no counterpart"},
		{"RemainAfterExit=yes", "", "s6 would start it again and again"},
		{"StandardInput=socket", "", "is a socket that only systemd hands over"},
		{"UnsetEnvironment=A=1", "", "is not the name of a variable"},
		{"CPUSchedulingPolicy=fast", "", "is no policy"},
		{"CPUAffinity=numa", "", "is no list of processors"},
		{"LimitNOFILE=infinity", "", "is more than a kernel gives"},
		{"ExecStart=+/bin/x", "", "begins with \"+\""},
		{"ExecStopPost=/bin/a x$1", "", "would be replaced"},
	} {
		var more []string
		if c.file != "" {
			more = []string{"etc/default/web", c.file + "\n"}
		}
		run, _, err := unitStarted(t, c.lines, more...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("of %q: error %v; want %q\n%s", c.lines, err, c.want, run)
		}
	}
}
