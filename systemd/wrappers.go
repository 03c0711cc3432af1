package systemd

import (
	"slices"
	"strings"
)

// wrapper is a program that changes something of itself and executes another one in its place.
type wrapper struct {
	// words is how many words of another kind stand before the program: a file to lock, a
	// root, a priority. Options may stand before and behind each.
	words int
	// options are all that it has. Any other may have a value or not.
	options []option
	// assigns: A=b may stand there too.
	assigns bool
}

// arguments, as the number of words, is said of a program that an option names: what stands behind
// the options is for that.
const arguments = -1

// marks say what an option means for the words behind it.
const (
	noProgram = "!" // nothing is executed: it names a process that runs already, or asks for something else
	inPlace   = "^" // it stands for the words before the program
	aProgram  = ">" // its value is the program
	aScript   = "$" // a shell reads its value
	marks     = noProgram + inPlace + aProgram + aScript
)

// wrappers are the programs that execute what stands behind their options, with all of those, as
// the manuals of Debian 12 and 13 have them. An option that is missing here is on the safe side: it
// may have a value or not, so a variable behind it may be the program, and the unit is refused.
var wrappers = func() map[string]wrapper {
	table := map[string]wrapper{
		// coreutils and busybox
		"env": {options: optionsOf("i=ignore-environment 0=null u:=unset C:=chdir a:=argv0 S=split-string v=debug ::=block-signal " +
			"::=default-signal ::=ignore-signal =list-signal-handling"), assigns: true},
		"nice":    {options: optionsOf("n:=adjustment 0 1 2 3 4 5 6 7 8 9")},
		"timeout": {words: 1, options: optionsOf("f=foreground k:=kill-after p=preserve-status s:=signal v=verbose")},
		"stdbuf":  {options: optionsOf("i:=input o:=output e:=error")},
		"chroot":  {words: 1, options: optionsOf(":=groups :=userspec =skip-chdir")},
		"runcon":  {words: 1, options: optionsOf("c^=compute t^:=type u^:=user r^:=role l^:=range")},
		"time":    {options: optionsOf("a=append f:=format o:=output p=portability q=quiet v=verbose")},
		// util-linux
		"chrt": {words: 1, options: optionsOf("a=all-tasks b=batch d=deadline e=ext f=fifo i=idle o=other r=rr m=max p!=pid R=reset-on-fork " +
			"T:=sched-runtime P:=sched-period D:=sched-deadline v=verbose")},
		"choom":     {options: optionsOf("n:=adjust p!:=pid")},
		"coresched": {words: 1, options: optionsOf("s:=source d:=dest t:=dest-type v=verbose")},
		"flock": {words: 1, options: optionsOf("s=shared e=exclusive x=exclusive u=unlock n=nonblock =nb o=close F=no-fork w:=timeout :=wait " +
			"E:=conflict-exit-code c$:=command =fcntl =verbose")},
		"ionice":  {options: optionsOf("c:=class n:=classdata p!:=pid P!:=pgid u!:=uid t=ignore")},
		"nsenter": {options: nsOptions["nsenter"]},
		"pipesz":  {options: optionsOf("g=get s:=set f:=file n:=fd i=stdin o=stdout e=stderr c=check q=quiet v=verbose")},
		"prlimit": {options: optionsOf("p!:=pid o:=output =noheadings =raw =verbose c::=core d::=data e::=nice f::=fsize i::=sigpending " +
			"l::=memlock m::=rss n::=nofile q::=msgqueue r::=rtprio s::=stack t::=cpu u::=nproc v::=as x::=locks y::=rttime")},
		"runuser": {words: 1, options: optionsOf("u^:=user " + login)},
		"script": {words: 1, options: optionsOf("I:=log-in O:=log-out B:=log-io T:=log-timing t::=timing m:=logging-format a=append " +
			"c$:=command e=return f=flush =force E:=echo o:=output-limit q=quiet")},
		"setarch": {words: 1, options: optionsOf(strings.ReplaceAll(personality, "=", "^="))}, // the architecture is first, or not there
		"setpriv": {options: optionsOf("d!=dump =nnp =no-new-privs :=ambient-caps :=inh-caps :=bounding-set :=ruid :=euid :=rgid :=egid " +
			":=reuid :=regid =clear-groups =keep-groups =init-groups :=groups :=securebits :=pdeathsig :=ptracer :=selinux-label " +
			":=apparmor-profile :=landlock-access :=landlock-rule :=seccomp-filter =reset-env")},
		"nohup":     {},
		"setsid":    {options: optionsOf("c=ctty f=fork w=wait")},
		"su":        {words: 1, options: optionsOf(login)},
		"taskset":   {words: 1, options: optionsOf("a=all-tasks c=cpu-list p!=pid")},
		"uclampset": {options: optionsOf("m: M: a=all-tasks p!:=pid s=system R=reset-on-fork v=verbose")},
		"unshare":   {options: nsOptions["unshare"]},
		// sudo and its kind
		"sudo": {options: optionsOf("A=askpass a:=auth-type b=background B=bell C:=close-from c:=login-class D:=chdir E=preserve-env " +
			"::=preserve-env e!=edit g:=group H=set-home h:=host i=login K!=remove-timestamp k=reset-timestamp l!=list N=no-update " +
			"n=non-interactive P=preserve-groups p:=prompt R:=chroot r:=role S=stdin s=shell t:=type T:=command-timeout U:=other-user " +
			"u:=user v!=validate"), assigns: true},
		"doas": {options: optionsOf("C!: L! n s u:")},
		"gosu": {words: 1}, "su-exec": {words: 1},
		"sshpass":   {options: optionsOf("p: f: d: P: e v")},
		"ssh-agent": {options: optionsOf("a: c s D d E: k! O: P: T t:")},
		// s6, daemontools and runit
		"setuidgid": {words: 1}, "envuidgid": {words: 1}, "envdir": {words: 1}, "pgrphack": {}, "fghack": {},
		"setlock":          {words: 1, options: optionsOf("n N x X")},
		"softlimit":        {options: optionsOf(limits)},
		"chpst":            {options: optionsOf("u: U: b: e: /: C: n: l: L: m: d: o: p: f: c: r: t: v V P 0 1 2")},
		"s6-setuidgid":     {words: 1},
		"s6-envuidgid":     {words: 1, options: optionsOf("i D: u g B n")},
		"s6-envdir":        {words: 1, options: optionsOf("I i n f L c:")},
		"s6-applyuidgid":   {options: optionsOf("z u: g: G: U")},
		"s6-softlimit":     {options: optionsOf(limits + " h H")},
		"s6-setlock":       {words: 1, options: optionsOf("r w n N t:")},
		"s6-setsid":        {options: optionsOf("s b f g i I q d:")},
		"s6-notifyoncheck": {options: optionsOf("d 3: s: T: t: w: n: c:")},
		"s6-fghack":        {},
		// systemd and dbus
		"systemd-cat":             {options: optionsOf("t:=identifier p:=priority :=stderr-priority :=level-prefix :=namespace")},
		"systemd-inhibit":         {options: optionsOf(":=what :=who :=why :=mode =no-ask-password =no-pager =no-legend =list")},
		"dbus-run-session":        {options: optionsOf(":=config-file :=dbus-daemon")},
		"systemd-socket-activate": {options: optionsOf("l:=listen d=datagram =seqpacket a=accept E:=setenv :=fdname =inetd =now")},
		// others
		"aa-exec": {options: optionsOf("p:=profile n:=namespace d=debug i=immediate v=verbose")},
		"busybox": {}, "eatmydata": {},
		"capsh": {options: optionsOf("c$: =print =noamb =noenv =mode =modes =current =quiet =strict =no-new-privs =has-ambient =has-no-new-privs")}, // behind "--" it is a shell
		"start-stop-daemon": {words: arguments, options: optionsOf("S=start K!=stop T!=status p:=pidfile :=pid :=ppid x>:=exec a>:=startas " +
			"n:=name u:=user g:=group c:=chuid s:=signal r:=chroot d:=chdir N:=nicelevel P:=procsched I:=iosched k:=umask b=background " +
			"=notify-await :=notify-timeout C=no-close O:=output m=make-pidfile =remove-pidfile R:=retry t=test o=oknodo q=quiet v=verbose")},
		"catatonit": {options: optionsOf("g P")},
		"cgexec":    {options: optionsOf("g: s=sticky b")},
		"dumb-init": {options: optionsOf("c=single-child r:=rewrite v=verbose")},
		"nocache":   {options: optionsOf("D: f n:")},
		"numactl": {options: optionsOf("a=all b=balancing i:=interleave w:=weighted-interleave p:=preferred P:=preferred-many c:=cpubind " +
			"N:=cpunodebind C:=physcpubind m:=membind l=localalloc t=strict s!=show H!=hardware")},
		"strace": {options: optionsOf("a:=columns A=output-append-mode b:=detach-on c=summary-only C=summary d=debug D ::=daemonize " +
			"e: E:=env f=follow-forks F i=instruction-pointer I:=interruptible k=stack-traces n=syscall-number o:=output " +
			"O:=summary-syscall-overhead p:=attach P:=trace-path q ::=quiet r ::=relative-timestamps s:=string-limit " +
			"S:=summary-sort-by t ::=absolute-timestamps T ::=syscall-times u:=user U:=summary-columns v=no-abbrev w=summary-wall-clock " +
			"x ::=strings-in-hex X:=const-print-style y ::=decode-fds Y ::=decode-pids z=successful-only Z=failed-only :=trace :=signal " +
			":=status :=abbrev :=verbose :=raw :=read :=write :=kvm :=inject :=fault =seccomp-bpf ::=tips =output-separately")},
		"tini": {options: optionsOf("h s g v w l p: e:")},
	}
	for _, name := range personalities {
		table[name] = wrapper{options: optionsOf(personality)}
	}
	return table
}()

