//go:build !riscv64

package main

import "golang.org/x/sys/unix"

// riscv64 has renameat2 alone.
func init() { changes[unix.SYS_RENAMEAT] = true }
