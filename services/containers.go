package services

import (
	"cmp"
	"fmt"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// hostNetwork is how a daemon is told to start a container in the network of the one that
// starts it.
var hostNetwork = map[string]string{"dockerd": "--network host", "kubelet": "hostNetwork: true"}

// asksRuntime judges a unit that has another daemon start its containers: dockerd, which
// makes their networks where it is, and kubelet, which makes none.
func (sd *Systemd) asksRuntime(e systemd.Entering, d domain.Domain) (errs []error, notes []string) {
	if generators.Leaves(e, d) {
		return []error{generators.Loses(e, d)}, nil
	}
	for _, runtime := range sd.runtimesOf(e.By) {
		if _, s, err := sd.confs.read(runtime); err != nil || s.Domain != d {
			errs = append(errs, problem.New(placeOf(e.Setting), "%s= has %s start the containers, and one with %s would not be in %s",
				e.Key, runtime, hostNetwork[e.By], d).WithHint("put the line into /etc/conf.d/"+runtime+" too"))
		}
	}
	if e.By == "dockerd" { // seen with dockerd 26.1: "stat /bin/busybox: no such file or directory"
		notes = []string{fmt.Sprintf("%s: containerd does not see what dockerd mounts in %s, so no container starts by overlay; "+
			`"storage-driver": "vfs" in /etc/docker/daemon.json mounts nothing`, placeOf(e.Setting), d)}
	}
	return errs, notes
}

// runtimesOf returns those that may start a daemon's containers and are here, or the first.
func (sd *Systemd) runtimesOf(program string) (here []string) {
	all := systemd.Runtimes[program]
	for _, name := range all {
		if sd.Has(name) {
			here = append(here, name)
		}
	}
	if len(here) == 0 {
		here = all[:1]
	}
	return here
}

// containsOutside judges command= of an init script: no VRF holds a container.
func containsOutside(s *openrc.Script, d domain.Domain) []error {
	v, ok, err := s.Lookup("command")
	if !ok || err != nil || d.VRF.IsZero() {
		return nil
	}
	prog := []string{v.Text}
	if daemon, unclear := s.Start().Daemon(); unclear == nil {
		prog = daemon.Prog // with its arguments: one may be what is executed
	}
	guests := ""
	for _, name := range systemd.Programs(prog) {
		guests = cmp.Or(guests, systemd.Guests(name))
	}
	if guests == "" {
		return nil
	}
	return []error{&problem.Error{Pos: v.Pos, Msg: fmt.Sprintf("%s starts %s, with cgroups or namespaces of their own, and no VRF holds those", v.Text, guests),
		Hint: "netns= in place of vrf=: a namespace holds them"}}
}
