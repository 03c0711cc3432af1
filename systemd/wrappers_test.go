package systemd

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// said returns what a command is found to do, by a unit that does not set $U.
func said(line string) string {
	var list []string
	for _, e := range Enters(&Unit{Name: "x.service", Settings: Read("x", []byte(withVariables+"ExecStart="+line+"\n"))}) {
		text := e.By
		if e.Unsure {
			text += " unsure"
		}
		if e.All {
			text += " all"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// wrapped are command lines up to the program, of each wrapper one or more.
var wrapped = []string{
	"env -u FOO", "env --unset FOO -i A=1 B=${C}", "env -C /srv -", "env -iu FOO --chdir=/srv --", "env -a x", "env --block-signal",
	"nice", "nice -n 5", "nice -15", "nice --adjustment 5", "nice -n $NICE",
	"timeout 5", "timeout --foreground 5m", "timeout --foreground ${T}", "timeout -s INT ${T}", "timeout -k 5 --signal KILL -v ${T}", "timeout -vs INT -- 5", "timeout $RUNTIME",
	"stdbuf -o L", "stdbuf -oL -e 0", "stdbuf --output L", "chroot --skip-chdir /srv", "chroot --userspec=a:b --groups web ${ROOT}",
	"runcon a:b:c:s0", "runcon -t t -u u", "runcon --compute --type=t", "time -p", "time -f %%e --output /x",
	"chrt --rr ${P}", "chrt --rr $PRIO", "chrt -f 5", "chrt -d --sched-period 500 -T 100 0", "choom -n 500 --", "coresched new -t pgid --",
	"flock -n /run/l", "flock -n $LOCK", "flock -sn -w 5 -E 7 /run/l", "flock --nonblock --timeout 5 ${DIR}/lock", "flock -xo \"/run/a b\"",
	"ionice -c 2 -n 7", "ionice -tc3", "ionice --class best-effort --classdata ${N}", "nsenter -t 1 -m", "unshare -m --propagation slave", "pipesz --set 4096 -f /x",
	"prlimit --nofile=$N", "prlimit -n1024:4096 --core=0 --verbose", "runuser -u root --", "runuser -u $APPUSER -g ${G}",
	"script -q /dev/null --", "setarch x86_64 -R", "setarch --addr-no-randomize", "linux64", "linux32 -R -3", "i386", "x86_64 --verbose",
	"setpriv --reuid web --init-groups --no-new-privs", "setpriv --reuid ${U1} --inh-caps -all", "setsid -wc", "setsid --fork", "nohup",
	"taskset ff", "taskset -c $CPUS", "taskset --cpu-list 0-3", "uclampset -m 10 -M ${X}",
	"sudo -u root", "sudo -nEu $APPUSER -g x A=1", "sudo --user root --preserve-env=A --", "doas -u x", "doas -nu x", "gosu web", "su-exec $APPUSER",
	"setuidgid web", "envuidgid web", "envdir /x", "pgrphack", "fghack", "setlock -n /x", "softlimit -m 100 -o ${N}", "chpst -u web -e /x -P -o 5", "chpst -l ${LOCK} -0",
	"s6-setuidgid $APPUSER", "s6-envuidgid -D 1:1:1 -n web", "s6-envdir -I -c x /x", "s6-applyuidgid -z -u 1 -g 1 -G 1", "s6-softlimit -h -m 5",
	"s6-setlock -n -t 5 /x", "s6-setsid -i -d /dev/tty", "s6-notifyoncheck -d -3 3 -c /x", "s6-fghack",
	"systemd-cat -t ${TAG} --priority info", "systemd-inhibit --what=sleep --why x", "dbus-run-session --config-file /x --", "systemd-socket-activate -l 80 -a",
	"busybox", "busybox timeout 5", "eatmydata --", "catatonit -g --", "cgexec -g cpu:x", "cgexec --sticky -g ${G}", "dumb-init -r 15:3 --", "nocache -n 2",
	"numactl --cpunodebind 0 -m ${N}", "numactl -N0 --interleave=all", "strace -fo /x -e trace=network", "strace -ff --output /x -p 1 -s 99", "tini -g -p KILL --",
	"sshpass -p ${PW}", "ssh-agent -a /x", "start-stop-daemon --start -qb --pidfile /x --exec", "start-stop-daemon -S --startas",
	"capsh --print --", "aa-exec -p x --", "env \"A=x y\"", "env A=\"x y\"",
	"env -u A nice -n 5 flock -n /run/l", "flock -n /run/l timeout -s INT 5 env A=1",
}

// TestWrappers: once what options a wrapper has was guessed. So a program that only a variable
// names was seen behind some, and a working unit was refused by others.
func TestWrappers(t *testing.T) {
	tried := map[string]bool{}
	for _, line := range wrapped {
		name, _, _ := strings.Cut(line, " ")
		tried[name] = true
		for rest, want := range map[string]string{
			"/sbin/ip netns exec other /bin/x": "ip netns exec all",
			"ip netns exec other x":            "ip netns exec all",
			"$U x":                             "$U unsure all",
			"${U} x":                           "${U} unsure all",
			"/usr/sbin/x -n $U ${V}":           "",
		} {
			got := said("/usr/bin/" + line + " " + rest)
			if nsOptions[name] != nil {
				got = strings.Replace(got, name+" ", "", 1) // that says so by itself
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s %s (-want +got):\n%s", line, rest, d)
			}
		}
	}
	for name := range wrappers {
		if !tried[name] && !slices.Contains(personalities, name) && name != "su" {
			t.Errorf("no line for %s", name)
		}
	}
}

// TestBehindOptions are lines of other kinds.
func TestBehindOptions(t *testing.T) {
	for line, want := range map[string]string{
		// An option that is not known may have a value.
		"/usr/bin/timeout --new 5 $U x":                                       "$U unsure all",
		"/usr/bin/timeout --new $T 5 $U x":                                    "$U unsure all",
		"/usr/bin/setpriv --new value $U":                                     "$U unsure all",
		"/usr/bin/setpriv --new $U":                                           "$U unsure all",
		"/usr/bin/setpriv --new value nice -n 5 $U":                           "$U unsure all",
		"/usr/bin/setpriv --new ip netns exec other x":                        "ip netns exec",
		"/usr/bin/setpriv --new=value /usr/sbin/x $OPTS":                      "",
		"/usr/bin/timeout $OPTS 5 $U":                                         "$U unsure all",
		"/usr/bin/timeout ${OPT} 5 $U":                                        "$U unsure all",
		"/usr/bin/flock $OPTS /run/l $U":                                      "$U unsure all",
		"/usr/bin/flock -n $LOCK foo $OPTS":                                   "",
		"/usr/bin/timeout ${RUNTIME} foo $OPTS":                               "",
		"/usr/sbin/chroot ${ROOT} /opt/x $OPTS":                               "",
		"/usr/bin/flock -n ${LOCK} /usr/lib/x/y $OPTS":                        "",
		"/usr/sbin/chroot ${OPT} /srv $U":                                     "$U unsure all",
		"/usr/bin/setarch $OPTS x86_64 $U":                                    "$U unsure all",
		"/sbin/runuser $OPTS -- $U":                                           "$U unsure all",
		"/usr/bin/flock -n ${DIR}/lock /opt/x $OPTS":                          "",
		"/usr/bin/prlimit --nofile $U foo":                                    "$U unsure all", // its value is in the word
		"/usr/bin/env -S \"ip netns exec other x\"":                           "ip netns exec all",
		"/usr/bin/env -S $U":                                                  "$U unsure all",
		"/usr/bin/env -S ${U}":                                                "${U} unsure all",
		"/usr/bin/strace -e trace=all -E A=1 $U":                              "$U unsure all",
		"/usr/sbin/start-stop-daemon -S --exec=$U":                            "",
		"/usr/sbin/start-stop-daemon -S --exec=${U}":                          "--exec=${U} unsure all",
		"/usr/sbin/start-stop-daemon -Sx /x -- -x $U":                         "",
		"/usr/sbin/start-stop-daemon -S -x /sbin/ip -- -6 netns exec other x": "ip netns exec all",
		// A process that runs already.
		"/usr/bin/taskset -cp 0-3 $MAINPID":          "",
		"/usr/bin/chrt -f -p 5 $MAINPID":             "",
		"/usr/bin/ionice -c 2 -p $MAINPID $U":        "",
		"/usr/bin/choom -n 5 -p $MAINPID":            "",
		"/usr/bin/prlimit --pid $MAINPID --nofile=5": "",
		"/usr/bin/uclampset -m 5 --pid ${MAINPID}":   "",
		// A user, and what a shell reads.
		"/sbin/runuser -l $APPUSER -c /opt/x":                "",
		"/sbin/runuser ${APPUSER} -c /opt/x":                 "",
		"/sbin/runuser -l ${APPUSER} -s /bin/sh -c \"x $Y\"": "",
		"/sbin/runuser -l web -c $U":                         "$U unsure",
		"/sbin/runuser -l web -c 'exec $$U'":                 "$$U unsure",
		"/sbin/runuser -l web --command=${U}":                "--command=${U} unsure",
		"/bin/su - $APPUSER -c 'ip netns exec other x'":      "ip netns exec",
		"/bin/su web -s /bin/sh -c ${U}":                     "${U} unsure",
		"/usr/bin/flock -n /run/l -c $U":                     "$U unsure",
		"/usr/bin/flock /run/l -c 'cd /; ip netns exec o x'": "ip netns exec",
		"/usr/bin/script -qc $U /dev/null":                   "$U unsure",
		"/usr/sbin/capsh --drop=x -- -c $U":                  "$U unsure",
		"/bin/sh -c 'timeout --foreground 5 $$U x'":          "$$U unsure",
		"/bin/sh -c 'flock -n /run/l /usr/sbin/x -c $$U'":    "",
		"/bin/sh -c 'if true; then $$U; fi'":                 "$$U unsure",
		"/bin/sh -c 'cd /; A=1 $$U x'":                       "$$U unsure",
		"/bin/sh -c 'PID=$(pidof $$U); kill $$PID'":          "",
		"/bin/sh -c 'if test -n $$U; then x $$U; fi'":        "",
		"/bin/sh -c 'for i in $$U; do x $$i; done'":          "",
		"/bin/sh -c 'command -v $$U'":                        "",
		"/bin/sh -c 'exec -a x $$U'":                         "$$U unsure",
		"/bin/sh -c 'nohup x & $$U'":                         "$$U unsure",
		"/bin/sh -c 'true;env $$U'":                          "$$U unsure",
		"/bin/bash -c \"$(which python3) x\"":                "",
		"/bin/bash -c \"exec $(command -v python3) x $Y\"":   "",
		"/bin/bash -c \"$(which ip) netns exec other x\"":    "ip netns exec",
		"/bin/bash -c \"$(which $U) x\"":                     "$ unsure",
		// What another host is told, and what is no command.
		"/usr/bin/tcpdump -ni eth0 ip -n host 10.0.0.1":                                 "",
		"/usr/bin/tcpdump ip -n host 10.0.0.1":                                          "",
		"/usr/bin/ssh backup@host docker start foo":                                     "",
		"/usr/bin/ssh host sudo ip netns exec other x":                                  "",
		"/usr/bin/ssh -p 22 -i /x -l web host -t ip netns exec other x":                 "",
		"/usr/bin/autossh -M 0 -NT -o A=b host sudo ip netns exec other x":              "",
		"/usr/bin/env A=1 sshpass -p x ssh host nsenter -t 1 -n x":                      "",
		"/bin/bash -c \"`which python3` x\"":                                            "",
		"/bin/sh -c 'echo $(ssh host docker start x) && docker start y'":                "docker",
		"/bin/sh -c 'while :; do ssh host docker start x; done'":                        "",
		"/bin/su backup -c \"ssh host docker start x\"":                                 "",
		"/usr/bin/flock -n $LOCK timeout ${T} ssh host docker start x":                  "",
		"/usr/bin/ssh $HOST $U":                                                         "",
		"/usr/bin/ssh host $U":                                                          "",
		"/usr/bin/ssh host 'cd / && ip netns exec other x'":                             "",
		"/bin/sh -c 'ssh host ip netns exec a x && ip vrf exec b y'":                    "ip vrf exec",
		"/bin/sh -c 'ssh host \"ip netns exec a x; y\"; ip vrf exec b y'":               "ip vrf exec",
		"/bin/sh -c \"ssh host x\\nnice ip vrf exec b y\"":                              "ip vrf exec",
		"/bin/sh -c 'ssh host x $(ip netns exec a y)'":                                  "ip netns exec",
		"/bin/sh -c 'ssh host x' ip netns exec a y":                                     "ip netns exec",
		"/usr/bin/ssh host x ; /sbin/ip netns exec a y":                                 "ip netns exec",
		"/usr/bin/ssh -o \"ProxyCommand=x\" -o ProxyCommand=\"ip netns exec a x\" host": "ip netns exec",
		"/usr/bin/ip netns exec other ssh host x":                                       "ip netns exec all",
		"/usr/bin/x \"ssh\" host ip netns exec a x":                                     "ip netns exec",
		"/usr/bin/ssh --new host ip netns exec a x":                                     "ip netns exec",
	} {
		if d := cmp.Diff(want, said(line)); d != "" {
			t.Errorf("%s (-want +got):\n%s", line, d)
		}
	}
}
