package services

import (
	"fmt"

	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// actions are the settings by which a unit ends the machine, or starts it again, and what of
// a domain counts for that.
var actions = []struct{ key, counts string }{
	{"FailureAction", "a look that fails is a failure of %s, as is any other command before the main one"},
	{"StartLimitAction", "starts at which the look fails count for the limit of %s"},
	{"SuccessAction", "a domain that is brought down stops %s, which is a success"},
	{"JobTimeoutAction", "the time that %s waits for its domain counts"},
}

// ends has notes of a unit that ends the machine, or starts it again: what is wrong with a
// domain does so too, at each boot maybe.
func ends(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	for _, a := range actions {
		all := unit.All("Unit", a.key)
		if len(all) == 0 || all[len(all)-1].Value == "none" {
			continue
		}
		set := all[len(all)-1]
		notes = append(notes, fmt.Sprintf("%s: %s=%s, and with %s "+a.counts+"; if that is not to end what runs: %s=none in a drop-in of %s",
			placeOf(set), a.key, set.Value, d, unit.Name, a.key, unit.Name))
	}
	return nil, notes
}
