package native

// kindsNotOn are kinds that a release's systemd does not have.
var kindsNotOn = map[string][]string{
	"bookworm": {"notify-reload", "privatepids", "openfile", "226-ipc", "root-stack"}, // 252 passes over IPCNamespacePath= without a network namespace
	"trixie":   {"root-stack"},
	"forky":    {"notify-reload"}, // it wants more of the program than a shell says
}

const (
	sleeps = "ExecStart=/bin/sleep infinity\n"
	done   = "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo\n"
	once   = "Type=oneshot\nRemainAfterExit=yes\n"

	// simple is why a Type=simple unit that cannot be set up differs.
	simple = "the look is a command before the main one, and systemctl start waits for such, as for any ExecStartPre= of the unit's own"
	// main is why what asks for the exit of the main process differs.
	main = "what fails is the look, before there is a main process"
)

// jobFails is how a Type=simple unit differs that cannot be set up.
var jobFails = map[string]string{"start": "failed because the control process exited with error code.", "requires": "inactive"}

// hardest is a sandbox of all that systemd 252 has, less what is the kernel's to refuse here.
const hardest = `NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateIPC=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @mount
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=
AmbientCapabilities=
DevicePolicy=closed
IPAddressDeny=any
UMask=0077
KeyringMode=private
NoExecPaths=/srv
InaccessiblePaths=-/opt
`

