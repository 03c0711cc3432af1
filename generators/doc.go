// Package generators makes the files that put a service into its routing domain:
// a type of service for each init system, whose Files is a tree of files. It is
// pure: no clock, no host name, no environment, no kernel, no file that is read; the
// same service gives the same bytes. Package services reads the services.
package generators
