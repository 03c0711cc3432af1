package generators

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rdgen/openrc"
)

// moreRights is the hint where s6 cannot take a right away.
const moreRights = "the service would have more rights under s6; write its source directory by hand"

// option carries over one option of start-stop-daemon or supervise-daemon. The last
// of a kind counts, as it does there.
func (r *scriptReader) option(o openrc.Option) {
	refuse := func(format string, args ...any) { r.fail(o.Pos, moreRights, format, args...) }
	switch o.Name {
	case "user", "chuid":
		r.user(o)
	case "group":
		if r.p.Group = o.Value; strings.HasPrefix(o.Value, "-") {
			refuse("%q is no group", o.Value)
		}
	case "chdir":
		if r.p.Dir = o.Value; !strings.HasPrefix(o.Value, "/") {
			r.fail(o.Pos, "write the path out, from the root", "--chdir %s is not an absolute path", o.Value)
		}
	case "env":
		name, value, ok := strings.Cut(o.Value, "=")
		if !ok || name == "" {
			refuse("--env %s is not NAME=VALUE", o.Value)
		}
		if name == "HOME" && r.p.User != "" {
			r.fail(o.Pos, "leave it out, or set it in the program", "--env %s comes after --user, and with OpenRC 0.64 the user's own wins over it", o.Value)
		}
		r.setenv(name, value)
	case "umask":
		if r.p.Umask = o.Value; !octal.MatchString(o.Value) {
			refuse("umask %s is not octal", o.Value)
		}
	case "nicelevel":
		r.priority(o, "nice", "-n", o.Value)
	case "oom-score-adj":
		r.priority(o, "choom", "-n", o.Value, "--")
	case "ionice":
		r.ionice(o)
	case "scheduler", "scheduler-priority":
		r.scheduler(o)
	case "stdin":
		r.redirect(0, o)
	case "stdout":
		r.redirect(1, o)
	case "stderr":
		r.redirect(2, o)
	case "no-new-privs":
		r.p.setpriv("--no-new-privs")
	case "capabilities":
		r.capabilities(o)
	case "secbits", "chroot":
		refuse("--%s %s has no counterpart in s6", o.Name, o.Value)
	case "interpreted", "exec", "name", "startas", "background", "make-pidfile", "pidfile", "start", "quiet", "verbose", "nocolor", "wait", "progress":
		// How OpenRC starts and finds the process, which s6 has no need of.
	case "retry":
		if r.daemon.Supervised {
			r.lost = append(r.lost, "--retry")
		}
	case "stop", "signal", "test", "help", "version", "reexec", "oknodo":
		refuse("--%s starts nothing", o.Name)
	default:
		r.lost = append(r.lost, "--"+o.Name)
	}
}

// user is --user USER[:GROUP]. OpenRC makes one thing of the uid of the last and of
// the gid of the first, which nobody can mean.
func (r *scriptReader) user(o openrc.Option) {
	user, group, _ := strings.Cut(o.Value, ":")
	if user == "" || strings.HasPrefix(o.Value, "-") {
		r.fail(o.Pos, "OpenRC takes the word after --user for a name", "%q is no user", o.Value)
	}
	if r.p.User != "" && r.p.User != user {
		r.fail(o.Pos, "name the user once", "the user is %s here and %s before", user, r.p.User)
	}
	if r.p.User = user; group != "" {
		r.p.Group = group
	}
	r.p.Env = slices.DeleteFunc(r.p.Env, func(v variable) bool { return v.Name == "HOME" || v.Name == "USER" })
	r.p.Env = append(r.p.Env, variable{Name: "USER", Value: user})
	if note := "user " + user + " is a number: HOME is not set, write the name"; numeric(user) && !slices.Contains(r.p.Notes, note) {
		r.p.Notes = append(r.p.Notes, note)
	}
}

// priority adds a program that sets a number of the process.
func (r *scriptReader) priority(o openrc.Option, words ...string) {
	if _, err := strconv.Atoi(o.Value); err != nil {
		r.fail(o.Pos, "", "--%s %s is not a number", o.Name, o.Value)
	}
	r.wrap(words...)
}

// wrap adds a wrapper; one of the same program is replaced.
func (r *scriptReader) wrap(words ...string) {
	r.p.Wrappers = slices.DeleteFunc(r.p.Wrappers, func(w []string) bool { return w[0] == words[0] })
	r.p.Wrappers = append(r.p.Wrappers, words)
}

// ionice is --ionice CLASS[:DATA]; only the classes 1 and 2 have data.
func (r *scriptReader) ionice(o openrc.Option) {
	class, data, has := strings.Cut(o.Value, ":")
	switch {
	case class == "0" || class == "3":
		r.wrap("ionice", "-c", class)
	case (class == "1" || class == "2") && has && len(data) == 1 && data >= "0" && data <= "7":
		r.wrap("ionice", "-c", class, "-n", data)
	case (class == "1" || class == "2") && !has:
		r.wrap("ionice", "-c", class, "-n", "0")
	default:
		r.fail(o.Pos, "write 1 or 2 with :0 to :7, or 0, or 3", "--ionice %s is not CLASS:DATA", o.Value)
	}
}

