package generators

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// view is what a drop-in adds to a unit that has a file tree of its own, so that
// the look is possible there. "+" lifts the sandbox of a command, but neither
// RootDirectory= nor TemporaryFileSystem= nor BindPaths= (seen on systemd 252).
type view struct {
	// RootStartOnly lets all commands but ExecStart= run in the host's tree.
	RootStartOnly bool
	// AnyDirectory lets a command be somewhere else where its directory is missing.
	AnyDirectory bool
	// Bind are files of the host that would be hidden from the look.
	Bind []string
}

// newView finds out what the unit hides from the look. files can be shown again.
// A hidden /proc is an error, and so are other commands in a root directory: they
// would leave it with the look.
func newView(unit *systemd.Unit, files []string, links Links) (v view, err error) {
	section := sectionOf(unit.Name)
	startOnly, _, _ := unit.Bool(section, "RootDirectoryStartOnly")
	if root, ok := ownRoot(unit); ok && !startOnly {
		if other, ok := otherCommand(unit); ok {
			return view{}, problem.New(place(root), "%s= and %s= in one unit: nobody can look from inside that root whether %s is in its domain",
				root.Key, other.Key, unit.Name).
				WithHint("RootDirectoryStartOnly=yes in the unit, where its other commands may run outside of that root")
		}
		v.RootStartOnly = true
	}
	if v.AnyDirectory, err = anyDirectory(unit); err != nil {
		return view{}, err
	}
	for _, p := range links.withTargets(append(files, "/proc")) {
		switch set, how := links.covering(unit, p); {
		case how == shown:
		case how == emptied && p != "/proc":
			v.Bind = append(v.Bind, p)
		default:
			hint := "add BindReadOnlyPaths=" + p + " to the unit"
			if how == linked {
				hint = "write the folder's own name, as /sbin is a link to /usr/sbin, and /var/run to /run"
			}
			return view{}, problem.New(place(set), "%s= hides %s, and without it nobody can look whether %s is in its domain", set.Key, p, unit.Name).
				WithHint(hint)
		}
	}
	return v, nil
}

// anyDirectory reports whether the directory of the commands has to be one that may be
// missing. A command outside of a root that is copied for each start (RootEphemeral=) is in
// that copy's directory, and the copy is made for ExecStart= (seen on systemd 257 and 262).
func anyDirectory(unit *systemd.Unit) (bool, error) {
	section := sectionOf(unit.Name)
	if copied, _, _ := unit.Bool(section, "RootEphemeral"); !copied {
		return false, nil
	}
	all := unit.All(section, "WorkingDirectory")
	if _, ok := ownRoot(unit); !ok || len(all) == 0 {
		return ok, nil
	}
	switch last := all[len(all)-1]; {
	case strings.HasPrefix(last.Value, "-"):
		return false, nil
	case last.Value == "/":
		return true, nil
	default:
		return false, problem.New(place(last), "WorkingDirectory= in a root that is copied for each start: nobody can look whether %s is in its domain", unit.Name).
			WithHint("WorkingDirectory=-" + last.Value + " in the unit, where it may run elsewhere if there is no such directory")
	}
}

// ownRoot returns the setting that gives the unit another root directory.
func ownRoot(unit *systemd.Unit) (systemd.Setting, bool) {
	for _, key := range []string{"RootDirectory", "RootImage", "RootMStack"} {
		all := unit.All(sectionOf(unit.Name), key)
		if len(all) > 0 && path.Clean(all[len(all)-1].Value) != "/" {
			return all[len(all)-1], true
		}
	}
	return systemd.Setting{}, false
}

// otherCommand returns a command of the unit that RootDirectoryStartOnly= would
// move out of its root. A socket knows no such setting, and has no ExecStart=.
func otherCommand(unit *systemd.Unit) (systemd.Setting, bool) {
	keys := []string{"ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecReloadPost", "ExecStop", "ExecStopPost"}
	if sectionOf(unit.Name) == "Socket" {
		keys = []string{"ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost", "ListenStream", "ListenDatagram", "ListenSequentialPacket",
			"ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction"}
	}
	for _, key := range keys {
		if all := unit.All(sectionOf(unit.Name), key); len(all) > 0 {
			return all[0], true
		}
	}
	return systemd.Setting{}, false
}

