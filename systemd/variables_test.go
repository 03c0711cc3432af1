package systemd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withVariables is a unit of which some variables are known.
const withVariables = "[Service]\nEnvironment=W=netns \"O=netns exec other\" N=other E= LINK=link CMD=/usr/sbin/ip T=5 FLAGS=-D\n"

// TestUnknownWords: once a word from a variable let a command leave in silence.
func TestUnknownWords(t *testing.T) {
	for line, want := range map[string]string{
		"/usr/sbin/ip $W exec other x":                   "ip netns exec all",
		"/usr/sbin/ip ${W} exec $N x":                    "ip netns exec all",
		"/usr/sbin/ip $O x":                              "ip netns exec all",
		"/usr/sbin/ip $E netns exec other":               "ip netns exec all",
		"/usr/sbin/ip $U x":                              "ip $U unsure all",
		"/usr/sbin/ip -6 ${U} exec other x":              "ip ${U} unsure all",
		"/usr/sbin/ip netns $U other x":                  "ip $U unsure all",
		"/usr/sbin/ip -$U other x":                       "ip -$U unsure all",
		"/usr/sbin/ip \"$U\" x":                          "ip $U unsure all",
		"/usr/bin/env ip $U x":                           "ip $U unsure all",
		"/usr/bin/env $O x":                              "",
		"/usr/bin/env $CMD $O x":                         "ip netns exec all",
		"/usr/bin/env $U x":                              "$U unsure all",
		"/usr/bin/env -i $U x":                           "$U unsure all",
		"/usr/bin/env ${DIR}/${U} x":                     "${DIR}/${U} unsure all",
		"/usr/bin/nice -n 5 $U x":                        "$U unsure all",
		"/usr/bin/nice $U x":                             "$U unsure all",
		"/usr/sbin/rdexec $U -- x":                       "rdexec $U unsure all",
		"/usr/sbin/rdexec -u web $U x":                   "rdexec $U unsure all",
		"/usr/sbin/rdexec -- $U x":                       "rdexec $U unsure all",
		"/usr/sbin/rdomain $U":                           "rdomain $U unsure all",
		"/usr/bin/vrf $U":                                "vrf $U unsure all",
		"/usr/bin/vrf task $U":                           "vrf $U unsure all",
		"/usr/bin/bwrap $U x":                            "bwrap $U unsure all",
		"/usr/bin/bwrap --ro-bind / / --dev /dev ${U} x": "bwrap ${U} unsure all",
		"/usr/bin/bwrap --bind $U / x":                   "bwrap $U unsure all",
		"/usr/bin/firejail --quiet $U x":                 "firejail $U unsure all",
		"/usr/bin/systemd-nspawn $U x":                   "systemd-nspawn $U unsure all",
		"/usr/bin/systemd-nspawn --keep-unit -D /srv $U": "systemd-nspawn $U unsure all",
		"/usr/bin/systemd-nspawn --keep-unit -b $U":      "systemd-nspawn $U unsure all",
		"/usr/bin/lxc-unshare $U x":                      "lxc-unshare $U unsure all",
		"/usr/bin/docker $U web":                         "docker $U unsure all",
		"/usr/bin/podman $U web":                         "podman $U unsure all",
		"/usr/bin/nsenter $U x":                          "nsenter $U unsure all",
		"/usr/bin/unshare $U x":                          "unshare $U unsure all",
		"/bin/sh -c 'ip $U x'":                           "ip $U unsure",
		"/bin/sh -c 'ip $O x'":                           "ip netns exec",
		":/bin/sh -c 'ip $W exec other x'":               "ip $W unsure",
		"/bin/sh -c 'ip `cat /etc/where` x'":             "ip `cat unsure",
		"/bin/sh -c 'cd /; exec $$U x'":                  "$$U unsure",
		"/bin/sh -c '${U} x'":                            "${U} unsure",
		"/bin/sh -c $U":                                  "$U unsure",
		"/usr/bin/stdbuf -oL ip $U x":                    "ip $U unsure all",
		"/usr/bin/numactl -N0 ip vrf exec other x":       "ip vrf exec all",
		"/usr/bin/stdbuf -oL ip vrf exec other x":        "ip vrf exec all",
		// What expands nothing, what is a word of another kind, and daemons with their options.
		":/usr/sbin/ip $W exec other x":                          "",
		":/usr/bin/nsenter $W x":                                 "",
		"/usr/sbin/ip $$W exec other x":                          "",
		"/usr/sbin/ip link set $U up":                            "",
		"/usr/sbin/ip $LINK set $U up":                           "",
		"/usr/sbin/ip -4 addr add ${U} dev $V":                   "",
		"/usr/sbin/ip netns add $U":                              "",
		"/usr/sbin/sshd -D $SSHD_OPTS":                           "",
		"/usr/sbin/nginx -c ${CONF} $OPTS":                       "",
		"/usr/sbin/nginx -g \"daemon off; $X y;\"":               "",
		"/usr/bin/env A=${B} /usr/sbin/x $OPTS":                  "",
		"/usr/bin/nice -n $NICE /usr/sbin/x":                     "",
		"/usr/bin/systemd-cat -t ${TAG} /usr/sbin/x $OPTS":       "",
		"/usr/bin/taskset -c $CPUS /usr/sbin/x $OPTS":            "",
		"/usr/bin/flock -w ${T} /run/x /usr/sbin/x $OPTS":        "",
		"/usr/bin/bwrap --ro-bind ${A} / --dev /dev x $OPTS":     "",
		"/usr/bin/stdbuf -oL /usr/sbin/x $OPTS":                  "",
		"/usr/bin/env -i A=1 /usr/sbin/x $OPTS":                  "",
		"/usr/bin/env -u A /usr/sbin/x $OPTS":                    "",
		"/usr/bin/taskset -c 0-3 /usr/sbin/x $OPTS":              "",
		"/usr/bin/setpriv --no-new-privs /usr/sbin/x $OPTS":      "",
		"/usr/bin/dbus-run-session -- /usr/sbin/x $OPTS":         "",
		"/usr/bin/timeout 5 /usr/sbin/x $OPTS":                   "",
		"/usr/sbin/chroot /srv /usr/sbin/x $OPTS":                "",
		"/usr/bin/firejail --quiet x $OPTS":                      "",
		"/usr/sbin/rdexec -u web x $OPTS":                        "",
		"/usr/bin/docker ps $U":                                  "",
		"/bin/sh -c 'exec /usr/sbin/x $OPTS'":                    "",
		"/bin/sh -c 'test -n \"$X\" && exec /usr/sbin/x \"$Y\"'": "",
		"/bin/sh -c 'exec \"$@\"' sh /usr/sbin/x":                "",
		"/bin/sh -c 'A=$B; export A; ip link set $IF up'":        "",
		"/usr/bin/x --pidfile /run/ip $U":                        "",
		"/bin/kill -HUP $MAINPID":                                "",
	} {
		var got []string
		for _, e := range Enters(&Unit{Name: "x.service", Settings: Read("x", []byte(withVariables+"ExecStart="+line+"\n"))}) {
			said := e.By
			if e.Unsure {
				said += " unsure"
			}
			if e.All {
				said += " all"
			}
			got = append(got, said)
		}
		if d := cmp.Diff(want, strings.Join(got, ", ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", line, d)
		}
	}
}

// TestKnownVariables: what may be another value when the command runs is not known.
func TestKnownVariables(t *testing.T) {
	for text, want := range map[string]string{
		"Environment=W=a\n":                                  "a",
		"Environment=W=a W=b\nEnvironment=\"W=c d\"\n":       "c d",
		"Environment=W=a\nEnvironment=\n":                    "?",
		"Environment=W=a\nEnvironmentFile=-/etc/default/x\n": "?",
		"Environment=W=a\nUnsetEnvironment=W\n":              "?",
		"Environment=W=a\nPAMName=login\n":                   "?",
		"Environment=W=%H\n":                                 "?",
		"Environment=W=%p\n":                                 "x",
		"Environment=W='a\n":                                 "?",
		"":                                                   "?",
	} {
		got, ok := environment(&Unit{Name: "x.service", Settings: Read("x", []byte("[Service]\n"+text))}, "Service")["W"]
		if !ok {
			got = "?"
		}
		if got != want {
			t.Errorf("%q: W is %q; want %q", text, got, want)
		}
	}
}
