// Package s6 holds the tests that run what rdgen makes by the s6, and where there
// is one by the s6-rc, of the machine that builds: in a private mount and network
// namespace, so without VRFs where its kernel has none. The test machines (test/vm)
// have every release's s6, and VRFs, but no s6-rc.
package s6
