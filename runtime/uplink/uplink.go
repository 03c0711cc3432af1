// Package uplink says which other tool makes a link the way of the default domain to the
// world: ifupdown and dhcpcd put a link's default route into the main table, also where the
// link is a member of a VRF, and its table is another (interfaces(5), dhcpcd.conf(5)).
package uplink

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
)

// By returns for each such tool the place in its file by which it does so for a link. dhcpcd,
// which takes all that it finds, is asked of those that are there at boot. root is the
// machine's root directory.
func By(root fs.FS, link string, atBoot bool) (list []*problem.Error) {
	for _, s := range stanzas(root) {
		at, what := s.gateway()
		if s.link == link && what != "" {
			list = append(list, problem.New(at, "%s of ifupdown puts the default route of %s into the main table", what, link).
				WithHint("leave it out, and write a [Route] or DHCP= into the file of the domain"))
		}
	}
	if at, ok := dhcpcd(root, link); ok && atBoot {
		list = append(list, problem.New(at, "dhcpcd leases an address for %s, and its default route is for the main table", link).
			WithHint("write denyinterfaces "+link+" into this file, and DHCP=ipv4 into that of the domain"))
	}
	return list
}

// stanza is an iface of interfaces(5).
type stanza struct {
	link, method string
	at           problem.Pos
	options      []option
}

type option struct {
	key string
	at  problem.Pos
}

// gateway is what sets a default route, and its place. Where the stanza names a VRF, another
// ifupdown than Debian's knows of it.
func (s stanza) gateway() (at problem.Pos, what string) {
	for _, o := range s.options {
		switch o.key {
		case "vrf", "vrf-member":
			return at, ""
		case "gateway":
			at, what = o.at, "gateway"
		}
	}
	if what == "" && s.method == "dhcp" {
		return s.at, "dhcp"
	}
	return at, what
}

// stanzas reads /etc/network/interfaces and what it has as source.
func stanzas(root fs.FS) (list []stanza) {
	files := []string{"etc/network/interfaces"}
	for i := 0; i < len(files); i++ {
		open := false // a stanza that further lines belong to
		for _, line := range lines(root, files[i]) {
			switch key := line.words[0]; {
			case key == "iface" && len(line.words) > 1:
				list, open = append(list, stanza{link: line.words[1], method: line.words[len(line.words)-1], at: line.at}), true
			case key == "source" && len(line.words) > 1:
				pattern := line.words[1]
				if !path.IsAbs(pattern) {
					pattern = path.Join("/", path.Dir(files[i]), pattern)
				}
				more, _ := fs.Glob(root, path.Clean(pattern)[1:])
				files, open = append(files, slices.DeleteFunc(more, func(f string) bool { return slices.Contains(files, f) })...), false
			case slices.Contains([]string{"auto", "mapping", "rename", "source-directory"}, key), strings.HasPrefix(key, "allow-"):
				open = false
			case open:
				last := &list[len(list)-1]
				last.options = append(last.options, option{key, line.at})
			}
		}
	}
	return list
}

// dhcpcdUsed has one file for each way in which dhcpcd is running, or will be with the next boot,
// for all links that its file does not deny.
var dhcpcdUsed = []string{"run/dhcpcd/pid", "etc/systemd/system/multi-user.target.wants/dhcpcd.service", "etc/runlevels/default/dhcpcd", "etc/runlevels/boot/dhcpcd"}

// dhcpcd returns its file if it is in use and nothing there has it leave the link alone, or
// its default route.
func dhcpcd(root fs.FS, link string) (at problem.Pos, ok bool) {
	const file = "etc/dhcpcd.conf"
	used := slices.ContainsFunc(dhcpcdUsed, func(name string) bool {
		_, err := fs.Lstat(root, name)
		return err == nil
	})
	ours := true // what is said before any "interface" is for all
	for _, line := range lines(root, file) {
		matches := slices.ContainsFunc(line.words[1:], func(pattern string) bool {
			is, err := path.Match(pattern, link)
			return err == nil && is
		})
		switch line.words[0] {
		case "interface":
			ours = matches
		case "ssid", "profile":
			ours = false
		case "denyinterfaces":
			used = used && !matches
		case "allowinterfaces":
			used = used && matches
		case "nogateway", "noipv4":
			used = used && !ours
		}
	}
	return problem.Pos{File: "/" + file}, used
}

// line is one that is not empty, with those that a backslash joins to it.
type line struct {
	words []string
	at    problem.Pos
}

func lines(root fs.FS, file string) (list []line) {
	text, _ := fs.ReadFile(root, file) // or there is none
	joined, first := "", 0
	for n, l := range strings.Split(string(text), "\n") {
		if joined == "" {
			first = n + 1
		}
		if head, more := strings.CutSuffix(l, "\\"); more {
			joined += head + " "
			continue
		}
		if words := strings.Fields(joined + l); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			list = append(list, line{words, problem.Pos{File: "/" + file, Line: first}})
		}
		joined = ""
	}
	return list
}
