package systemd

import (
	"bytes"
	_ "embed"
	"path"
	"strings"
)

// RdomainService is rdomain@.service, the unit of a domain: shipped by rdgen's
// package, and printed with what is generated where it is not installed. Its
// instance is the domain's ID, every character of which is legal and stands for
// itself in a unit name, so %i is the ID.
//
//go:embed rdomain@.service
var RdomainService []byte

// Rdomain is the name of that template.
const Rdomain = "rdomain@.service"

// Etc is the administrator's unit folder, where generated files go.
const Etc = "/etc/systemd/system"

// DropIn is the file name of a generated drop-in. Drop-ins apply in the order of
// their names, and this one has to come last: after the override.conf of
// systemctl-edit, too. Of all files of this name that are for a unit systemd reads the one
// whose folder of units comes first (systemd.unit(5)), see [Units.Shadow].
const DropIn = "zz-rdomain.conf"

// Refused is the file name of a drop-in that the generator makes where another file of the
// name DropIn would be read in place of its own. It has more of the letter where that is
// taken as well.
const Refused = "zzz-rdomain.conf"

// Generated is the folder of what generators make, and Early that of what they make to win
// over the administrator's.
const (
	Generated = "/run/systemd/generator"
	Early     = "/run/systemd/generator.early"
)

// Held is the drop-in of all services and sockets by which those that conf.d names wait
// for the end of rdgen's generator. Removed is that of the generator rdgen-removed.
const (
	Held    = "zzzz-rdgen.conf"
	Removed = "zzzz-rdgen-removed.conf"
)

// Ended is the name of the file that rdgen's generator makes in Generated at its end.
const Ended = "rdgen.done"

// EarlierDropIn is the file name that it had in earlier versions.
const EarlierDropIn = "50-rdomain.conf"

// IsMade reports whether the text of a unit file is what rdgen made: whether its
// first line says so.
func IsMade(text []byte) bool { return bytes.HasPrefix(text, []byte("# Made by rdgen")) }

// MaxName is UNIT_NAME_MAX: the length of a unit's name in bytes with its
// suffix (systemd, src/basic/unit-name.h, 256 with the NUL).
const MaxName = 255

// MaxDropIns is how long a unit's name can be that has drop-ins of its own: the folder of
// those has two letters more, and no file's name is longer than 255 bytes.
const MaxDropIns = 253

// folders are where systemd looks for units, the first wins (systemd.unit(5), "System
// Unit Search Path"). Those of systemctl set-property, of transient units and of
// portable services are among them.
var folders = []string{
	"etc/systemd/system.control",
	"run/systemd/system.control",
	"run/systemd/transient",
	"run/systemd/generator.early",
	"etc/systemd/system",
	"etc/systemd/system.attached",
	"run/systemd/system",
	"run/systemd/system.attached",
	"run/systemd/generator",
	"usr/local/lib/systemd/system",
	"usr/lib/systemd/system",
	"lib/systemd/system",
	"run/systemd/generator.late",
}

// Folders returns the folders of unit files that somebody writes or installs as
// absolute paths, for a message.
func Folders() []string {
	var abs []string
	for _, f := range folders {
		if base := path.Base(f); base == "system" || base == "generator" || base == "generator.late" {
			abs = append(abs, "/"+f)
		}
	}
	return abs
}

// AdminFolders returns the folders of units that are the administrator's, and what a
// command of systemd writes for them, as absolute paths: Etc first.
func AdminFolders() []string {
	list := []string{Etc}
	for _, f := range folders {
		if strings.HasPrefix(f, "usr/") || strings.HasPrefix(f, "lib/") || strings.HasPrefix(f, "run/systemd/generator") || "/"+f == Etc {
			continue
		}
		list = append(list, "/"+f)
	}
	return list
}

// Instance splits NAME@INSTANCE.suffix into the template NAME@.suffix and the
// instance; ok is false for a name without "@", and for a template itself.
func Instance(name string) (template, instance string, ok bool) {
	suffix := path.Ext(name)
	prefix, instance, at := strings.Cut(strings.TrimSuffix(name, suffix), "@")
	if !at || instance == "" {
		return "", "", false
	}
	return prefix + "@" + suffix, instance, true
}

// ValidName reports whether name, with its suffix, may be a unit's
// (unit_name_is_valid, src/basic/unit-name.c).
func ValidName(name string) bool {
	const legal = ":-_.\\@"
	return len(name) <= MaxName && path.Ext(name) != "" && name[0] != '@' && name[0] != '.' &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(legal, r))
		})
}
