package generators

import (
	"rdgen/generators/tree"
	"rdgen/installed"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

// Service is a service and the domain that it is declared to be in.
type Service struct {
	// Name is the service's name, that of its conf.d file.
	Name string
	// Domain is where it runs; the default domain only for OpenRC, and for a template.
	Domain domain.Domain
	// Pos is the assignment that says so. With no file, the command line says so.
	Pos problem.Pos
	// SocketsStay is the line that lets the service's socket units stay in the default
	// domain; without one they are in the service's.
	SocketsStay problem.Pos
}

// Job is a service as one init system has it, from which its files are made.
type Job interface {
	// Declared returns the service and its domain.
	Declared() Service
	// Files makes the files. The notes say what the service had and the files do not
	// carry over; each begins with a place. An error is a *problem.Error wherever a
	// place can be named.
	Files() (files tree.Tree, notes []string, err error)
}

// Declared returns the service itself.
func (s Service) Declared() Service { return s }

// Place is where a message about the service points to: the line that names its
// domain, or else its name.
func (s Service) Place() problem.Pos {
	if s.Pos.File != "" {
		return s.Pos
	}
	return problem.Pos{File: s.Name}
}

// Programs of rdgen on the target.
var (
	rdexec  = installed.Rdexec()
	rdomain = installed.Rdomain()
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

// regenerate is the command that makes the service's files again. service is its
// name as the verb has it.
func (s Service) regenerate(verb, service string) string {
	command := "rdgen " + verb + " " + service
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