// kinds are units of many kinds. TestSystemdKinds says what is done with them.
var kinds = []kind{
	// Each Type=, and what it comes to.
	{name: "simple", text: sleeps, end: "active"},
	{name: "exec", text: "Type=exec\n" + sleeps, end: "active"},
	{name: "idle", text: "Type=idle\n" + sleeps, end: "active"},
	{name: "oneshot", text: "Type=oneshot\nExecStart=/bin/echo\n", end: "inactive"},
	{name: "remains", text: done, end: "active"},
	{name: "forking", text: "Type=forking\nExecStart=/bin/sh -c 'sleep infinity & exit 0'\n", end: "active"},
	{name: "pidfile", text: "Type=forking\nRuntimeDirectory=k-pidfile\nPIDFile=/run/k-pidfile/pid\nExecStart=/bin/sh -c 'sleep infinity & echo $$! >/run/k-pidfile/pid'\n", end: "active"},
	{name: "notify", text: "Type=notify\nNotifyAccess=all\nExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep infinity'\n", end: "active"},
	{name: "notify-reload", text: "Type=notify-reload\nNotifyAccess=all\nExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep infinity'\n", end: "active"},
	{name: "dbus", text: "Type=dbus\nBusName=org.example.Kind\nExecStart=/bin/sh -c '{ cat /usr/local/lib/bus.bytes; sleep infinity; } | socat - UNIX-CONNECT:/run/dbus/system_bus_socket >/dev/null'\n", end: "active"},

	// Each by itself fails as it does.
	{name: "simple-exit", text: "ExecStart=/bin/sh -c 'exit 3'\n", end: "failed"},
	{name: "simple-signal", text: "ExecStart=/bin/sh -c 'kill -ABRT $$$$'\n", end: "failed"},
	{name: "oneshot-exit", text: "Type=oneshot\nExecStart=/bin/sh -c 'exit 4'\n", end: "failed"},
	{name: "forking-exit", text: "Type=forking\nExecStart=/bin/sh -c 'exit 5'\n", end: "failed"},
	{name: "nopidfile", text: "Type=forking\nPIDFile=/run/k-nopidfile.pid\nTimeoutStartSec=1\nExecStart=/bin/echo\n", end: "failed"},
	{name: "notify-exit", text: "Type=notify\nExecStart=/bin/echo\n", end: "failed"},
	{name: "notify-never", text: "Type=notify\nTimeoutStartSec=1\n" + sleeps, end: "failed"},
	{name: "dbus-never", text: "Type=dbus\nBusName=org.example.Never\nTimeoutStartSec=1\n" + sleeps, end: "failed"},
	{name: "success-status", text: "SuccessExitStatus=3 SIGUSR1\nExecStart=/bin/sh -c 'exit 3'\n", end: "inactive"},
	{name: "success-signal", text: "SuccessExitStatus=3 SIGUSR1\nExecStart=/bin/sh -c 'kill -USR1 $$$$'\n", end: "inactive"},
	{name: "several", text: once + "ExecStart=/bin/echo\nExecStart=-/bin/false\nExecStart=/bin/sh -c 'exit 4'\nExecStart=/bin/touch /run/kinds/of.several\n", end: "failed"},

	// What systemd cannot set up.
	{name: "200-chdir", text: "Type=oneshot\nWorkingDirectory=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "200-exec", text: "Type=exec\nWorkingDirectory=/nonexistent\n" + sleeps, end: "failed"},
	{name: "200-notify", text: "Type=notify\nWorkingDirectory=/nonexistent\n" + sleeps, end: "failed"},
	{name: "200-dbus", text: "Type=dbus\nBusName=org.example.Other\nWorkingDirectory=/nonexistent\n" + sleeps, end: "failed"},
	{name: "200-simple", text: "WorkingDirectory=/nonexistent\n" + sleeps, end: "failed", differs: jobFails, why: simple},
	{name: "200-idle", text: "Type=idle\nWorkingDirectory=/nonexistent\n" + sleeps, end: "failed"}, // systemd takes it for up before its commands
	{name: "200-simple-pre", text: "WorkingDirectory=/nonexistent\nExecStartPre=/bin/true\n" + sleeps, end: "failed"},
	{name: "203-exec", text: "Type=exec\nExecStart=/bin/nosuchprogram\n", end: "failed"},
	{name: "203-simple", text: "ExecStart=/bin/nosuchprogram\n", end: "failed"},
	{name: "203-format", text: "Type=exec\nExecStart=/etc/passwd\n", end: "failed"},
	{name: "203-noexec", text: "Type=oneshot\nNoExecPaths=/usr\nExecStart=/bin/echo\n", end: "failed"},
	{name: "208-tty", text: "Type=oneshot\nStandardInput=tty\nTTYPath=/dev/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "208-stdin", text: "Type=oneshot\nStandardInput=file:/nonexistent/in\nExecStart=/bin/echo\n", end: "failed"},
	{name: "209-stdout", text: "Type=oneshot\nStandardOutput=append:/nonexistent/log\nExecStart=/bin/echo\n", end: "failed"},
	{name: "209-truncate", text: "Type=oneshot\nStandardOutput=truncate:/etc\nExecStart=/bin/echo\n", end: "failed"},
	{name: "210-root", text: "Type=oneshot\nRootDirectory=/nonexistent\nExecStart=/bin/echo\n", end: "failed",
		differs: map[string]string{"status": "*", "stopped-status": "*"}, why: "the look runs outside of that root, and finds there first that it is missing: 200/CHDIR for 226/NAMESPACE"},
	{name: "215-cpu", text: "Type=oneshot\nCPUAffinity=1000\nExecStart=/bin/echo\n", end: "failed"},
	{name: "216-group", text: "Type=oneshot\nGroup=nosuchgroup\nExecStart=/bin/echo\n", end: "failed"},
	{name: "216-supplementary", text: "Type=oneshot\nSupplementaryGroups=nosuchgroup\nExecStart=/bin/echo\n", end: "failed"},
	{name: "217-user", text: "Type=oneshot\nUser=nosuchuser\nExecStart=/bin/echo\n", end: "failed"},
	{name: "217-forking", text: "Type=forking\nUser=nosuchuser\nExecStart=/bin/echo\n", end: "failed"},
	{name: "217-plus", text: "Type=oneshot\nUser=nosuchuser\nExecStartPre=+/bin/true\nExecStart=/bin/echo\n", end: "failed"},
	{name: "ambient", text: "Type=oneshot\nUser=nobody\nAmbientCapabilities=CAP_NET_RAW\nCapabilityBoundingSet=CAP_CHOWN\nExecStart=/bin/echo\n", end: "inactive"},
	{name: "222-stderr", text: "Type=oneshot\nStandardError=append:/nonexistent/log\nExecStart=/bin/echo\n", end: "failed"},
	{name: "224-pam", text: "Type=oneshot\nUser=nobody\nPAMName=k-deny\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-bind", text: "Type=oneshot\nBindReadOnlyPaths=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-writable", text: "Type=oneshot\nReadWritePaths=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-inaccessible", text: "Type=oneshot\nInaccessiblePaths=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-ipc", text: "Type=oneshot\nIPCNamespacePath=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-tmpfs", text: "Type=oneshot\nTemporaryFileSystem=/proc/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-root-image", text: "Type=oneshot\nRootImage=/nonexistent.raw\nExecStart=/bin/echo\n", end: "failed"},
	{name: "226-image", text: "Type=oneshot\nMountImages=/nonexistent:/mnt\nExecStart=/bin/echo\n", end: "failed"},
	{name: "233-run", text: "Type=oneshot\nRuntimeDirectory=k-file\nRuntimeDirectoryPreserve=yes\nExecStart=/bin/echo\n", end: "failed"},
	{name: "238-state", text: "Type=oneshot\nStateDirectory=k-file\nExecStart=/bin/echo\n", end: "failed"},
	{name: "239-cache", text: "Type=oneshot\nCacheDirectory=k-file\nExecStart=/bin/echo\n", end: "failed"},
	{name: "240-logs", text: "Type=oneshot\nLogsDirectory=k-file\nExecStart=/bin/echo\n", end: "failed"},
	{name: "241-configuration", text: "Type=oneshot\nConfigurationDirectory=k-file/sub\nExecStart=/bin/echo\n", end: "failed"},
	{name: "242-numa", text: "Type=oneshot\nNUMAPolicy=bind\nNUMAMask=63\nExecStart=/bin/echo\n", end: "failed"},
	{name: "openfile", text: "Type=oneshot\nOpenFile=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "243-credential", text: "Type=oneshot\nLoadCredential=x:/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "environment", text: "Type=oneshot\nEnvironmentFile=/nonexistent\nExecStart=/bin/echo\n", end: "failed"},
	{name: "killed-by-filter", text: "Type=oneshot\nSystemCallFilter=~execve\nExecStart=/bin/echo\n", end: "failed"},

	// Commands around the main one.
	{name: "pre", text: "Type=oneshot\nExecStartPre=-/bin/false\nExecStartPre=/bin/sh -c 'exit 3'\nExecStart=/bin/touch /run/kinds/of.pre\n", end: "failed"},
	{name: "pre-ignored", text: once + "ExecStartPre=-/bin/false\nExecStart=/bin/touch /run/kinds/of.pre-ignored\n", end: "active"},
	{name: "pre-prefixes", text: once + "User=nobody\nExecStartPre=+/bin/sh -c 'test $$(id -u) = 0'\nExecStartPre=!/bin/sh -c 'test $$(id -u) = 0'\nExecStartPre=@/bin/sh other -c 'test $$0 = x' x\nExecStart=/bin/echo\n", end: "active"},
	{name: "pre-noprogram", text: "Type=oneshot\nExecStartPre=/bin/nosuchprogram\nExecStart=/bin/echo\n", end: "failed"},
	{name: "pre-simple", text: "ExecStartPre=/bin/sh -c 'exit 3'\n" + sleeps, end: "failed"},
	{name: "condition-skips", text: "Type=oneshot\nExecCondition=/bin/sh -c 'exit 1'\nExecStart=/bin/touch /run/kinds/of.condition-skips\n", end: "inactive"},
	{name: "condition-fails", text: "Type=oneshot\nExecCondition=/bin/sh -c 'exit 255'\nExecStart=/bin/touch /run/kinds/of.condition-fails\n", end: "failed"},
	{name: "condition-met", text: once + "ExecCondition=/bin/true\nExecStartPre=/bin/true\nExecStart=/bin/echo\n", end: "active"},
	{name: "condition-set-up", text: "Type=oneshot\nExecCondition=/bin/true\nUser=nosuchuser\nExecStart=/bin/echo\n", end: "inactive"},
	{name: "post-fails", text: "ExecStartPost=/bin/sh -c 'exit 6'\n" + sleeps, end: "failed"},
	{name: "stop-fails", text: "ExecStop=/bin/sh -c 'exit 6'\n" + sleeps, end: "active"},
	{name: "stop-post", text: "Type=oneshot\nExecStart=/bin/sh -c 'exit 7'\nExecStopPost=/bin/sh -c 'echo $$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS >/run/kinds/of.stop-post'\n", end: "failed"},
	{name: "starts-as-root", text: once + "User=nobody\nPermissionsStartOnly=yes\nExecStartPre=/bin/sh -c 'test $$(id -u) = 0'\nExecStart=/bin/sh -c 'test $$(id -un) = nobody'\n", end: "active"},
	{name: "assertion", text: "[Unit]\nAssertPathExists=/nonexistent\n[Service]\n" + sleeps, end: "inactive"},
	{name: "unit-condition", text: "[Unit]\nConditionPathExists=/nonexistent\n[Service]\n" + sleeps, end: "inactive"},

	// What starts a unit again.
	{name: "restart-exit", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nRestart=on-failure\nRestartSec=0\nExecStart=/bin/sh -c 'exit 3'\n", end: "failed"},
	{name: "restart-always", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nRestart=always\nRestartSec=0\nExecStart=/bin/echo\n", end: "failed"},
	{name: "restart-abnormal", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nRestart=on-abnormal\nRestartSec=0\nExecStart=/bin/sh -c 'kill -ABRT $$$$'\n", end: "failed"},
	{name: "restart-abort-not", text: "Restart=on-abort\nRestartSec=0\nExecStart=/bin/sh -c 'exit 3'\n", end: "failed"},
	{name: "restart-set-up", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nType=exec\nWorkingDirectory=/nonexistent\nRestart=on-failure\nRestartSec=0\n" + sleeps, end: "failed"},
	{name: "restart-always-set-up", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nType=exec\nUser=nosuchuser\nRestart=always\nRestartSec=0\n" + sleeps, end: "failed"},
	{name: "restart-oneshot", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nType=oneshot\nRestart=on-failure\nRestartSec=0\nGroup=nosuchgroup\nExecStart=/bin/echo\n", end: "failed"},
	{name: "restart-prevented", text: "Restart=always\nRestartSec=0\nRestartPreventExitStatus=3\nExecStart=/bin/sh -c 'exit 3'\n", end: "failed"},
	{name: "restart-prevented-set-up", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nType=exec\nRestart=always\nRestartSec=0\nRestartPreventExitStatus=200\nWorkingDirectory=/nonexistent\n" + sleeps, end: "failed",
		differs: map[string]string{"restarts": "*", "result": "*", "start": "*", "stopped-result": "*", "succeeded": "*"}, why: main},
	{name: "restart-forced", text: "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n[Service]\nRestartForceExitStatus=3\nRestartSec=0\nExecStart=/bin/sh -c 'exit 3'\n", end: "failed"},
	{name: "stop-post-set-up", text: "Type=exec\nWorkingDirectory=-/nonexistent\nUser=nosuchuser\nExecStopPost=+/bin/sh -c 'echo $$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS >/run/kinds/of.stop-post-set-up'\n" + sleeps, end: "failed"},

	// What starts a unit besides systemctl start.
	{name: "timer", text: once + "ExecStart=/bin/echo\n", end: "active", start: ".timer", also: map[string]string{".timer": "[Timer]\nOnActiveSec=0\n"}},
	{name: "timer-set-up", text: "Type=oneshot\nUser=nosuchuser\nExecStart=/bin/echo\n", end: "failed", start: ".timer", also: map[string]string{".timer": "[Timer]\nOnActiveSec=0\nRemainAfterElapse=yes\n"}},
	{name: "path", text: once + "ExecStart=/bin/echo\n", end: "active", start: ".path", also: map[string]string{".path": "[Path]\nPathExists=/etc/passwd\n"}},
	{name: "socket", text: "ExecStart=/bin/sleep infinity\n", end: "active", start: ".socket", poke: "socat -u OPEN:/dev/null UNIX-CONNECT:/run/k-socket",
		also: map[string]string{".socket": "[Socket]\nListenStream=/run/k-socket\n"}},
	{name: "socket-set-up", text: "[Unit]\nStartLimitIntervalSec=1h\n[Service]\nType=exec\nUser=nosuchuser\n" + sleeps, end: "failed", start: ".socket", poke: "socat -u OPEN:/dev/null UNIX-CONNECT:/run/k-socket-set-up",
		also: map[string]string{".socket": "[Socket]\nListenStream=/run/k-socket-set-up\n"}},
	{name: "socket-itself", text: sleeps, end: "inactive", start: ".socket", also: map[string]string{".socket": "[Socket]\nListenStream=/run/k-socket-itself\nExecStartPre=/bin/sh -c 'exit 3'\n"}},
	{name: "socket-address", text: sleeps, end: "inactive", start: ".socket", also: map[string]string{".socket": "[Socket]\nListenStream=192.0.2.99:7\n"}},
	{name: "template@one", text: "ExecStart=/bin/sleep infinity\nEnvironment=WHICH=%i\n", end: "active"},
	{name: "template-set-up@one", text: "Type=oneshot\nWorkingDirectory=/nonexistent/%i\nExecStart=/bin/echo\n", end: "failed"},

	// As whom, and in which file tree.
	{name: "user", text: "User=nobody\n" + sleeps, end: "active"},
	{name: "user-directories", text: "User=nobody\nRuntimeDirectory=k-a\nStateDirectory=k-a\nCacheDirectory=k-a\nLogsDirectory=k-a\nConfigurationDirectory=k-a\n" + sleeps, end: "active"},
	{name: "user-pam", text: "User=nobody\nPAMName=login\n" + sleeps, end: "active"},
	{name: "dynamic", text: "DynamicUser=yes\n" + sleeps, end: "active"},
	{name: "dynamic-state", text: "DynamicUser=yes\nStateDirectory=k-d\nRuntimeDirectory=k-d\n" + sleeps, end: "active"},
	{name: "root-directory", text: once + "RootDirectory=/srv/k-root\nBindReadOnlyPaths=/usr /lib -/lib64\nExecStart=/usr/bin/test ! -e /srv\n", end: "active"},
	{name: "root-copied", text: once + "RootDirectory=/srv/k-root\nRootEphemeral=yes\nBindReadOnlyPaths=/usr /lib -/lib64\nExecStart=/usr/bin/test ! -e /srv\n", end: "active"},
	{name: "root-stack", text: once + "RootMStack=/srv/k.mstack\nBindReadOnlyPaths=/usr /lib -/lib64\nExecStart=/usr/bin/test ! -e /srv\n", end: "active"},
	{name: "layered", text: once + "ExtensionDirectories=/srv/k-layer\nExecStart=/usr/bin/test -e /usr/lib/extension-release.d/extension-release.k-layer\n", end: "active"},
	{name: "tmpfs-root", text: once + "TemporaryFileSystem=/:ro\nBindReadOnlyPaths=/usr /etc /bin /sbin /lib -/lib64 /proc\nExecStart=/bin/sh -c 'test ! -e /srv'\n", end: "active"},
	{name: "tmpfs-run", text: once + "TemporaryFileSystem=/run\nExecStart=/bin/sh -c 'test ! -e /run/kinds'\n", end: "active"},
	{name: "hardest", text: hardest + "User=nobody\n" + sleeps, end: "active"},
	{name: "hardest-dynamic", text: hardest + "DynamicUser=yes\nPrivateUsers=yes\n" + sleeps, end: "active"},
	{name: "hardest-root", text: hardest + sleeps, end: "active"},
	{name: "hardest-exit", text: hardest + "Type=exec\nDynamicUser=yes\nExecStart=/bin/sh -c 'sleep 0.5; exit 3'\n", end: "failed"},
	{name: "privatepids", text: "Type=exec\nPrivatePIDs=yes\nExecStart=/bin/sh -c 'trap \"exit 0\" TERM; sleep infinity & wait'\n", end: "active"},
	{name: "environment-file", text: once + "EnvironmentFile=-/nonexistent\nEnvironment=A=%n\nExecStart=/bin/sh -c 'test $$A = k-environment-file.service'\n", end: "active"},

	// What belongs together.
	{name: "needs-broken", text: "[Unit]\nRequires=k-217-user.service\nAfter=k-217-user.service\n[Service]\n" + sleeps, end: "inactive"},
	{name: "needs-fine", text: "[Unit]\nRequires=k-remains.service\nAfter=k-remains.service\n[Service]\n" + sleeps, end: "active"},
	{name: "bound", text: "[Unit]\nBindsTo=k-exec.service\nAfter=k-exec.service\n[Service]\n" + sleeps, end: "active"},
}
