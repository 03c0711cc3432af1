package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/parallel"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/systemd"
	"rdgen/templates"
)

// asGenerator reports whether the arguments are those that systemd gives to a
// generator (systemd.generator(7)): three absolute paths, or one in a test. No
// verb of rdgen begins with a slash.
func asGenerator(args []string) bool {
	return (len(args) == 1 || len(args) == 3) &&
		!slices.ContainsFunc(args, func(a string) bool { return !filepath.IsAbs(a) })
}

// What a generator's exit code says to systemd/rdgen-generator, which is its parent: all
// is made; or all is made, and what cannot be followed is held. Every other is a failure.
const (
	exitMade = 0
	exitHeld = 3
)

// generatorRun is one run of rdgen as a generator.
type generatorRun struct {
	root string
	// dir is where systemd reads what is made: it has less precedence than /etc, so what
	// an administrator has there under the same name wins. early has more.
	dir, early string
	// pass says what is known of the other generators.
	pass pass
}

// pass is one of the two times at which systemd/rdgen-generator runs rdgen: at once, so
// that what conf.d names is held whatever the other generators do; and when all of those
// have ended, with what they made. By hand there is one.
type pass string

const (
	byHand pass = ""
	first  pass = "first"
	last   pass = "last"
)

// generator is rdgen as systemd's generator, unless there is nothing to do.
func generator(dirs []string, getenv func(string) string, log io.Writer) int {
	switch {
	case getenv("SYSTEMD_SCOPE") == "user":
		report(log, userScope)
		return 1
	case getenv("SYSTEMD_IN_INITRD") == "1":
		return exitMade // the services are those of the real root file system
	}
	g := generatorRun{root: "/", dir: dirs[0], early: dirs[min(1, len(dirs)-1)], pass: pass(getenv("RDGEN_PASS"))}
	// systemd --test has them write elsewhere, and what is read would be of another run.
	if g.pass == last && (g.dir != systemd.Generated || !othersEnded(getenv)) {
		return exitMade // the first pass is all that there is
	}
	return g.run(log)
}

// run makes the drop-ins of all services that name a domain. A service whose conf.d file
// cannot be followed gets one with which it fails; it alone.
//
// It runs before systemd reads any unit, at boot and at each daemon-reload, in a
// sandbox that can write the folders and little else. Nobody reads its output but log.
// It returns the exit code.
func (g generatorRun) run(log io.Writer) int {
	fsys, err := openRoot(g.root)
	if err != nil {
		report(log, err)
		return 1
	}
	defer fsys.Close()
	var before outcome
	if g.pass == last {
		if before, err = atBoot(fsys, false); err != nil {
			report(log, err)
			return 1
		}
	}
	now, err := atBoot(fsys, g.pass == last)
	if err == nil {
		made, early := inGeneratorDirs(now.files)
		err = errors.Join(early.Write(g.early), made.Write(g.dir))
	}
	if err == nil {
		err = g.removeLeft(before.files, now.files)
	}
	g.say(log, before, now)
	switch {
	case err != nil:
		report(log, err)
		return 1
	case len(now.errs) > 0:
		return exitHeld
	}
	return exitMade
}

// removeLeft removes what the first pass made and the last did not: what held a unit by its
// name that turned out to be another's.
func (g generatorRun) removeLeft(before, now tree.Tree) error {
	made, early := inGeneratorDirs(before)
	keptMade, keptEarly := inGeneratorDirs(now)
	var errs []error
	for _, in := range []struct {
		dir          string
		before, kept tree.Tree
	}{{g.dir, made, keptMade}, {g.early, early, keptEarly}} {
		for _, f := range in.before.Files() {
			// The last pass sees a mask of the first one, and takes the unit for masked.
			if _, ok := in.kept.File(f.Path); !ok && f.Link == "" {
				errs = append(errs, os.Remove(filepath.Join(in.dir, f.Path)))
			}
		}
	}
	return errors.Join(errs...)
}

// say logs what was wrong, once in both passes: the first does not say that there is no
// unit, as another generator may be making it.
func (g generatorRun) say(log io.Writer, before, now outcome) {
	isMissing := func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	said := map[string]bool{}
	for _, w := range before.warnings {
		said[w] = true
	}
	for _, err := range before.errs {
		said[err.Error()] = !isMissing(err)
	}
	for _, w := range now.warnings {
		if !said[w] {
			say(log, "warning", w)
		}
	}
	report(log, errors.Join(slices.DeleteFunc(slices.Clone(now.errs), func(err error) bool {
		return said[err.Error()] || g.pass == first && isMissing(err)
	})...))
}

// dieWithParent has the kernel kill this process when its parent ends: systemd has gone
// on then, and what is made late could be of another run. It is for the thread that
// calls, which has to be the main one.
func dieWithParent() {
	runtime.LockOSThread()
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
}

// outcome is what comes of all services together: their files, which files win over them or
// are masked, and so cannot start anywhere, and what was wrong with any.
type outcome struct {
	files    tree.Tree
	warnings []string
	errs     []error
}

