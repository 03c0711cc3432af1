package services

import (
	"fmt"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// keeps has a note of a unit of which systemd keeps sockets over a restart: one that was made
// in the default domain stays there (FileDescriptorStoreMax=, seen with 257 and 262).
func (sd *Systemd) keeps(unit *systemd.Unit, _ domain.Domain) (errs []error, notes []string) {
	if set, ok := stores(unit); ok {
		named := *unit // a template does not run: the administrator knows which instances do
		named.Name = strings.Replace(unit.Name, "@.", "@INSTANCE.", 1)
		notes = append(notes, fmt.Sprintf("%s: systemd keeps files of %s over a restart, and a socket stays in the domain that it was made in; to have new ones: %s",
			placeOf(set), unit.Name, Take([]Member{MemberOf(&named, sd.version())})))
	}
	return nil, notes
}

// stores reports whether systemd keeps files for a unit, and by which line.
func stores(unit *systemd.Unit) (by systemd.Setting, yes bool) {
	all := unit.All("Service", "FileDescriptorStoreMax")
	if len(all) == 0 {
		return by, false
	}
	by = all[len(all)-1]
	return by, strings.Trim(by.Value, "0") != ""
}
