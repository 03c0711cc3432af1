package identify

import (
	"fmt"

	"rdgen/runtime/bpf"
)

// program is what one cgroup program does to a new socket.
type program struct {
	id   uint32
	name string
	// ifindex is the link that it binds the socket to, 0 if it is not known or it
	// binds to none.
	ifindex uint32
	// keep: a socket that is bound already keeps its binding.
	keep bool
	// known is false if its instructions are not understood.
	known bool
}

// effective returns the programs that the kernel runs when a process in the
// cgroup, an open directory of a cgroup2 mount, makes a socket; in the order in
// which they run.
func effective(cgroup int) ([]program, error) {
	fds, err := bpf.SockCreate.Effective(cgroup)
	if err != nil {
		return nil, fmt.Errorf("programs of the cgroup: %w", err)
	}
	defer bpf.Close(fds)
	var programs []program
	for _, fd := range fds {
		info, err := bpf.Read(fd)
		if err != nil {
			return nil, fmt.Errorf("information on a program: %w", err)
		}
		p := program{id: info.ID, name: info.Name}
		p.ifindex, p.keep, p.known = understand(info.Insns)
		p.known = p.known || info.Name == bpf.HomeName // it notes a binding, and changes none
		programs = append(programs, p)
	}
	return programs, nil
}

// bound returns the ifindex that a socket ends up bound to after the programs
// ran, 0 for none. ok is false if one of them, not understood, may have had the
// last word.
func bound(programs []program) (ifindex uint32, ok bool) {
	ok = true
	for _, p := range programs {
		switch {
		case !p.known:
			ok = false
		case !p.keep && p.ifindex != 0:
			ifindex, ok = p.ifindex, true // the last write wins
		case p.keep && ifindex == 0:
			ifindex = p.ifindex
		}
	}
	return ifindex, ok
}

// understand follows a program that stores at most one constant into its
// context, up to where it allows the socket. A program may refuse some protocols
// before, and set bits of a field that it has read. Anything else it does not know.
func understand(insns []bpf.Insn) (ifindex uint32, keep, ok bool) {
	constant := map[bpf.Reg]uint32{}
	context := map[bpf.Reg]bool{bpf.R1: true}
	flagged := map[bpf.Reg]bool{} // holds what was read, and some bits more
	stored, branched := false, false
	for _, insn := range insns {
		dst, src := insn.Dst(), insn.Src()
		switch insn.Op {
		case bpf.OpMovImm:
			constant[dst] = uint32(insn.Imm)
			delete(context, dst)
			delete(flagged, dst)
		case bpf.OpMovReg:
			delete(constant, dst)
			if c, known := constant[src]; known {
				constant[dst] = c
			}
			context[dst], flagged[dst] = context[src], flagged[src]
		case bpf.OpLoad32, bpf.OpLoad16:
			if !context[src] {
				return 0, false, false
			}
			delete(constant, dst)
			delete(context, dst)
			delete(flagged, dst)
		case bpf.OpOrImm:
			if _, known := constant[dst]; known || context[dst] {
				return 0, false, false
			}
			flagged[dst] = true
		case bpf.OpJumpGreater:
			if stored || keep {
				return 0, false, false
			}
		case bpf.OpJumpNotEqual:
			keep = true
			if insn.Imm != 0 || stored {
				return 0, false, false
			}
		case bpf.OpJumpEqual: // of rdexec's guard: what follows sets bits alone
			if stored || keep {
				return 0, false, false
			}
			branched = true
		case bpf.OpStore32:
			if context[dst] && flagged[src] && (stored || branched) {
				continue
			}
			value, known := constant[src]
			if !context[dst] || !known || stored || branched {
				return 0, false, false
			}
			ifindex, stored = value, true
		case bpf.OpExit:
			return ifindex, keep && stored, true
		default:
			return 0, false, false
		}
	}
	return 0, false, false
}
