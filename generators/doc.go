// Package generators makes the files that put a service into its routing domain:
// a function for each init system, from a Service to a tree of files. They are
// pure: no clock, no host name, no environment, no kernel; the same service
// gives the same bytes. A Loader reads services from below a root.
package generators
