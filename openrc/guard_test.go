package openrc

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"rdgen/test/need"
)

// alteration makes another OpenRC of the text of openrc-run.sh, as its authors may.
type alteration struct {
	name string
	// as returns the altered text.
	as func(text string) string
	// also alters other files of OpenRC.
	also string
	// top says that the script's own lines, not in a function, are run outside
	// before all is run inside.
	top bool
	// stopped says that the services do not start.
	stopped bool
}

const readScript = "sourcex \"$RC_SERVICE\"\n"

var (
	sourcexE = regexp.MustCompile(`sourcex -e ("[^"]*")`)
	sourcex  = regexp.MustCompile(`(?m)^sourcex ("[^"]*")`)
	// confd is what reads conf.d.
	confd = regexp.MustCompile(`(?s)_conf_d=\$\{RC_SERVICE.*?unset _conf_d\n`)
	// run is from where the configuration is read.
	run = regexp.MustCompile(`(?s)# Load configuration settings.*`)
)

// replaced replaces text that must be there.
func replaced(text, old, new string) string {
	if !strings.Contains(text, old) {
		panic("openrc-run.sh has no " + old)
	}
	return strings.ReplaceAll(text, old, new)
}

func removed(text string, what *regexp.Regexp) (rest, found string) {
	found = what.FindString(text)
	return replaced(text, found, ""), found
}

func renamed(text string) string { return replaced(text, "sourcex", "load") }

// byDot reads every file by the shell's own command.
func byDot(text string) string {
	head, tail, _ := strings.Cut(text, "# Start debug output")
	tail = sourcexE.ReplaceAllString(tail, `{ [ -e $1 ] && . $1; }`)
	return head + sourcex.ReplaceAllString(tail, `. $1`)
}

var alterations = []alteration{
	{name: "as it is", as: func(text string) string { return text }},
	{name: "script by dot", as: func(text string) string { return replaced(text, readScript, ". \"$RC_SERVICE\"\n") }},
	{name: "script by eval", as: func(text string) string { return replaced(text, readScript, "eval \"$(cat \"$RC_SERVICE\")\"\n") }},
	{name: "all by dot", as: byDot, top: true},
	{name: "all by another function", as: renamed, top: true},
	{name: "another function that evals", as: func(text string) string {
		return replaced(renamed(text), `if ! . "$1"; then`, `if ! eval "$(cat "$1")"; then`)
	}, top: true},
	{name: "script before the supervisors", as: func(text string) string {
		return replaced(replaced(text, readScript, ""), "# load service supervisor", readScript+"# load service supervisor")
	}},
	{name: "script before the supervisors, by another function", as: func(text string) string {
		return renamed(replaced(replaced(text, readScript, ""), "# load service supervisor", readScript+"# load service supervisor"))
	}, top: true},
	{name: "conf.d after the script", as: func(text string) string {
		rest, conf := removed(text, confd)
		return replaced(rest, readScript, readScript+conf)
	}, top: true},
	{name: "conf.d after the script, by another function", as: func(text string) string {
		rest, conf := removed(text, confd)
		return renamed(replaced(rest, readScript, readScript+conf))
	}, top: true},
	{name: "more calls of all helpers", as: func(text string) string {
		more := "yesno \"$RC_USER_SERVICES\" || :; if [ -n \"$x\" ] || test -n \"$x\"; then :; fi; eval :\n"
		for _, line := range []string{"_conf_d=$", "unset _c\n", "unset _conf_d\n", "# load service supervisor", readScript, "# Set verbose mode"} {
			text = replaced(text, line, "\n"+more+line)
		}
		return text
	}},
	{name: "in one function", as: func(text string) string {
		rest, all := removed(text, run)
		return rest + "main() {\n" + all + "\n}\nmain \"$@\"\n"
	}},
	{name: "in one function, conf.d after the script", as: func(text string) string {
		rest, conf := removed(text, confd)
		rest, all := removed(replaced(rest, readScript, readScript+conf), run)
		return rest + "main() {\n" + all + "\n}\nmain \"$@\"\n"
	}, top: true},
	{name: "supervise-daemon by its path", as: renamed, top: true,
		also: "sed -i 's,eval supervise-daemon,eval /sbin/supervise-daemon,' /lib/rc/sh/supervise-daemon.sh; "},
	{name: "no yesno", as: func(text string) string { return renamed(replaced(text, "yesno", "isyes")) }, top: true},
	{name: "no aliases", as: func(text string) string { return replaced(text, "_conf_d=$", "unalias -a\n_conf_d=$") }},
	{name: "no aliases, by another function", as: func(text string) string {
		return renamed(replaced(text, "_conf_d=$", "unalias -a\n_conf_d=$"))
	}, stopped: true},
	{name: "no rc.conf.d", as: func(text string) string { return replaced(text, `"/etc"/rc.conf.d/*.conf`, `/nowhere/*.conf`) }, stopped: true},
}

