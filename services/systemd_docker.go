package services

import (
	"fmt"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// docker judges a unit that runs dockerd, which makes the networks of containers where it is,
// and has containerd start them.
func (sd *Systemd) docker(e systemd.Entering, d domain.Domain) (errs []error, notes []string) {
	if generators.Leaves(e, d) {
		return []error{generators.Loses(e, d)}, nil
	}
	if _, s, err := sd.confs.read("containerd"); err != nil || s.Domain != d {
		errs = append(errs, problem.New(placeOf(e.Setting), "%s= has containerd start the containers, and one with --network host would not be in %s", e.Key, d).
			WithHint("put the line into /etc/conf.d/containerd too"))
	}
	// Seen with dockerd 26.1: "stat /bin/busybox: no such file or directory".
	return errs, []string{fmt.Sprintf("%s: containerd does not see what dockerd mounts in %s, so no container starts by overlay; "+
		`"storage-driver": "vfs" in /etc/docker/daemon.json mounts nothing`, placeOf(e.Setting), d)}
}
