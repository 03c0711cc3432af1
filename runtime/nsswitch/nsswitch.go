// Package nsswitch reads which sources nsswitch.conf(5) names for names of hosts, and knows
// which of them are answered outside of the domain that a program is in.
package nsswitch

import "strings"

// File is the host's.
const File = "/etc/nsswitch.conf"

// Source is a source of names of hosts.
type Source struct {
	Name string
	Line int
}

// Hosts returns the sources of names of hosts: those of the last line that names any, as glibc
// reads it.
func Hosts(text string) (list []Source) {
	at := 0
	for line := range strings.Lines(text) {
		at++
		words, is := OfHosts(line)
		if !is {
			continue
		}
		list = nil
		for _, w := range words {
			list = append(list, Source{w, at})
		}
	}
	return list
}

// OfHosts returns the sources of a line, and whether the line is of names of hosts. What stands
// in brackets is no source.
func OfHosts(line string) (sources []string, is bool) {
	line, _, _ = strings.Cut(line, "#")
	database, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
	if strings.TrimSpace(database) != "hosts" {
		return nil, false
	}
	for rest != "" {
		before, bracket, _ := strings.Cut(rest, "[")
		sources = append(sources, strings.Fields(before)...)
		_, rest, _ = strings.Cut(bracket, "]")
	}
	return sources, true
}

// inside are the sources that a program asks by its own sockets, or that need no network: files,
// and myhostname, which reads the links and routes of where the program is.
var inside = map[string]bool{"files": true, "dns": true, "myhostname": true, "hesiod": true, "nis": true, "compat": true, "db": true, "winbind": true}

// hidden are those that ask a program of the host in a folder of domain.ResolverDirs, which is
// empty inside.
func hidden(source string) bool { return source == "resolve" || strings.HasPrefix(source, "mdns") }

// asked says whom the sources ask that are answered by the host.
var asked = map[string]string{
	"sss":           "SSSD, by /var/lib/sss/pipes, which answers from the default domain",
	"wins":          "Samba's winbindd, by its socket, which answers from the default domain",
	"ldap":          "nslcd, by /run/nslcd, which answers from the default domain",
	"mymachines":    "systemd-machined, by D-Bus, which has the containers of the host",
	"libvirt":       "libvirt's files, which have the guests of the host",
	"libvirt_guest": "libvirt's files, which have the guests of the host",
}

// ByDNS reports whether a source needs nothing but the domain's own network and files.
func ByDNS(source string) bool { return source == "files" || source == "dns" || source == "myhostname" }

// Outside says whom a source asks, if that is not in the domain of the program, and not hidden
// from it; or it is "".
func Outside(source string) string {
	switch {
	case inside[source] || hidden(source):
		return ""
	case asked[source] != "":
		return asked[source]
	}
	return "a program that rdgen does not know, which may answer from the default domain"
}
