package generators

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// shown refuses a unit that has a mount of its own on a folder that is hidden from it or in it
// (systemd makes one of each RuntimeDirectory= too), or on a resolver file: the service would ask
// a resolver of the host, which answers from the default domain. Of two mounts on one path systemd
// takes one, and the empty folder (TemporaryFileSystem=) is what it leaves, also where the other
// only makes the path writable (src/core/namespace.c; seen on 252, 257 and 262).
func (d dropIn) shown(unit *systemd.Unit, links Links) error {
	if d.Section != "Service" {
		return nil // nothing is hidden from a socket
	}
	settings := mounts(unit)
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "ExecPaths", "NoExecPaths", "InaccessiblePaths", "RuntimeDirectory"} {
		settings = append(settings, unit.All(d.Section, key)...)
	}
	for _, set := range settings {
		fields, _ := systemd.Fields(set.Value)
		for _, f := range fields {
			target, binds := mountPoint(unit.Name, set.Key, f.String())
			target = links.follow(target)
			for _, dir := range d.Hide {
				// The domain's resolv.conf may be in there, where /etc/resolv.conf leads.
				there := strings.HasSuffix(target, "/resolv.conf") || strings.HasSuffix(target, "/stub-resolv.conf")
				if !binds && (!there || set.Key == "InaccessiblePaths") && strings.HasPrefix(target, dir+"/") && set.Key != "TemporaryFileSystem" && set.Key != "RuntimeDirectory" && !strings.HasPrefix(f.String(), "-") {
					return problem.New(place(set), "%s= needs %s, and the folder is empty for %s: systemd could not start it (226/NAMESPACE)", set.Key, target, unit.Name).
						WithHint("write -" + target + " in its place, by a drop-in")
				}
				if target == dir && set.Key != "InaccessiblePaths" || binds && strings.HasPrefix(target, dir+"/") {
					return problem.New(place(set), "%s= shows %s to %s, where a resolver of the host answers from the default domain", set.Key, target, unit.Name).
						WithHint("take it out of the unit by a drop-in: in " + d.Domain.String() + " the service has a resolver of its own")
				}
			}
			others := func(b bind) bool {
				return b.To == target && !strings.HasPrefix(strings.TrimLeft(f.String(), "-"), b.From+":")
			}
			if binds && slices.ContainsFunc(d.Resolver, others) { // the domain's comes later, and is left out
				return problem.New(place(set), "%s= puts a file of the host on %s, where %s has one of its domain", set.Key, target, unit.Name).
					WithHint("take it out of the unit by a drop-in: the file of " + d.Domain.String() + " comes there, and where it has none, the host's is there anyway")
			}
		}
	}
	return nil
}

// mountPoint returns where a word of a setting mounts something, or ""; and whether that is
// something else than the path itself.
func mountPoint(unit, key, word string) (target string, binds bool) {
	switch key {
	case "TemporaryFileSystem":
		return "", false // empty, too
	case "BindPaths", "BindReadOnlyPaths", "MountImages":
		target, _ = mounted(unit, key, word)
		return target, true
	case "RuntimeDirectory": // NAME:LINK
		word, _, _ = strings.Cut("/run/"+word, ":")
	}
	word, err := systemd.Specifiers(unit, strings.TrimLeft(word, "-+"))
	if err != nil {
		return "", false
	}
	return path.Clean(word), false
}

// undone refuses a unit with a drop-in that systemd reads after rdgen's, and that takes away
// what this one adds. An empty setting of either kind of bind empties both.
func (d dropIn) undone(unit *systemd.Unit) error {
	var reset, set []string
	resolves := d.Section == "Service" && len(d.Resolver) > 0
	if resolves {
		reset = append(reset, "TemporaryFileSystem")
	}
	if resolves || len(d.View.Bind) > 0 {
		reset = append(reset, "BindPaths", "BindReadOnlyPaths")
	}
	if d.View.RootStartOnly {
		set = append(set, "RootDirectoryStartOnly")
	}
	if d.Tasks > 0 {
		set = append(set, "TasksMax")
	}
	for _, s := range unit.Settings {
		if s.Section != d.Section || s.DropIn() <= systemd.DropIn {
			continue
		}
		if s.Value == "" && slices.Contains(reset, s.Key) || slices.Contains(set, s.Key) {
			return laterDropIn(s)
		}
	}
	return nil
}
