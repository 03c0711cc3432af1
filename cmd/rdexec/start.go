package main

import _ "unsafe" // for go:linkname

// The kernel hands arguments and environment to the Go runtime, which hands
// them on to packages os and syscall through these two functions. Package os
// is not linked, and syscall.Environ drops variables that are set twice; the
// program gets what we got. The runtime marks both as open to go:linkname, and
// if a later Go takes them away the build fails, not the program. (A function
// without a body needs a file *.s in the package.)

//go:linkname argv os.runtime_args
func argv() []string

//go:linkname environ syscall.runtime_envs
func environ() []string
