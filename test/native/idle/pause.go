//go:build !amd64

package main

import "syscall"

// pause waits for a signal. The limit of open files is not what it was.
func pause() { syscall.Pause() }