// keywords are what a shell has before a command.
var keywords = map[string]wrapper{
	"exec": {options: optionsOf("a: c l")}, "command": {options: optionsOf("p v! V!")}, "then": {}, "do": {}, "else": {}, "if": {},
	"elif": {}, "while": {}, "until": {}, "!": {}, "{": {},
}

// foreign are programs of which the words are no commands of this host: another one executes them,
// behind the options and the host's name; or nothing does, where there are no options here.
var foreign = map[string]wrapper{
	"ssh":     {words: 1, options: optionsOf(ssh)},
	"rsh":     {words: 1, options: optionsOf(ssh)},
	"slogin":  {words: 1, options: optionsOf(ssh)},
	"autossh": {words: 1, options: optionsOf(strings.Replace(ssh, " M ", " M: ", 1))},
	"tcpdump": {}, "tshark": {}, "dumpcap": {}, "ngrep": {}, "nft": {},
}

// personalities are setarch by the name of an architecture.
var personalities = strings.Fields("linux32 linux64 i386 i486 i586 i686 x86_64 uname26")

// What several of them have.
const (
	login = "c$:=command l=login m=preserve-environment p=preserve-environment f=fast g:=group G:=supp-group s:=shell " +
		"$:=session-command P=pty T=no-pty w:=whitelist-environment"
	personality = "B=32bit F=fdpic-funcptrs I=short-inode L=addr-compat-layout R=addr-no-randomize S=whole-seconds " +
		"T=sticky-timeouts X=read-implies-exec Z=mmap-page-zero 3=3gb =4gb =uname-2.6 =show =list v=verbose"
	ssh    = "1 2 4 6 a A b: B: c: C D: e: E: f F: g G i: I: J: k K l: L: m: M n N o: O: p: P: q Q: R: s S: t T v V w: W: x X y Y"
	limits = "a: c: d: f: l: m: o: p: r: s: t:"
)

