package services

import (
	"io/fs"
	"strings"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/systemd"
)

// Escapes returns what of a unit would not be in its domain although the generated
// files are as they are to be.
func (sd *Systemd) Escapes(name string) []error {
	_, s, err := sd.confs.read(name)
	if err != nil {
		return nil // Load says so
	}
	unit, err := sd.find(s)
	if err != nil {
		return nil
	}
	var errs []error
	if sd.isForeign(unit) && !sd.isWritten(s) {
		errs = append(errs, problem.New(s.Place(), "%s does not start: another generator of systemd makes it, so rdgen's cannot read it before", unit.Name).
			WithHint("rdgen systemd "+s.Name+" -o /etc; systemctl daemon-reload"))
	}
	return errs
}

// isForeign reports whether a generator made the unit that is neither rdgen nor
// systemd-sysv-generator, which makes nothing but what rdgen knows.
func (sd *Systemd) isForeign(unit *systemd.Unit) bool {
	if !strings.HasPrefix(unit.Path, "/run/systemd/generator") || sd.sysvScript(bare(unit.Name)) != "" {
		return false
	}
	text, err := fs.ReadFile(sd.fsys, unit.Path[1:])
	return err == nil && !generators.IsMade(text)
}