// How a unit's commands see a file of the host.
const (
	shown    = iota // as the host does
	emptied         // perhaps not; it can be mounted there once more
	replaced        // something else may be there
	linked          // what is mounted on a link is where that leads, and in an order of its own
)

// covering returns how the commands of the unit see the host's file p, and the
// setting that makes it so: the mount that is nearest to it counts.
func (l Links) covering(unit *systemd.Unit, p string) (nearest systemd.Setting, how int) {
	deepest := 0
	for _, set := range mounts(unit) {
		fields, _ := systemd.Fields(set.Value)
		for _, f := range fields {
			target, means := mounted(unit.Name, set.Key, f.String())
			if to := l.follow(target); to != target && covers(to, p) && means != shown {
				if _, above := l.covering(unit, path.Dir(target)); above == shown { // the link is there
					target, means = to, linked
				}
			}
			if covers(target, p) && len(target) >= deepest {
				nearest, how, deepest = set, means, len(target)
			}
		}
	}
	if set, ok := layer(unit, p); ok && how == shown && deepest <= strings.Index(p[1:], "/")+1 {
		return set, emptied
	}
	return nearest, how
}

// layered are the folders that an extension may have files for (systemd-sysext(8)).
var layered = []string{"usr", "opt", "etc"}

// layer returns the setting that lays an extension over the folder of p, in which there may
// be another file of that name. A mount of one file is above that, also in a root of the
// unit's own (seen on systemd 252, 257 and 262).
func layer(unit *systemd.Unit, p string) (systemd.Setting, bool) {
	for _, key := range []string{"ExtensionImages", "ExtensionDirectories"} {
		top, _, _ := strings.Cut(p[1:], "/")
		if all := unit.All(sectionOf(unit.Name), key); len(all) > 0 && slices.Contains(layered, top) {
			return all[0], true
		}
	}
	return systemd.Setting{}, false
}

// mounts returns the settings of a unit that mount something where they say. The two for
// binds are one list, and an empty one of either empties it (config_parse_bind_paths,
// src/core/load-fragment.c).
func mounts(unit *systemd.Unit) []systemd.Setting {
	section := sectionOf(unit.Name)
	var binds []systemd.Setting
	for _, set := range unit.Settings {
		switch {
		case set.Section != section || set.Key != "BindPaths" && set.Key != "BindReadOnlyPaths":
		case set.Value == "":
			binds = nil
		default:
			binds = append(binds, set)
		}
	}
	return slices.Concat(unit.All(section, "TemporaryFileSystem"), unit.All(section, "MountImages"), binds)
}

// mounted reads one word of a setting that mounts: where, and what is there then.
func mounted(unit, key, word string) (target string, how int) {
	parts := strings.Split(strings.TrimPrefix(word, "-"), ":")
	expand := func(p string) (string, bool) {
		p, err := systemd.Specifiers(unit, p)
		return path.Clean(p), err == nil
	}
	source, known := expand(parts[0])
	target, where := source, known
	if key != "TemporaryFileSystem" && len(parts) > 1 && parts[1] != "" {
		target, where = expand(parts[1])
	}
	switch {
	case !where:
		return "", shown // only this machine's systemd knows where
	case key == "TemporaryFileSystem":
		return target, emptied
	case key != "MountImages" && known && source == target:
		return target, shown
	}
	return target, replaced
}

// covers reports whether a mount on target hides p.
func covers(target, p string) bool {
	return target != "" && (target == "/" || p == target || strings.HasPrefix(p, target+"/"))
}

// needed are the files that the look in a domain must see.
func needed(d dropIn) []string {
	return slices.DeleteFunc([]string{rdexec, d.Netns}, func(p string) bool { return p == "" })
}
