package systemd

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Setting is one assignment of a unit file, with continuation lines joined. The
// value is as it stands there: nothing is unquoted and no specifier replaced.
type Setting struct {
	Section, Key, Value string
	// File and Line say where the assignment begins.
	File string
	Line int
}

// Repeated returns the value as it can be written into another file. One that ends in a
// backslash, which blanks follow where it stands, would take the next line along there; twice
// is that backslash for systemd, at the end of a command.
func (s Setting) Repeated() string {
	if _, ok := continued(s.Value); ok {
		return s.Value + `\`
	}
	return s.Value
}

// longest is how many bytes a line may have in systemd, and less than which one of a file may
// (LONG_LINE_MAX, src/basic/def.h).
const longest = 1 << 20

// Read reads a unit file or drop-in as systemd.syntax(7) has it: comment lines
// are skipped also between continuation lines, a backslash at the end of a line
// is a space, and what is neither a section nor an assignment is ignored, as systemd
// ignores it with a warning. A setting that systemd also knows by an older name has the one of
// today. file is only for Setting.File.
//
// At a line that is not UTF-8, at one that is too long, and at a section's name without its
// "]", systemd stops: what it has read by then holds for a drop-in, and a unit file with such
// a line is not started. The first byte order mark is passed over that begins a line, of
// whatever number (config_parse, src/shared/conf-parser.c; seen on systemd 252, 257 and 262).
//
// (The reader of go-systemd gives no line numbers, refuses lines of 2048 bytes,
// which systemd reads, and keeps comments between continuation lines as text; a
// test holds this one against it where those do not matter.)
func Read(file string, data []byte) []Setting {
	const mark = "\ufeff"
	var settings []Setting
	section, logical, start, marked := "", "", 0, false
	// flush takes what has become a line, and reports whether systemd reads on.
	flush := func() bool {
		text := strings.Trim(logical, blanks)
		logical = ""
		if !utf8.ValidString(text) {
			return false
		}
		if name, ok := strings.CutPrefix(text, "["); ok {
			section, ok = strings.CutSuffix(name, "]")
			return ok
		}
		key, value, ok := strings.Cut(text, "=")
		if ok && section != "" {
			settings = append(settings, Setting{section, nameOf(section, strings.Trim(key, blanks)), strings.Trim(value, blanks), file, start})
		}
		return true
	}
	rest := string(data)
	for n := 1; rest != ""; n++ {
		var line string
		line, rest = cutLine(rest)
		if len(line) >= longest {
			return settings
		}
		if t := strings.TrimLeft(line, blanks); t != "" && (t[0] == '#' || t[0] == ';') {
			continue
		}
		if after, ok := strings.CutPrefix(line, mark); ok && !marked {
			line, marked = after, true
		}
		if len(logical)+len(line) > longest {
			return settings
		}
		if logical == "" {
			start = n
		}
		if head, ok := continued(line); ok {
			logical += head + " "
			continue
		}
		logical += line
		if !flush() {
			return settings
		}
	}
	flush()
	return settings
}

// older are names of settings, by section, that systemd still knows, and what they are called
// today (src/core/load-fragment-gperf.gperf.in of 252, 257 and 262).
var older = map[string]map[string]string{
	"Unit": {"BindTo": "BindsTo", "PropagateReloadTo": "PropagatesReloadTo", "PropagateReloadFrom": "ReloadPropagatedFrom",
		"RequiresOverridable": "Requires", "RequisiteOverridable": "Requisite"},
	"Service": olderPaths, "Socket": olderPaths,
}

var olderPaths = map[string]string{"ReadWriteDirectories": "ReadWritePaths", "ReadOnlyDirectories": "ReadOnlyPaths", "InaccessibleDirectories": "InaccessiblePaths"}

// nameOf returns what a setting is called today.
func nameOf(section, key string) string { return cmp.Or(older[section][key], key) }

// blanks are what systemd takes for white space, and no other letter is (WHITESPACE,
// src/fundamental/string-util-fundamental.h).
const blanks = " \t\n\r"

// cutLine returns the first line of text, and what follows it. Any of these ends a line, and
// two that differ do it together, as in "\r\n" (read_line_full, src/basic/fileio.c; seen on
// systemd 252, 257 and 262).
func cutLine(text string) (line, rest string) {
	const ends = "\n\r\x00"
	at := strings.IndexAny(text, ends)
	if at < 0 {
		return text, ""
	}
	end := at + 1
	for end < len(text) && text[end-1] != 0 && strings.IndexByte(ends, text[end]) >= 0 && strings.IndexByte(text[at:end], text[end]) < 0 {
		end++
	}
	return text[:at], text[end:]
}

// continued reports whether the line ends in a backslash that is not itself
// escaped, and returns the line without it.
func continued(line string) (string, bool) {
	head := strings.TrimRight(line, `\`)
	if (len(line)-len(head))%2 == 0 {
		return "", false
	}
	return line[:len(line)-1], true
}

// Unit is a unit with its drop-ins.
type Unit struct {
	// Name is the unit's own name, not an alias: "ssh.service".
	Name string
	// Path is the absolute path of its file: "/usr/lib/systemd/system/ssh.service".
	Path string
	// Settings are those of the file, then of its drop-ins, in the order in
	// which systemd applies them; rdgen's own drop-in is left out.
	Settings []Setting
}

// Last returns the value of a setting that holds one value: the last one
// assigned, or "".
func (u *Unit) Last(section, key string) string {
	if all := u.All(section, key); len(all) > 0 {
		return all[len(all)-1].Value
	}
	return ""
}

// All returns the assignments of a setting that is a list. An empty assignment
// empties the list and is not in it; what other units are to a unit, nothing empties
// (systemd.unit(5)).
func (u *Unit) All(section, key string) []Setting {
	var list []Setting
	for _, s := range u.Settings {
		switch {
		case s.Section != section || s.Key != key:
		case s.Value == "" && kept(section, key):
		case s.Value == "":
			list = nil
		default:
			list = append(list, s)
		}
	}
	return list
}

// dependencies are the settings that name other units.
var dependencies = strings.Fields("After Before Wants Requires Requisite BindsTo PartOf Upholds Conflicts OnFailure OnSuccess " +
	"PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf")

// kept reports whether a list is one that an empty assignment leaves as it is.
func kept(section, key string) bool {
	return section == "Unit" && slices.Contains(dependencies, key) || section == "Service" && key == "Sockets"
}

// DropIn returns the file name of the drop-in that the setting is in, or "" for
// one of the unit file itself.
func (s Setting) DropIn() string {
	if dir, name := path.Split(s.File); strings.HasSuffix(dir, ".d/") {
		return name
	}
	return ""
}
