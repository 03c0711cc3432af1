package openrc

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

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
	// rcconfd is what reads rc.conf.d.
	rcconfd = regexp.MustCompile(`(?s)if \[ -d "/etc/rc.conf.d" \]; then.*?\nfi\n`)
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
	{name: "all by dot", as: byDot},
	{name: "all by another function", as: renamed},
	{name: "another function that evals", as: func(text string) string {
		return replaced(renamed(text), `if ! . "$1"; then`, `if ! eval "$(cat "$1")"; then`)
	}},
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
	{name: "in one function, by another function", as: func(text string) string {
		rest, all := removed(renamed(text), run)
		return rest + "main() {\n" + all + "\n}\nmain \"$@\"\n"
	}, stopped: true},
	{name: "in one function, conf.d by dot after the script", as: func(text string) string {
		rest, conf := removed(text, confd)
		conf = sourcexE.ReplaceAllString(conf, `{ [ -e $1 ] && . $1; }`)
		rest, all := removed(replaced(rest, readScript, readScript+conf), run)
		return rest + "main() {\n" + all + "\n}\nmain \"$@\"\n"
	}, stopped: true},
	{name: "conf.d before rc.conf.d", as: func(text string) string {
		rest, conf := removed(text, confd)
		return replaced(rest, "# Load configuration settings.", conf+"# Load configuration settings.")
	}},
	{name: "conf.d before rc.conf.d, by another function", as: func(text string) string {
		rest, conf := removed(text, confd)
		return renamed(replaced(rest, "# Load configuration settings.", conf+"# Load configuration settings."))
	}},
	{name: "rc.conf.d after the script", as: func(text string) string {
		rest, conf := removed(text, rcconfd)
		return replaced(rest, "# Set verbose mode", conf+"# Set verbose mode")
	}, top: true},
	{name: "sourcex defined again", as: func(text string) string {
		return replaced(text, "_conf_d=$", "sourcex() { [ \"$1\" != -e ] || shift; [ -e \"$1\" ] && . \"$1\"; }\n_conf_d=$")
	}},
	{name: "sourcex defined again, without a word of the guard", as: func(text string) string {
		return replaced(text, "_conf_d=$", "sourcex() { case $1 in -e) shift; grep -q . \"$1\" 2>/dev/null || return 1 ;; esac; command . \"$1\"; }\n_conf_d=$")
	}},
	{name: "supervise-daemon by its path", as: renamed,
		also: "sed -i 's,eval supervise-daemon,eval /sbin/supervise-daemon,' /lib/rc/sh/supervise-daemon.sh; "},
	{name: "no yesno", as: func(text string) string { return renamed(replaced(text, "yesno", "isyes")) }},
	{name: "no aliases", as: func(text string) string { return replaced(text, "_conf_d=$", "unalias -a\n_conf_d=$") }},
	{name: "no aliases, by another function", as: func(text string) string {
		return renamed(replaced(text, "_conf_d=$", "unalias -a\n_conf_d=$"))
	}, stopped: true},
	{name: "no rc.conf.d", as: func(text string) string { return replaced(text, `"/etc"/rc.conf.d/*.conf`, `/nowhere/*.conf`) }, stopped: true},
}

// agrees holds what rdgen check says of an OpenRC against what TestGuard sees of it.
func agrees(t *testing.T, b *bed, a alteration, text string) {
	t.Helper()
	fsys := fstest.MapFS{ConfPath[1:]: {Data: confFile}, "lib/rc/sh/openrc-run.sh": {Data: []byte(text)}}
	for path, text := range hookParts() {
		fsys[path[1:]] = &fstest.MapFile{Data: text}
	}
	for _, name := range []string{"functions.sh", "rc-functions.sh", "rc-cgroup.sh", "runit.sh", "s6.sh", "start-stop-daemon.sh", "supervise-daemon.sh"} {
		fsys["lib/rc/sh/"+name] = &fstest.MapFile{Data: []byte(b.sh(name))}
	}
	errs, notes := Host(fsys)
	early := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "outside of it first") })
	if a.stopped != (len(errs) > 0) || !a.stopped && a.top != early {
		t.Errorf("%s: rdgen check says %v and %q; the services start: %v, lines outside first: %v", a.name, errs, notes, !a.stopped, a.top)
	}
}

