package openrc

import _ "embed"

// The files that rdgen installs as they are, each at its own path.
const (
	// InitDir is the folder of OpenRC's init scripts, with its last slash.
	InitDir = "/etc/init.d/"
	// ConfPath is read by OpenRC for every service, and sources HookPath.
	ConfPath = "/etc/rc.conf.d/50-rdgen.conf"
	// HookPath is the shell code that enters a service's domain. The line that
	// WithLine adds to a script sources it too.
	HookPath = "/usr/libexec/rdgen/openrc.sh"
	// SupervisePath, StopPath and SlipsPath are parts of it that are read when they
	// are needed.
	SupervisePath = "/usr/libexec/rdgen/openrc-supervise.sh"
	StopPath      = "/usr/libexec/rdgen/openrc-stop.sh"
	SlipsPath     = "/usr/libexec/rdgen/openrc-slips.sh"
	// RdomainPath is the init script of the domains. It is executable, and each
	// domain is a link to it, RdomainService(ID).
	RdomainPath = "/etc/init.d/rdomain"
)

var (
	// ConfFile is the file at ConfPath.
	//
	//go:embed files/etc/rc.conf.d/50-rdgen.conf
	ConfFile []byte
	// HookFile is the file at HookPath.
	//
	//go:embed files/usr/libexec/rdgen/openrc.sh
	HookFile []byte
	// SuperviseFile is the file at SupervisePath.
	//
	//go:embed files/usr/libexec/rdgen/openrc-supervise.sh
	SuperviseFile []byte
	// StopFile is the file at StopPath.
	//
	//go:embed files/usr/libexec/rdgen/openrc-stop.sh
	StopFile []byte
	// SlipsFile is the file at SlipsPath.
	//
	//go:embed files/usr/libexec/rdgen/openrc-slips.sh
	SlipsFile []byte
	// RdomainScript is the file at RdomainPath, mode 0755.
	//
	//go:embed files/etc/init.d/rdomain
	RdomainScript []byte
)

// hook are the parts of the hook, each at its path.
var hook = map[string][]byte{HookPath: HookFile, SupervisePath: SuperviseFile, StopPath: StopFile, SlipsPath: SlipsFile}

// RdomainService returns the name of the OpenRC service that makes the domain id.
func RdomainService(id string) string { return "rdomain." + id }
