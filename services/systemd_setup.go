package services

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// waits has a note of each FIFO that a unit's commands have as their input or output: the look
// is one of them, and to open a FIFO is to wait for its other end. systemd opens a file that is
// both for reading and writing, and then nothing waits.
func (sd *Systemd) waits(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	const in, out = "StandardInput", "StandardOutput"
	files := map[string]string{}
	for _, key := range []string{in, out, "StandardError"} {
		kind, file, _ := strings.Cut(unit.Last("Service", key), ":")
		if kind == "file" || kind == "append" || kind == "truncate" {
			file, _ = systemd.Specifiers(unit.Name, file)
			files[key] = path.Clean(file)
		}
	}
	for _, key := range []string{in, out, "StandardError"} {
		file := files[key]
		if !path.IsAbs(file) || files[in] == files[out] && key != "StandardError" {
			continue
		}
		info, err := fs.Stat(sd.fsys, file[1:])
		if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			continue
		}
		all := unit.All("Service", key)
		notes = append(notes, fmt.Sprintf("%s: %s is a FIFO, and the look into %s is the first command that opens it: the start of %s waits until somebody opens its other end",
			placeOf(all[len(all)-1]), file, d, unit.Name))
	}
	return nil, notes
}

// fewFiles are so few open files that systemd cannot give a unit mounts of its own (seen on 257).
const fewFiles = 8

// rootIsRoot is the oldest systemd that gives a unit mounts of its own in RootDirectory=/.
const rootIsRoot = 253

// mountable judges what has systemd fail to make the mounts that a unit in a namespace has of its
// own (226/NAMESPACE).
func (sd *Systemd) mountable(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	if d.Netns.IsZero() || path.Ext(unit.Name) != ".service" {
		return nil, nil
	}
	soft, _, _ := strings.Cut(unit.Last("Service", "LimitNOFILE"), ":")
	if n, err := strconv.ParseUint(soft, 10, 64); err == nil && n < fewFiles {
		all := unit.All("Service", "LimitNOFILE")
		notes = append(notes, fmt.Sprintf("%s: systemd needs more open files than LimitNOFILE=%s for the mounts that %s has in %s, and the start may fail (226/NAMESPACE): LimitNOFILE=%d in a drop-in",
			placeOf(all[len(all)-1]), soft, unit.Name, d, fewFiles))
	}
	version := sd.Version
	if version == 0 {
		version = sd.found()
	}
	if all := unit.All("Service", "RootDirectory"); len(all) > 0 && version != 0 && version < rootIsRoot {
		if last := all[len(all)-1]; path.Clean(last.Value) == "/" {
			errs = append(errs, problem.New(placeOf(last), "systemd %d cannot start %s in %s with RootDirectory=/ (226/NAMESPACE)", version, unit.Name, d).
				WithHint("take it out by a drop-in with an empty RootDirectory=, which is the same"))
		}
	}
	return errs, notes
}
