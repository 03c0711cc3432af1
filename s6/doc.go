// Package s6 is the format of s6-rc's source directories as data: one directory
// for each service, a few small files in it (s6-rc-compile, "Source definition
// directories"). It knows names, file names and what each file may hold, and
// nothing of domains.
package s6
