// Package installed says where the parts of rdgen are on the target. It is the one
// home of those paths: a package that has others sets them when it links (see
// Makefile), and every file and message that names one follows.
package installed

import "strings"

// The paths of the files in the sources, which are also the usual ones.
const (
	usualSbin    = "/usr/sbin"
	usualLibexec = "/usr/libexec"
)

// Set by the linker (-X), so each is a plain string: absolute, without a slash at
// its end, of letters, digits and ._+/- alone, as the Makefile sees to.
var (
	sbin    = "/usr/sbin"
	libexec = "/usr/libexec"
)

// Rdexec returns the path of the program rdexec.
func Rdexec() string { return sbin + "/rdexec" }

// Rdomain returns the path of the program rdomain.
func Rdomain() string { return sbin + "/rdomain" }

// RdomainExec returns the file that sudo, doas and pkexec run for users.
func RdomainExec() string { return libexec + "/rdomain-exec" }

// Libexec returns the folder of the shell files that rdgen has for itself.
func Libexec() string { return libexec + "/rdgen" }

// At returns a file of the sources with the paths that it has on the target. The
// Makefile does the same to the files that it installs.
func At(text []byte) []byte {
	return []byte(strings.NewReplacer(
		usualSbin+"/rdexec", Rdexec(), usualSbin+"/rdomain", Rdomain(), usualLibexec+"/rdgen", Libexec(),
	).Replace(string(text)))
}
