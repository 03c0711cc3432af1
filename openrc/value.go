package openrc

import "rdgen/problem"

// Value is what a variable holds, and the line that assigned it.
type Value struct {
	Text string
	Pos  problem.Pos
}
