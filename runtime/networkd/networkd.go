// Package networkd says what systemd-networkd will do to a link: which .network file
// is for it, and whether that takes the link out of its VRF (systemd.network(5)).
package networkd

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
)

// dirs are where networkd looks for files, the first wins (systemd.network(5)).
var dirs = []string{"etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network", "usr/lib/systemd/network", "lib/systemd/network"}

// enabled has one file for each way in which networkd is running, or will be with the
// next boot.
var enabled = []string{"run/systemd/netif", "etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
	"etc/systemd/system/dbus-org.freedesktop.network1.service"}

// Device is a link as [Match] sees it.
type Device struct {
	Name, MAC string
	// Kind is as ip(8) has it ("veth"), "" for hardware. Type is "ether", "wlan", ...
	Kind, Type string
	// Unseen: the link was not looked at. Only its name is known, and what is not empty.
	Unseen bool
}

// Taken is the error for a link that networkd takes out of vrf, whose table is given, as
// [Takes] does; nil if it does not. sure is false if it only may.
func Taken(root fs.FS, l Device, vrf string, table uint32) (err *problem.Error, sure bool) {
	at, sure, ok := Takes(root, l, vrf)
	if !ok {
		return nil, sure
	}
	is := "is"
	if !sure {
		is = "may be"
	}
	return problem.New(at, "this file of systemd-networkd %s for link %s, and takes it out of vrf %s", is, l.Name, vrf).
		WithHint(fmt.Sprintf("write KeepMaster=yes into its [Network], and RouteTable=%d or Table=%[1]d where it says of routes, "+
			"or Unmanaged=yes into its [Link]", table)), sure
}

// Takes returns the file, and the line of what it matches by, with which networkd takes
// a link out of vrf when it sets the link up: it gives the link the master that the file
// names, or none, unless KeepMaster= or Unmanaged= says otherwise. sure is false if the
// file has conditions that are not looked at here, such as Driver=. root is the machine's
// root directory. Where networkd is neither running nor enabled, ok is false.
func Takes(root fs.FS, l Device, vrf string) (at problem.Pos, sure, ok bool) {
	uses := slices.ContainsFunc(enabled, func(name string) bool {
		_, err := fs.Lstat(root, name)
		return err == nil
	})
	if !uses {
		return at, false, false
	}
	for _, name := range names(root, ".network") {
		f := read(root, name)
		matches, sure := f.matches(l)
		if !matches {
			continue
		}
		keeps := yes(f.last("Network", "KeepMaster")) || yes(f.last("Link", "Unmanaged")) ||
			f.last("Network", "VRF") == vrf && makes(root, vrf)
		if !keeps {
			return f.pos(), sure, true
		}
		if sure {
			break // later files are not for this link
		}
	}
	return at, false, false
}

// makes reports whether networkd makes a device of that name itself.
func makes(root fs.FS, name string) bool {
	return slices.ContainsFunc(names(root, ".netdev"), func(n string) bool { return read(root, n).last("NetDev", "Name") == name })
}

// names returns the base names of files with an ending, in the order in which networkd
// takes them.
func names(root fs.FS, ending string) (list []string) {
	for _, dir := range dirs {
		entries, _ := fs.ReadDir(root, dir)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ending) {
				list = append(list, e.Name())
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// file is what a file and its drop-ins say.
type file struct {
	path  string
	lines []line
}

// line is one assignment.
type line struct {
	section, key, value string
	at                  problem.Pos
}

// read reads a file, of the first directory that has it, and its drop-ins.
func read(root fs.FS, name string) *file {
	f := &file{}
	for _, dir := range dirs {
		full := path.Join(dir, name)
		if _, err := fs.Lstat(root, full); err == nil {
			f.path = "/" + full
			f.parse(root, full) // a link to /dev/null says nothing
			break
		}
	}
	for _, drop := range dropIns(root, name) {
		f.parse(root, drop)
	}
	return f
}

func dropIns(root fs.FS, name string) (list []string) {
	found := map[string]string{}
	for _, dir := range dirs {
		d := path.Join(dir, name+".d")
		entries, _ := fs.ReadDir(root, d)
		for _, e := range entries {
			if _, first := found[e.Name()]; !first && strings.HasSuffix(e.Name(), ".conf") {
				found[e.Name()] = path.Join(d, e.Name())
				list = append(list, e.Name())
			}
		}
	}
	slices.Sort(list)
	for i := range list {
		list[i] = found[list[i]]
	}
	return list
}

func (f *file) parse(root fs.FS, name string) {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return
	}
	section, before, n := "", "", 0
	for text := range strings.Lines(string(data)) {
		n++
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		if rest, more := strings.CutSuffix(text, `\`); more {
			before += rest + " "
			continue
		}
		text, before = before+text, ""
		if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
			section = text[1 : len(text)-1]
		} else if key, value, ok := strings.Cut(text, "="); ok {
			f.lines = append(f.lines, line{section, strings.TrimSpace(key), strings.TrimSpace(value), problem.Pos{File: "/" + name, Line: n}})
		}
	}
}

// last returns what counts of an assignment.
func (f *file) last(section, key string) (value string) {
	for _, l := range f.lines {
		if l.section == section && l.key == key {
			value = l.value
		}
	}
	return value
}

// pos is the place of the first condition.
func (f *file) pos() problem.Pos {
	for _, l := range f.lines {
		if l.section == "Match" {
			return l.at
		}
	}
	return problem.Pos{File: f.path}
}

// matches reports whether a file is for a link, and whether that is sure.
func (f *file) matches(l Device) (matches, sure bool) {
	conditions := map[string][]string{}
	for _, c := range f.lines {
		if c.section != "Match" {
			continue
		}
		if conditions[c.key] = append(conditions[c.key], strings.Fields(c.value)...); c.value == "" {
			delete(conditions, c.key) // an empty assignment takes back those before it
		}
	}
	sure = true
	for key, words := range conditions {
		if l.Unseen && (key == "MACAddress" && l.MAC == "" || key == "Kind" && l.Kind == "" || key == "Type" && l.Type == "") {
			sure = false
			continue
		}
		switch key {
		case "Name":
			if !one(words, func(w string) bool { return glob(w, l.Name) }) {
				return false, true
			}
		case "MACAddress":
			if !one(words, func(w string) bool { return strings.EqualFold(strings.ReplaceAll(w, "-", ":"), l.MAC) }) {
				return false, true
			}
		case "Kind":
			if !one(words, func(w string) bool { return glob(w, l.Kind) }) {
				return false, true
			}
		case "Type":
			if !one(words, func(w string) bool { return glob(w, l.Type) }) {
				return false, true
			}
		default:
			sure = false
		}
	}
	return len(conditions) > 0, sure // without a condition networkd ignores the file
}

// one reports whether one of the words holds; with "!" before the first, none may.
func one(words []string, holds func(string) bool) bool {
	first, not := strings.CutPrefix(words[0], "!")
	return slices.ContainsFunc(append([]string{first}, words[1:]...), holds) != not
}

func glob(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "[!", "[^"), name)
	return ok && err == nil
}

// yes is systemd's parse_boolean. systemd.ParseBool is the same for units, but of rdgen's
// half of the house, and rdomain reads .network files too.
func yes(value string) bool {
	return slices.Contains([]string{"1", "yes", "y", "true", "t", "on"}, strings.ToLower(value))
}
