package services

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// mounts has a note for each command that mounts something, of a unit in a namespace: systemd
// gives each command there mounts of its own, so it succeeds, and nobody sees what it did.
func mounts(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	if d.Netns.IsZero() {
		return nil, nil
	}
	for _, key := range []string{"ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecReloadPost", "ExecStop", "ExecStopPost"} {
		for _, set := range unit.All("Service", key) {
			// The program, or a word of a shell's command line.
			words := strings.FieldsFunc(strings.TrimLeft(set.Value, "-+!@:|"), func(r rune) bool { return strings.ContainsRune(" \t\"';&|()", r) })
			if slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == "mount" || path.Base(w) == "umount" }) {
				notes = append(notes, fmt.Sprintf("%s: what this mounts in %s, or takes away, neither the host nor another command of %s sees", placeOf(set), d, unit.Name))
			}
		}
	}
	return nil, notes
}

// survives has a note of a unit that is to go on over a soft reboot: its domain does not.
func survives(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	if yes, set, _ := unit.Bool("Unit", "SurviveFinalKillSignal"); yes {
		notes = append(notes, fmt.Sprintf("%s: %s is stopped at a soft reboot all the same, since %s is", placeOf(set), unit.Name, d))
	}
	return nil, notes
}