// scheduler is --scheduler NAME and --scheduler-priority N. What is left out, and what
// another name means, differs among releases.
func (r *scriptReader) scheduler(o openrc.Option) {
	var policy, priority string
	for _, other := range r.daemon.Options {
		switch other.Name {
		case "scheduler":
			policy = other.Value
		case "scheduler-priority":
			priority = other.Value
		}
	}
	option := map[string]string{"rr": "-r", "fifo": "-f"}[policy]
	if n, err := strconv.ParseUint(priority, 10, 8); option == "" || err != nil || n == 0 {
		r.lost = append(r.lost, "--"+o.Name)
		return
	}
	r.wrap("chrt", option, priority)
}

func (r *scriptReader) redirect(fd int, o openrc.Option) {
	if !strings.HasPrefix(o.Value, "/") {
		r.fail(o.Pos, "write the path out, from the root", "--%s %s is not an absolute path", o.Name, o.Value)
	}
	r.p.Files = slices.DeleteFunc(r.p.Files, func(f redirection) bool { return f.FD == fd })
	r.p.Files = append(r.p.Files, redirection{fd, o.Value})
}

// capabilities reads the text form of libcap's IAB (cap_iab(3)): "^" is ambient and
// inheritable, "%" or nothing inheritable, "!" takes out of the bounding set.
func (r *scriptReader) capabilities(o openrc.Option) {
	inheritable, ambient, bounding := "-all", "-all", ""
	for _, word := range strings.Split(o.Value, ",") {
		name := strings.TrimLeft(word, "!^%")
		marks := word[:len(word)-len(name)]
		name = strings.TrimPrefix(strings.ToLower(name), "cap_")
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" || name == "all" {
			r.fail(o.Pos, "", "%q is no capability", word)
			return
		}
		if marks == "" || strings.ContainsAny(marks, "^%") {
			inheritable += ",+" + name
		}
		if strings.Contains(marks, "^") {
			ambient += ",+" + name
		}
		if strings.Contains(marks, "!") {
			bounding += ",-" + name
		}
	}
	r.p.Raise = true
	r.p.setpriv("--inh-caps", inheritable)
	r.p.setpriv("--ambient-caps", ambient)
	if bounding != "" {
		r.p.setpriv("--bounding-set", bounding[1:])
	}
}

// limits are rc_ulimit, or RC_ULIMIT, and each ulimit of the script.
func (r *scriptReader) limits() {
	calls, err := r.script.Limits()
	if err != nil {
		r.errs = append(r.errs, err)
	}
	name := "rc_ulimit"
	v := r.lookup(name)
	if v.Text == "" {
		name = "RC_ULIMIT"
		v = r.lookup(name)
	}
	words := strings.Fields(v.Text)
	if len(words)%2 != 0 {
		r.fail(v.Pos, "", name+"=%q is not pairs of an option and a number", v.Text)
		return
	}
	pos := v.Pos
	if pos.File == "" {
		pos = r.p.Pos
	}
	for pair := range slices.Chunk(words, 2) {
		calls = append(calls, pair)
	}
	for _, call := range calls {
		limit, err := ulimit(call)
		if err != nil {
			r.fail(pos, "", "ulimit %s %v", strings.Join(call, " "), err)
			continue
		}
		r.p.Wrappers = append(r.p.Wrappers, []string{"prlimit", limit})
	}
}

// ulimits are the options of ulimit in dash and busybox, and of bash where those have
// none: prlimit's name, and how many of its units one is.
var ulimits = map[byte]struct {
	name string
	unit uint64
}{
	't': {"cpu", 1}, 'f': {"fsize", 512}, 'd': {"data", 1024}, 's': {"stack", 1024}, 'c': {"core", 512}, 'm': {"rss", 1024},
	'l': {"memlock", 1024}, 'p': {"nproc", 1}, 'u': {"nproc", 1}, 'n': {"nofile", 1}, 'v': {"as", 1024}, 'w': {"locks", 1}, 'x': {"locks", 1},
	'e': {"nice", 1}, 'r': {"rtprio", 1}, 'i': {"sigpending", 1}, 'q': {"msgqueue", 1},
}

// ulimit returns the option of prlimit(1) that does what ulimit does with words.
func ulimit(words []string) (string, error) {
	if len(words) < 2 || !strings.HasPrefix(words[0], "-") {
		return "", fmt.Errorf("sets no limit that is known")
	}
	flags := strings.TrimPrefix(strings.Join(words[:len(words)-1], ""), "-")
	flags = strings.ReplaceAll(flags, "-", "")
	soft, hard := strings.Contains(flags, "S"), strings.Contains(flags, "H")
	flags = strings.Trim(flags, "SH")
	limit, ok := ulimits[(flags + " ")[0]]
	if len(flags) != 1 || !ok {
		return "", fmt.Errorf("sets no limit that is known")
	}
	value := words[len(words)-1]
	if value != "unlimited" {
		n, err := strconv.ParseUint(value, 10, 50)
		if err != nil {
			return "", fmt.Errorf("is not a number")
		}
		value = strconv.FormatUint(n*limit.unit, 10)
	}
	switch {
	case soft == hard:
		return "--" + limit.name + "=" + value + ":" + value, nil
	case soft:
		return "--" + limit.name + "=" + value + ":", nil
	}
	return "--" + limit.name + "=:" + value, nil
}