// TestGuard starts services in a domain on OpenRCs that read their files in other
// ways than any that was released: their functions and daemons run inside, or not
// at all. A service without a domain always starts.
func TestGuard(t *testing.T) {
	for _, shell := range []string{"dash", "busybox", "bash"} {
		t.Run(shell, func(t *testing.T) {
			b := newBed(t)
			need.Tools(t, need.Sh, shell)
			b.hook()
			b.rdexec()
			b.conf("netns=t1\n", "decl", "super", "plain")
			b.file("usr/sbin/rdomain", 0o755, "#!/bin/sh\ncase $1 in up) ip netns add \"$2\"; stat -L -c %i /run/netns/t1 >/run/t1.inode ;; down) ip netns del \"$2\" ;; esac\n")
			text := b.sh("openrc-run.sh")
			scenario := "ln -sf " + shell + " /bin/sh; ln -s rdomain /etc/init.d/rdomain.t1\n"
			var want []string
			for i, a := range alterations {
				b.file(fmt.Sprintf("altered/%d", i), 0o755, a.as(text))
				scenario += fmt.Sprintf("cat /altered/%d >/lib/rc/sh/openrc-run.sh; %secho '%s'; case_%v %v\n", i, a.also, a.name, a.stopped, a.top)
				want = append(want, a.name, "none started in default")
				if a.stopped {
					want = append(want, "decl stopped in none", "super stopped in none", "plain stopped in none", "1 daemons", "0 daemons")
				} else {
					want = append(want, "decl started in t1", "super started in t1", "plain started in t1", "4 daemons", "0 daemons",
						"reload start_pre stop_pre top")
				}
			}
			got := b.run(`
all() { for s in decl super plain none; do rc-service $s "$1" </dev/null >>/tmp/rc.log 2>&1; done; }
gone() { i=0; until [ "$(daemons)" = "0 daemons" ] || [ $i = 100 ]; do i=$((i + 1)); sleep 0.1; done; daemons; }
case_false()
{
	all start
	state none; state decl; state super; state plain; running decl; running none; daemons
	rc decl reload >/dev/null; all stop; gone
	inside="net:[$(cat /run/t1.inode)] clean" tops=0
	while read -r func place; do
		[ "$place" = "$inside" ] || [ "$1 $func" = "true top" ] || echo "$func in $place, not $inside"
	done </run/decl.where
	echo $(cut -d ' ' -f 1 /run/decl.where | sort -u)
	rm /run/decl.where
	rc-service rdomain.t1 stop >>/tmp/rc.log 2>&1
}
case_true()
{
	all start
	state none; state decl; state super; state plain; running none; daemons
	rc-service none stop >>/tmp/rc.log 2>&1; gone
	grep -v "^top " /run/decl.where # what a status reads
	rm -f /run/decl.where
}
` + scenario)
			b.want(got, want...)
		})
	}
}
