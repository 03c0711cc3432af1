package openrc

import (
	_ "embed"

	"rdgen/installed"
)

// The files that rdgen installs as they are, each at its own path.
const (
	// InitDir is the folder of OpenRC's init scripts, with its last slash.
	InitDir = "/etc/init.d/"
	// ConfPath is read by OpenRC for every service, and sources HookPath.
	ConfPath = "/etc/rc.conf.d/50-rdgen.conf"
	// RdomainPath is the init script of the domains. It is executable, and each
	// domain is a link to it, RdomainService(ID).
	RdomainPath = "/etc/init.d/rdomain"
	// StateDir is where OpenRC notes what runs, with its last slash (RC_SVCDIR).
	StateDir = "/run/openrc/"
	// WatchPath is the init script of rdomain watch.
	WatchPath = "/etc/init.d/rdomain-watch"
	// LSBPath is read by each script that reads /lib/lsb/init-functions of Debian, and
	// has those with a conf.d executed by openrc-run.
	LSBPath = "/usr/lib/lsb/init-functions.d/50-rdgen"
)

var (
	// HookPath is the shell code that enters a service's domain. The line that
	// WithLine adds to a script sources it too.
	HookPath = installed.Libexec() + "/openrc.sh"
	// EnterPath is the part of it by which a service gets into its domain.
	EnterPath = installed.Libexec() + "/openrc-enter.sh"
	// SupervisePath is the part of it that is read for a supervised service.
	SupervisePath = installed.Libexec() + "/openrc-supervise.sh"
	// StopPath is the part of it that is read when a service is stopped.
	StopPath = installed.Libexec() + "/openrc-stop.sh"
	// SlipsPath is the part of it that searches conf.d for mistakes.
	SlipsPath = installed.Libexec() + "/openrc-slips.sh"
)

// As they are in the sources.
var (
	//go:embed files/etc/rc.conf.d/50-rdgen.conf
	confFile []byte
	//go:embed files/usr/libexec/rdgen/openrc.sh
	hookFile []byte
	//go:embed files/usr/libexec/rdgen/openrc-enter.sh
	enterFile []byte
	//go:embed files/usr/libexec/rdgen/openrc-supervise.sh
	superviseFile []byte
	//go:embed files/usr/libexec/rdgen/openrc-stop.sh
	stopFile []byte
	//go:embed files/usr/libexec/rdgen/openrc-slips.sh
	slipsFile []byte
	//go:embed files/etc/init.d/rdomain
	rdomainScript []byte
	//go:embed files/etc/init.d/rdomain-watch
	watchScript []byte
	//go:embed files/usr/lib/lsb/init-functions.d/50-rdgen
	lsbFile []byte
)

// shipped returns the files that rdgen installs, each by its path, with the paths
// that it names on this target.
func shipped() map[string][]byte {
	files := map[string][]byte{ConfPath: confFile, HookPath: hookFile, EnterPath: enterFile, SupervisePath: superviseFile, StopPath: stopFile, SlipsPath: slipsFile,
		RdomainPath: rdomainScript, WatchPath: watchScript, LSBPath: lsbFile}
	for path, text := range files {
		files[path] = installed.At(text)
	}
	return files
}

// RdomainScript returns the file at RdomainPath, mode 0755.
func RdomainScript() []byte { return installed.At(rdomainScript) }

// RdomainService returns the name of the OpenRC service that makes the domain id.
func RdomainService(id string) string { return "rdomain." + id }
