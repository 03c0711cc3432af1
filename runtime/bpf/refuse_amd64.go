package bpf

// calls32: any process may make calls of 32 bits.
const calls32 = true
