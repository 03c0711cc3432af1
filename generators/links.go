package generators

import (
	"slices"
	"strings"
)

// Links are folders of the machine that are other names of folders, as absolute paths: /sbin
// is /usr/sbin almost everywhere, and /usr/sbin is /usr/bin on some.
type Links map[string]string

// UsualLinks are those of a machine of which nothing is known.
func UsualLinks() Links {
	return Links{"/bin": "/usr/bin", "/sbin": "/usr/sbin", "/var/run": "/run"}
}

// follow returns the name of a folder, or of a file, without such a link.
func (l Links) follow(p string) string {
	for range 8 { // a link to a link is rare; this ends a loop
		was := p
		for link, to := range l {
			if p == link || strings.HasPrefix(p, link+"/") {
				p = to + p[len(link):]
				break
			}
		}
		if p == was {
			break
		}
	}
	return p
}

// withTargets returns paths, and where those lead that are below a link: a command needs both.
func (l Links) withTargets(paths []string) (all []string) {
	for _, p := range paths {
		for _, name := range []string{p, l.follow(p)} {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