// place is what a word behind a wrapper is for it.
type place int

const (
	own      place = iota // an option, its value, or a word of another kind; or there is no wrapper
	perhaps               // one of those, or the program
	executed              // the program
	scripted              // what a shell reads
)

// walk reads the words behind a wrapper, up to the program.
type walk struct {
	wrapper
	on    bool
	first bool // nothing ran before the wrapper
	depth int  // in how many quotes it stands
	value bool // the next word is the value of an option,
	is    place
	// unknown and varied are how many words more may come before the program: options that are
	// not known may have a value, and a variable may be an option.
	unknown, varied int
	// abroad: what follows the options and the other words is no command of this host.
	abroad bool
}

// next returns the place of the next word. depth is in how many quotes that begins, and goesOn
// whether the word before it ends behind the blank.
func (w *walk) next(word string, goesOn bool, depth int) place {
	switch {
	case !w.on || goesOn || depth > w.depth:
		return own
	case depth < w.depth:
		*w = walk{}
		return own
	case w.value:
		w.value = false
		return w.is
	case strings.HasPrefix(word, "-"):
		return w.option(word)
	case w.words < 0 || w.assigns && strings.Contains(word, "=") && !strings.HasPrefix(word, "$"):
		return own
	case w.words > 0:
		w.words--
		if w.options != nil && !w.abroad && strings.HasPrefix(word, "$") && !strings.Contains(word, "/") {
			w.varied++
		}
		return own
	case w.unknown == 0 && (w.varied == 0 || isCalled(word)):
		w.on = false
		return executed
	case w.unknown > 0:
		w.unknown--
	default:
		w.varied--
	}
	return perhaps
}

