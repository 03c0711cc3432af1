package native

// wildScripts are scripts in the ways of those that are in use: long lists of options, one
// built from another, defaults of defaults, and values that conf.d has for others.
var wildScripts = []sameService{
	{text: ": ${user:=\"gizmo\"}\n: ${logfile:=\"/var/log/gizmo/wild.log\"}\n: ${opts:=\"\"}\n" + background +
		"command_args=\"\n\t--log $logfile\n\t--port ${port:-80}\n\t${opts:+\"--opts=$opts\"}\n\t${command_args:-}\n\t\"\n" +
		"supervise_daemon_args=\"\n\t--env TZ=:/etc/localtime\n\t--env MODE=${mode:-\"prod\"}\n\t\"\n" +
		"start_stop_daemon_args=\"\n\t--interpreted\n\t--user $user\n\t--stdout $logfile\n\t--stderr=$logfile\n\t$supervise_daemon_args\n\t$start_stop_daemon_args\"",
		conf: "opts=a,b\nstart_stop_daemon_args='--nicelevel 2'\ncommand_args='--last \"x  y\"'"},
	{text: "group=${group:-mail}\nuser=${user:-gizmo}\nexport GOMAXPROCS=${GOMAXPROCS:-2}\npidfile=${pidfile:-\"/run/${RC_SVCNAME}.pid\"}\n" +
		"command=\"/usr/sbin/gizmod\"\ncommand_args=\"agent ${command_args:-config-dir=/etc/x}\"\ncommand_background=\"true\"\n" +
		"start_stop_daemon_args=\"--user ${user} --group ${group} \\\n\t--stdout /var/log/gizmo/w.log \\\n\t--stderr /var/log/gizmo/w.log\"",
		conf: "GOMAXPROCS=3"},
	{text: "command=\"${GIZMO_BINARY:-/usr/sbin/gizmod}\"\npidfile=\"${GIZMO_PIDFILE:-/run/${RC_SVCNAME}.pid}\"\n" +
		"command_args=\"-p \\\"${pidfile}\\\" ${GIZMO_OPTS}\"\nLOGFILE=\"${LOGFILE:-/var/log/gizmo/${RC_SVCNAME}.log}\"\nOUTFILE=\"${OUTFILE:-${LOGFILE}}\"\n" +
		"start_stop_daemon_args=\"--background --make-pidfile \\\n\t--stderr \\\"${LOGFILE}\\\" --stdout \\\"${OUTFILE}\\\"\"\nrc_ulimit=\"${GIZMO_ULIMIT:--c 0 -n 2048}\"\nretry=\"${GIZMO_RETRY:-TERM/60/KILL/10}\"",
		conf: "GIZMO_OPTS=\"\""},
	{text: ": ${GIZMO_CONFDIR:=${RC_PREFIX%/}/etc/gizmo}\n: ${GIZMO_CONFIG:=${GIZMO_CONFDIR}/gizmo.conf}\n: ${GIZMO_BINARY:=${RC_PREFIX%/}/usr/sbin/gizmod}\n" +
		"command=\"${GIZMO_BINARY}\"\ncommand_args=\"${GIZMO_OPTS} -f ${GIZMO_CONFIG}\"\ncommand_args_foreground=\"-D\"\nsupervisor=\"supervise-daemon\"\nstart_stop_daemon_args=\"${GIZMO_SSD_OPTS}\"",
		conf: "GIZMO_CONFDIR=\"${RC_PREFIX%/}/etc/other\"\nGIZMO_SSD_OPTS='--chdir /srv'"},
	{text: ": ${D:=/srv/gizmo}\n: ${C:=${D}/custom}\ncommand=\"/usr/sbin/gizmod web\"\ncommand_args=\"--config ${D}/ini\"\ncommand_background=\"true\"\ncommand_user=\"${U:-gizmo}:${G:-mail}\"\n" +
		"pidfile=\"/run/${RC_SVCNAME}.pid\"\nstart_stop_daemon_args=\"-d ${D}\"\nstart_stop_daemon_args=\"${start_stop_daemon_args} -e WORK=${D}\"\nstart_stop_daemon_args=\"${start_stop_daemon_args} -e CUSTOM=${C}\""},
	{text: supervised + "command_args=\"-m x \\\n\t-c ${CONF:-/var/lib/x.yaml} \\\n\t${ADDR+-l ${ADDR}} \\\n\t${PORT+-p ${PORT}} \\\n\t${OWNER+-o ${OWNER}} \\\n\t${OPTS} ${HOME_SERVER}\"",
		conf: "PORT=80\nHOME_SERVER=\"https://example.com\""},
	{text: background + "command_args=\"TCP-LISTEN:${PORT},bind=${ADDRESS},fork SYSTEM:'/usr/libexec/x ${DIR}'\"\ncommand_user=gizmo", conf: "PORT=80\nDIR=/srv/a"},
	{text: background + "SSD_NICELEVEL=\"${NICE:=5}\"\nSSD_IONICELEVEL=2:4\numask=\"${UMASK:=007}\"", conf: "FORMAT='$1 [$2] $3'\nNICE=6"},
	{text: background + "command_args=\"--bind ${HOST}:${PORT}\"\ncommand_user=\"${USER}:${GROUP}\"",
		conf: "HOST=\"0.0.0.0\"\nPORT=9000\nUSER=gizmo\nGROUP=mail\nexport URI_MAP=\"a=>B\"\nexport VERBOSITY=1 LEVEL=${LEVEL:-info,x=debug}"},
	{text: "LOG=/var/log/gizmo/own-wild.log\nstart() {\n\tcheckconfig || return 1\n\tebegin \"Starting\"\n\tebegin \"Log: ${LOG}\"\n\tstart-stop-daemon --start\t\\\n\t-b -1 ${LOG} -2 ${LOG}\t\\\n" +
		"\t-m -p /run/w.pid\t\t\\\n\t--exec /usr/sbin/gizmod  -- run -config /etc/x\n\teend $?\n}\nstop() {\n\tebegin \"Stopping\"\n\tstart-stop-daemon --stop -p /run/w.pid\n\teend $?\n}\ncheckconfig() { [ -e /etc/passwd ]; }",
		lost: "start() but its start-stop-daemon"},
	{text: "instance=\"${RC_SVCNAME#*.}\"\n[ \"$instance\" = \"$RC_SVCNAME\" ] && instance=main\n" + background + "command_args=\"-i $instance\"", refused: "depends on"},
	{text: background + "command_args=\"${command_args:-\"\"} ${A:-${B:-\"c d\"}}\"", conf: "command_args=\"-x\""},
	{text: background + "if yesno \"${VERBOSE:-no}\"; then\n\tcommand_args=\"$command_args -v\"\nfi", refused: `depends on "if"`},
	{text: background + "start_pre() {\n\texport GIZMO_LATE=1\n\tcheckpath -d /run/g\n}", refused: "depends on start_pre()"},
	{text: background + "command_args='\\$HOME \\\\x \"a\\\\b\" a#b } { ! if'"},
	{text: background + "command_args='--re=^a$'", refused: "needs a shell"},
}

