package generators

import (
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/systemd"
)

// Service is one service, the domain that it is declared to be in, and what the
// init system at hand knows of it.
type Service struct {
	// Name is the service's name, that of its conf.d file.
	Name string
	// Domain is where it runs; the default domain only for OpenRC.
	Domain domain.Domain
	// Pos is the assignment that says so. With no file, the command line says so.
	Pos problem.Pos
	// Script is the OpenRC script, or nil.
	Script *openrc.Script
	// Link is the name of the script that the service's own is a link to, for an
	// instance; or "".
	Link string
	// Unit is the systemd unit, or nil.
	Unit *systemd.Unit
	// Units are the units to be given a drop-in: Unit itself, its sockets. One that
	// is not there yet has nothing but its name.
	Units []*systemd.Unit
	// Flavor, for s6, is how its services are laid out, and FlavorFlag how to ask
	// for it: " --flavor artix", or "" for s6-rc's own.
	Flavor     s6.Flavor
	FlavorFlag string
	// Source is the source directory that a package or an administrator wrote, or nil.
	Source *s6.Directory
	// Template, for s6, asks for a template whose instances name their domain.
	Template bool
	// Essential are the services that a domain must come after.
	Essential []string
	// Enabled is the contents.d of the bundle that the service belongs into, or "".
	Enabled string
	// NotifySocket reports that s6 can listen to a service that speaks sd_notify.
	NotifySocket bool
	// Installed reports that a package has rdomain@.service in place.
	Installed bool
	// AtBoot is true for files that systemd has made at each daemon-reload.
	AtBoot bool
	// Instance is what makes a service of its own of Unit, or nil.
	Instance *instance
}

// Generator makes the files of one service for one init system. The notes say
// what the service had and the files do not carry over; each begins with a place.
//
// An error is a *problem.Error wherever a place can be named.
type Generator func(Service) (files tree.Tree, notes []string, err error)

// Programs of rdgen on the target.
const (
	rdexec  = "/usr/sbin/rdexec"
	rdomain = "/usr/sbin/rdomain"
)

// from says in a comment what a file was made from, the service's own file first.
func (s Service) from(file string) string {
	declared := "the command line"
	if s.Pos.File != "" {
		declared = s.Pos.String()
	}
	if file == "" {
		return declared
	}
	return file + " and " + declared
}

// again is the command that makes the service's files anew.
func (s Service) again(verb string) string {
	if s.AtBoot {
		return "systemctl daemon-reload"
	}
	command := "rdgen " + verb + " " + s.Name
	if s.Template {
		command += "@"
	}
	if s.Pos.File != "" {
		return command
	}
	if !s.Domain.Netns.IsZero() {
		command += " --netns " + s.Domain.Netns.String()
	}
	if !s.Domain.VRF.IsZero() {
		command += " --vrf " + s.Domain.VRF.String()
	}
	return command
}

// namespace is the domain of d's namespace alone, which a VRF inside it needs;
// ok is false if d is not a VRF inside a namespace.
func namespace(d domain.Domain) (outer domain.Domain, ok bool) {
	return domain.Domain{Netns: d.Netns}, !d.Netns.IsZero() && !d.VRF.IsZero()
}