// TestGuard starts services in a domain on OpenRCs that read their files in other
// ways than any that was released: their functions and daemons run inside, or not
// at all. A service without a domain always starts. With RDGEN_TEST_ALL each shell has all.
func TestGuard(t *testing.T) {
	shells := []string{"dash", "busybox", "bash"}
	for nth, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			b := newBed(t)
			need.Tools(t, need.Sh, shell)
			b.hook()
			b.rdexec()
			b.conf("netns=t1\n", "decl", "super")
			b.conf("netns=t1\nIFS=:\n", "plain") // by which the hook's reading must not go
			b.file("usr/sbin/rdomain", 0o755, "#!/bin/sh\ncase $1 in up) ip netns add \"$2\"; stat -L -c %i /run/netns/t1 >/run/t1.inode ;; down) ip netns del \"$2\" ;; esac\n")
			text := b.sh("openrc-run.sh")
			scenario := "ln -sf " + shell + " /bin/sh; ln -s rdomain /etc/init.d/rdomain.t1\n"
			var want []string
			for i, a := range alterations {
				if i > 0 && i%len(shells) != nth && !need.All() {
					continue // one of the others has it
				}
				agrees(t, b, a, a.as(text))
				b.file(fmt.Sprintf("altered/%d", i), 0o755, a.as(text))
				scenario += fmt.Sprintf("cat /altered/%d >/lib/rc/sh/openrc-run.sh; %secho '%s'; case_%v\n", i, a.also, a.name, a.stopped)
				want = append(want, a.name, "none started in default")
				if a.stopped {
					want = append(want, "decl stopped in none", "super stopped in none", "plain stopped in none", "1 daemons", "0 daemons")
				} else {
					want = append(want, "decl started in t1", "super started in t1", "plain started in t1", "4 daemons", "0 daemons",
						"reload start_pre stop_pre top")
					if a.top {
						want = append(want, "top outside first")
					}
				}
			}
			got := b.run(`
all() { for s in decl super plain none; do rc-service $s "$1" </dev/null >>/tmp/rc.log 2>&1; done; }
case_false()
{
	all start
	written super; state none; state decl; state super; state plain; running decl; running none; daemons 4
	rc decl reload >/dev/null; all stop; daemons 0
	inside="net:[$(cat /run/t1.inode)] clean" tops=0
	while read -r func place; do
		case "$place:$func" in
		"$inside:"*) ;;
		*:top) tops=outside ;;
		*) echo "$func in $place, not $inside" ;;
		esac
	done </run/decl.where
	echo $(cut -d ' ' -f 1 /run/decl.where | sort -u)
	[ $tops = 0 ] || echo "top outside first"
	rm /run/decl.where
	rc-service rdomain.t1 stop >>/tmp/rc.log 2>&1
}
case_true()
{
	all start
	state none; state decl; state super; state plain; running none; daemons 1
	rc-service none stop >>/tmp/rc.log 2>&1; daemons 0
	grep -v "^top " /run/decl.where # what a status reads
	rm -f /run/decl.where
}
` + scenario)
			b.want(got, want...)
		})
	}
}

// TestGuardWords holds the words that rdgen check knows against those of the hook.
func TestGuardWords(t *testing.T) {
	line := regexp.MustCompile(`(?m)^\tunalias (.*)$`).FindSubmatch(hookFile)
	if line == nil {
		t.Fatal("openrc.sh takes no words away")
	}
	want := strings.Fields(string(line[1]))
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(guardWords)); !slices.Equal(got, want) {
		t.Errorf("rdgen check knows %q; openrc.sh has %q", got, want)
	}
}

// TestStarts asks about machines whose files differ, with the OpenRC of the tests.
func TestStarts(t *testing.T) {
	const run = `#!/bin/sh
sourcex() { if [ "$1" = -e ]; then shift; [ -e "$1" ] || return 1; fi; . "$1"; }
RC_SERVICE="$1"; export RC_SERVICE
shift
sourcex -e /etc/rc.conf
for f in /etc/rc.conf.d/*.conf; do sourcex -e "$f"; done
sourcex -e "${RC_SERVICE%/*}/../conf.d/$RC_SVCNAME"
sourcex "$RC_SERVICE"
"$1" || exit $?
`
	reader := "sourcex() { case $1 in -e) shift ;; esac; command . \"$1\"; }\n"
	for _, c := range []struct {
		name, run, file, text, want string
	}{
		{name: "as it is", run: run},
		{name: "bash by its name", run: strings.Replace(run, "/bin/sh", "/bin/bash", 1)},
		{name: "bash by its name, another reader", run: strings.Replace(strings.ReplaceAll(strings.Replace(run, "/bin/sh", "/bin/bash", 1), "sourcex", "load"), `"$1" ||`, `[ -z "$1" ] || "$1" ||`, 1)},
		{name: "a file after ours takes the reader away", run: run, file: "etc/rc.conf.d/60-more.conf", text: "unalias -a\n" + reader, want: "run.sh:9: this OpenRC calls"},
		{name: "a file before ours does", run: run, file: "etc/rc.conf.d/40-more.conf", text: "unalias -a\n" + reader},
		{name: "rc.conf does", run: run, file: "etc/rc.conf", text: reader},
		{name: "the script by another variable", run: strings.ReplaceAll(run, "RC_SERVICE", "RC_FILE"), want: "as RC_SERVICE"},
		{name: "no conf.d", run: strings.ReplaceAll(run, "conf.d/$", "settings/$"), want: "does not read conf.d"},
		{name: "rc.conf.d elsewhere", run: strings.ReplaceAll(run, "/etc/rc.conf.d", "/usr/etc/rc.conf.d"), want: "does not read /etc/rc.conf.d"},
		{name: "no functions are called", run: strings.ReplaceAll(run, `"$1" ||`, ": ||")},
		{name: "in a part of the shell", run: strings.ReplaceAll(run, `sourcex "$RC_SERVICE"`, `load() { . "$1"; }; (sourcex /lib/x); load "$RC_SERVICE"`), want: "run.sh:9: this OpenRC calls"},
		{name: "no shell", run: "#!/bin/sh\nif\n", want: "run.sh:2: syntax error"},
	} {
		fsys := fstest.MapFS{ConfPath[1:]: {Data: confFile}, "lib/rc/sh/openrc-run.sh": {Data: []byte(c.run)}}
		if c.file != "" {
			fsys[c.file] = &fstest.MapFile{Data: []byte(c.text)}
		}
		if got := fmt.Sprint(starts(fsys).err); c.want == "" && got != "<nil>" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s; want %q", c.name, got, c.want)
		}
	}
}