// atBoot makes the files of all services. whole reports that no other generator is writing,
// so that what they made is read.
func atBoot(fsys fs.FS, whole bool) (o outcome, err error) {
	loader := services.NewLoader(fsys, domain.Domain{})
	loader.Systemd.AtBoot, loader.Systemd.Whole = true, whole
	names, bad, err := loader.DeclaredAndBroken()
	if err != nil {
		return outcome{}, fmt.Errorf("conf.d cannot be read, so no service is put into a domain: %w", err)
	}
	results := make([]result, len(names))
	parallel.Each(len(names), runtime.GOMAXPROCS(0), func(i int) { results[i] = one(loader.Systemd, names[i]) })
	var all merged
	for i, r := range results {
		name := names[i]
		if errors.Is(r.err, systemd.ErrMasked) && len(loader.Systemd.UnitsToBlock(name)) == 0 {
			o.warnings = append(o.warnings, r.err.Error())
			continue
		}
		if r.err == nil {
			r.err = all.add(r)
		}
		if r.err != nil {
			bad[name] = r.err
		}
	}
	o.files = all.files
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		o.errs = append(o.errs, bad[name])
		var why bytes.Buffer
		report(&why, bad[name])
		made, err := generators.Disabled(loader.Systemd.UnitsToBlock(name), loader.Systemd.Undone, "/etc/conf.d/"+name, strings.TrimSuffix(why.String(), "\n"))
		if err != nil {
			return outcome{}, err
		}
		for _, f := range made.Files() {
			o.files.Put(f) // also in place of what another conf.d file wants
		}
	}
	warnings, shadowed, err := refuseShadowed(loader.Systemd, &o.files)
	o.warnings, o.errs = append(o.warnings, warnings...), append(o.errs, shadowed...)
	return o, err
}

// inGeneratorDirs moves the files from /etc/systemd/system to the top of the folder that
// they are for: a mask is for that which comes before all others, and so is what has a path
// in there.
func inGeneratorDirs(files tree.Tree) (made, early tree.Tree) {
	for _, f := range files.Files() {
		name, wins := strings.CutPrefix(f.Path, systemd.Early)
		f.Path = strings.TrimPrefix(name, systemd.Etc)
		if wins || f.Link != "" {
			early.Put(f)
		} else {
			made.Put(f)
		}
	}
	return made, early
}

// refuseShadowed adds to files what makes a unit fail of which systemd reads another file
// in place of rdgen's, and would start it elsewhere. It has a name that no file has. What
// holds the unit in its domain is only said; where that is an earlier file of rdgen's, which
// would take away the commands that the unit has since, today's wins over it.
func refuseShadowed(sd *services.Systemd, files *tree.Tree) (warnings []string, errs []error, err error) {
	for _, s := range sd.Shadows(*files) {
		if today, ok := files.File(s.Place); ok && s.Behind {
			today.Path = strings.Replace(today.Path, systemd.Etc, systemd.Early, 1)
			files.Put(today)
			warnings = append(warnings, s.Path+" is not what rdgen makes of "+s.Unit+" today, which holds in its place; "+
				"regenerate it with: rdgen systemd --all -o /etc")
			continue
		}
		if s.Holds {
			warnings = append(warnings, s.Path+" wins over what conf.d says, and is not the same; "+
				"remove it, or regenerate it with: rdgen systemd --all -o /etc")
			continue
		}
		wrong := s.Problem("/")
		errs = append(errs, wrong)
		var why bytes.Buffer
		report(&why, wrong)
		made, err := generators.Disabled([]string{s.Unit}, sd.Undone, s.Path, strings.TrimSuffix(why.String(), "\n"))
		if err != nil {
			return nil, nil, err
		}
		for _, f := range made.Files() {
			f.Path = filepath.Join(filepath.Dir(f.Path), sd.RefusedName(s.Unit))
			files.Put(f)
		}
	}
	return warnings, errs, nil
}

// userScope is what rdgen says to a user's systemd, which may not enter a domain.
var userScope = &problem.Error{Pos: problem.Pos{File: "systemd --user"},
	Msg:  "a user's services cannot be put into a domain: only root may enter one",
	Hint: "make it a system service with User="}

// kmsg is the kernel's log, the only one that there is when generators run.
type kmsg struct{ w io.Writer }

// openKmsg returns the kernel's log, or stderr where there is none.
func openKmsg() io.Writer {
	f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		return os.Stderr
	}
	return kmsg{f}
}

// Write makes a record of each line. The kernel cuts what is longer than 976
// bytes less its prefix (PRINTKRB_RECORD_MAX, kernel/printk).
func (k kmsg) Write(text []byte) (int, error) {
	const most = 900
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		level := "<3>"
		if strings.HasPrefix(line, "rdgen: warning: ") {
			level = "<4>"
		}
		if len(line) > most {
			line = line[:most] + "..."
		}
		if _, err := io.WriteString(k.w, level+templates.Comment(line)+"\n"); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}
