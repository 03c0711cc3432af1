package process

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ClosesPAM reports whether a process is systemd's own, beside the main process of a unit with
// PAMName=: it waits until that has ended, and closes its PAM session. It was made before the
// unit's namespaces were entered (setup_pam, src/core/exec-invoke.c), so it is where pid 1 is.
//
// Any program may be called "(sd-pam)". Only this one is systemd's, or its executor's, by the
// path that pid 1 sees: after an upgrade it runs a file that is gone. The error matches
// fs.ErrPermission if the caller may not know.
func ClosesPAM(p Process) (bool, error) {
	if p.Command != "(sd-pam)" {
		return false, nil
	}
	var links [4]string
	for i, name := range []string{"1/ns/mnt", "1/exe", strconv.Itoa(p.PID) + "/ns/mnt", strconv.Itoa(p.PID) + "/exe"} {
		link, err := os.Readlink("/proc/" + name)
		if err != nil {
			return false, err
		}
		links[i] = strings.TrimSuffix(link, " (deleted)")
	}
	mounts, systemd, own, program := links[0], links[1], links[2], links[3]
	return own == mounts && slices.Contains([]string{systemd, path.Join(path.Dir(systemd), "systemd-executor")}, program), nil
}