// option reads a word with options of the wrapper.
func (w *walk) option(word string) place {
	if strings.Trim(word, "-") == "" {
		w.on = w.words >= 0
		return own
	}
	found, needs := readOption(w.options, word)
	switch unknown := len(found) == 0 && !strings.Contains(word, "="); {
	case unknown && w.abroad:
		*w = walk{}
	case unknown:
		w.unknown++
	}
	is := own
	for _, o := range found {
		switch o.marks {
		case noProgram:
			w.on = false
		case inPlace:
			w.words = 0
		case aProgram:
			is = executed
		case aScript:
			is = scripted
		}
	}
	if w.value, w.is = needs, is; needs {
		return own
	}
	return is // the value is in the word
}

// passes reports whether a word is one of another host's, or of nobody's, and not of a command
// here. That ends with the command in a script. before and after are in how many quotes the word
// stands.
func (w *walk) passes(word string, before, after int) bool {
	if !w.abroad || w.on {
		return false
	}
	separates := strings.ContainsAny(word, ";&|()") && w.depth > 0 && min(before, after) <= w.depth
	if before < w.depth || word == ";" || separates || strings.ContainsAny(word, "`\\") || strings.Contains(word, "$(") {
		*w = walk{}
		return false
	}
	return true
}

// isCalled reports whether a word is as one calls a program, and not a number, a root, or a file to
// lock.
func isCalled(word string) bool {
	isData := func(folder string) bool { return strings.HasPrefix(word+"/", folder) }
	return word != "/" && !strings.ContainsAny(word, "$%`:") && !slices.ContainsFunc(dataFolders, isData) && strings.Trim(word[:min(1, len(word))], "0123456789") != ""
}

// dataFolders have no programs, as a rule.
var dataFolders = strings.Fields("/dev/ /etc/ /proc/ /run/ /srv/ /sys/ /tmp/ /var/")

// walkBehind returns the walk behind a program, if that is a wrapper. certain: it can be nothing
// else than that program.
func walkBehind(program string, certain, inShell bool) (w walk, ok bool) {
	if found, ok := wrappers[program]; ok {
		return walk{wrapper: found, on: true}, true
	}
	if found, ok := keywords[program]; ok && inShell {
		return walk{wrapper: found, on: true}, true
	}
	found, ok := foreign[program]
	return walk{wrapper: found, on: found.options != nil, abroad: true}, ok && certain
}
