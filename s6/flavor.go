package s6

import (
	"fmt"
	"strings"
)

// Flavor is how a distribution lays out its services: where source directories
// are, and what they are called.
type Flavor struct {
	// Name is what --flavor takes.
	Name string
	// Folders hold the source directories; those that are made go into the first.
	Folders []string
	// Whole reports that Folders are all that is compiled together, so that a
	// name that none of them defines is an error.
	Whole bool
	// Execline is the path of execlineb.
	Execline string
	// ServiceDirs: the folders hold service directories, for an s6-svscan
	// without s6-rc.
	ServiceDirs bool
	// Config is the folder of NAME.conf, in the syntax of envfile, or "".
	Config string
	// Essential are services that a domain comes after, where they are defined.
	Essential []string
	// Enabled is the contents.d of the bundle that is brought up at boot, for a
	// flavour where a service that exists is meant to run; the last that exists
	// is used, and without any the first.
	Enabled []string
	// LogCommand is the program, before the folder, that writes a log.
	LogCommand []string

	service, pipeline string // what is added to a service's name
}

// s6log is how s6 users log: 20 files of 1 MB, ISO 8601 times.
var s6log = []string{"s6-log", "-d3", "-b", "--", "n20", "s1000000", "T"}

// Flavors are the layouts that rdgen knows; the first is that of s6-rc itself.
//
// Artix: its wiki, Main/S6, and the s6-services packages. The overlay is
// s6-overlay 3 for containers. The store is what s6-frontend's storelist is by
// default.
var Flavors = []Flavor{
	{Name: "plain", Folders: []string{Source}, Execline: "/bin/execlineb", LogCommand: s6log, pipeline: "-pipeline"},
	{Name: "artix", Folders: []string{"/etc/s6/adminsv", "/etc/s6/sv"}, Whole: true, Execline: "/bin/execlineb",
		Config: "/etc/s6/config", Essential: []string{"mount-filesystems"}, LogCommand: s6log, service: "-srv"},
	{Name: "overlay", Folders: []string{"/etc/s6-overlay/s6-rc.d"}, Execline: "/command/execlineb", Essential: []string{"base"},
		Enabled: []string{"/etc/s6-overlay/s6-rc.d/user/contents.d", "/etc/s6-overlay/user-bundles.d/user/contents.d"},
		// logutil-service drops to nobody by itself, keeps the folder, and has no readiness.
		LogCommand: []string{"logutil-service"}, pipeline: "-pipeline"},
	{Name: "store", Folders: []string{"/etc/s6/sources", "/usr/share/s6/sources"}, Whole: true, Execline: "/bin/execlineb",
		LogCommand: s6log, pipeline: "-pipeline"},
	{Name: "svscan", Folders: []string{"/etc/s6/services"}, Execline: "/bin/execlineb", ServiceDirs: true, LogCommand: s6log},
}

// FlavorNamed returns the flavour of that name.
func FlavorNamed(name string) (Flavor, error) {
	names := ""
	for _, f := range Flavors {
		if f.Name == name {
			return f, nil
		}
		names += ", " + f.Name
	}
	return Flavor{}, fmt.Errorf("there is no flavor %q; there are %s", name, names[2:])
}

// Service returns the name of the longrun of a service.
func (f Flavor) Service(service string) string { return service + f.service }

// Of returns the service whose longrun has a name.
func (f Flavor) Of(longrun string) string { return strings.TrimSuffix(longrun, f.service) }

// Logger returns the name of its logger.
func (f Flavor) Logger(service string) string { return service + "-log" }

// Pipeline returns the name of the bundle of both.
func (f Flavor) Pipeline(service string) string { return service + f.pipeline }

// LogReady reports whether the logger says on descriptor 3 that it is ready.
func (f Flavor) LogReady() bool { return f.LogCommand[0] == "s6-log" }

// Rdomain returns the name of the oneshot that is the domain called id.
func Rdomain(id string) string { return "rdomain-" + id }
