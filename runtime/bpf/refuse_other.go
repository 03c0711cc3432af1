//go:build !amd64

package bpf

const calls32 = false
