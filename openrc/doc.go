// Package openrc reads the conf.d files and init scripts of OpenRC services,
// and holds the shell files that rdgen installs for OpenRC as they are.
//
// conf.d files and init scripts are POSIX shell, and a value that is read
// wrongly puts a service into the wrong routing domain. So the reader parses
// them with a shell parser and is certain of a value, or returns an Error with
// the line that it cannot be certain of. Certain means that dash and busybox
// ash, which run these files on real systems, both come to the same value.
//
// What it cannot be certain of is in doubt. A doubt is the error that Lookup would
// return: the place that only a shell can follow. It covers one of these:
//
//	what                          set by      until
//	one variable                  doubtVar    it is assigned again
//	every variable                doubtAll    it is assigned again (shell.allDoubt)
//	all that follows              doubtRest   the end: it may not be reached (shell.restDoubt)
//	a name that may be a function source      the end (shell.foreignFuncs)
//	whether the shell goes on     mayEnd      the end; values stay certain, as nothing starts then
//
// run follows statements that are surely reached. runMaybe walks over those that may
// be (a branch, a loop, a function that something may call) and calls doubtVar for each
// variable that they may assign.
package openrc