// wildUnits are units in such ways.
var wildUnits = []sameService{
	{text: "ExecStart=/usr/sbin/gizmod a${FOO:-x}b", refused: "has ${FOO:-x}, which systemd 262 takes"},
	{text: "ExecStart=:/usr/sbin/gizmod a${FOO:-x}b"},
	{text: "ExecStart=/usr/sbin/gizmod ${FOO-x} $FOO-bar $FOO$BAR ${1} ${} $1 $ $@ ${BAR}${BAR} $BAR\nEnvironment=BAR=b"},
	{text: "ExecStart=/usr/sbin/gizmod x'a b' --a=\"b c\"d 'it''s' \"\\\"\" \\\\x \\n \\t \\101 \\x4g \\u00e4 \\s"},
	{text: "ExecStart=\"/usr/sbin/gizmod\" 100%% %%i %%%n"},
	{text: "User=%i\nExecStart=/usr/sbin/gizmod", refused: "is no user"},
	{text: "Group=%i\nExecStart=/usr/sbin/gizmod", refused: "is no user"},
	{text: "User=gizmo\nSupplementaryGroups=%i\nExecStart=/usr/sbin/gizmod", refused: "is no group"},
	{text: "User=-1\nExecStart=/usr/sbin/gizmod", refused: "is no user"},
	{text: "Environment=A=a\\\\b B=\"a\\\"b\" 'C=it\\'s' D=a;b E=$A${B} \"F=100%%\"\nExecStart=/usr/sbin/gizmod $D ${A} ${B}"},
	{text: "User=gizmo\nGroup=mail\nEnvironment=\"HOST=0.0.0.0\" \"PORT=90\" \"LOGFILE=/run/wild.log\"\nEnvironmentFile=-/etc/default/none\n" +
		"ExecStartPre=+/bin/sh -ec \"if [ ${LOGFILE} != syslog ]; then /usr/bin/touch -a ${LOGFILE} && chown gizmo:mail ${LOGFILE}; fi\"\nExecStart=/usr/sbin/gizmod --bind ${HOST}:${PORT}"},
	{text: "Environment=dev=x speed=S5\nRuntimeDirectory=g\nExecStartPre=/bin/sh -c 'printf \"C\\rF\\r${speed}\\rO\\r\" >/run/g/said'\nExecStart=/usr/sbin/gizmod -F ${dev}"},
	{text: "Environment=CLASSES=.:htroot:lib/*\nEnvironment=\"ARGS=-Xmx6m -Da.b=true -Dx.y=\"\nUser=gizmo\nWorkingDirectory=/srv/gizmo\nExecStart=/usr/sbin/gizmod $ARGS net.x.Y"},
	{text: "Environment=PATH=/usr/bin:$PATH\nUser=gizmo\nGroup=gizmo\nSupplementaryGroups=mail games\nExecStart=/usr/sbin/gizmod"},
	{text: "User=gizmo\nAmbientCapabilities=CAP_NET_ADMIN CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_BIND_SERVICE\nNoNewPrivileges=true\nExecStart=/usr/sbin/gizmod run\nLimitNPROC=1000\nLimitNOFILE=1000"},
	{text: "ExecStart=/usr/sbin/gizmod \\\n  # c\n  -x \\\n; d\n  -y \\\n\n[Service]\nUser = gizmo\nGroup\t=\tmail\n Nice=3"},
	{text: "#User=root\n;User=root\nUser=\\\ngizmo\nUMask=\\\n077\nExecStart=/usr/sbin/gizmod"},
	{text: "RuntimeDirectory=g g/sub\nRuntimeDirectoryMode=2770\nRuntimeDirectoryPreserve=yes\nUser=gizmo\nExecStart=/usr/sbin/gizmod %t/g"},
}
