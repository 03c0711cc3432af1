// Package openrc reads the conf.d files and init scripts of OpenRC services,
// and holds the shell files that rdgen installs for OpenRC as they are.
//
// conf.d files and init scripts are POSIX shell, and a value that is read
// wrongly puts a service into the wrong routing domain. So the reader parses
// them with a shell parser and is certain of a value, or returns an Error with
// the line that it cannot be certain of. Certain means that dash and busybox
// ash, which run these files on real systems, both come to the same value.
package openrc
