package bpf

import "golang.org/x/sys/unix"

// Insn is one instruction, struct bpf_insn of include/uapi/linux/bpf.h.
type Insn struct {
	Op uint8
	// regs is source<<4 | destination. On a big-endian machine the halves are the
	// other way round; there the verifier refuses the program, and nothing is bound.
	regs uint8
	Off  int16
	Imm  int32
}

// Dst is the register that the instruction changes or looks at.
func (i Insn) Dst() Reg { return Reg(i.regs & 0xf) }

// Src is the register that it reads.
func (i Insn) Src() Reg { return Reg(i.regs >> 4) }

// Reg is a register. A program finds its context in R1 and answers in R0.
type Reg uint8

// The registers that the programs here use.
const (
	R0 Reg = iota
	R1
	R2
	R3
	R4
	R5
	R6 // R6 to R9 are kept by a call, R1 to R5 are not
	R7
	R8
	R9
	R10 // the end of the stack
)

// The operations that a program is made of which binds to a constant
// (Documentation/bpf/standardization/instruction-set.rst of the kernel).
const (
	OpMovImm       = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K // dst = imm
	OpMovReg       = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X // dst = src
	OpOrImm        = unix.BPF_ALU | unix.BPF_OR | unix.BPF_K    // dst |= imm, 32 bits
	OpLoad32       = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W   // dst = *(u32 *)(src + off)
	OpLoad16       = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_H   // dst = *(u16 *)(src + off)
	OpStore32      = unix.BPF_STX | unix.BPF_MEM | unix.BPF_W   // *(u32 *)(dst + off) = src
	OpJumpEqual    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K   // if dst == imm goto +off
	OpJumpNotEqual = unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K   // if dst != imm goto +off
	OpJumpGreater  = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K   // if dst > imm goto +off
	OpExit         = unix.BPF_JMP | unix.BPF_EXIT               // return r0
)

// The operations that other programs use besides.
const (
	opAddImm     = unix.BPF_ALU64 | unix.BPF_ADD | unix.BPF_K  // dst += imm
	opAddReg     = unix.BPF_ALU64 | unix.BPF_ADD | unix.BPF_X  // dst += src
	opSubReg     = unix.BPF_ALU64 | unix.BPF_SUB | unix.BPF_X  // dst -= src
	opAndImm     = unix.BPF_ALU64 | unix.BPF_AND | unix.BPF_K  // dst &= imm
	opShiftImm   = unix.BPF_ALU64 | unix.BPF_LSH | unix.BPF_K  // dst <<= imm
	opLoad64     = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_DW   // dst = *(u64 *)(src + off)
	opStore64    = unix.BPF_STX | unix.BPF_MEM | unix.BPF_DW   // *(u64 *)(dst + off) = src
	opLoadMap    = unix.BPF_LD | unix.BPF_IMM | unix.BPF_DW    // dst = a map; two instructions
	opJump       = unix.BPF_JMP | unix.BPF_JA                  // goto +off
	opJumpSame   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X    // if dst == src goto +off
	opJumpBeyond = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_X    // if dst > src goto +off
	opNot        = unix.BPF_ALU64 | unix.BPF_XOR | unix.BPF_K  // dst ^= imm, here -1
	opCount32    = unix.BPF_STX | unix.BPF_ATOMIC | unix.BPF_W // *(u32 *)(dst + off) += src, in one step
	opCall       = unix.BPF_JMP | unix.BPF_CALL                // r0 = helper(r1, ... r5)
)

// helper is a function of the kernel that a program can call, by its number in
// include/uapi/linux/bpf.h.
type helper int32

const (
	mapLookup      helper = 1
	skFullsock     helper = 95
	skStorageGet   helper = 107
	probeRead      helper = 113 // Linux 5.5; it needs CAP_PERFMON
	getNetnsCookie helper = 122 // Linux 5.7
	currentTask    helper = 158 // Linux 5.11; it needs CAP_PERFMON, as does the next
	taskRegs       helper = 175 // Linux 5.15
)

func movReg(dst, src Reg) Insn          { return Insn{Op: OpMovReg, regs: regs(dst, src)} }
func addImm(dst Reg, imm int32) Insn    { return Insn{Op: opAddImm, regs: regs(dst, 0), Imm: imm} }
func addReg(dst, src Reg) Insn          { return Insn{Op: opAddReg, regs: regs(dst, src)} }
func subReg(dst, src Reg) Insn          { return Insn{Op: opSubReg, regs: regs(dst, src)} }
func andImm(dst Reg, imm int32) Insn    { return Insn{Op: opAndImm, regs: regs(dst, 0), Imm: imm} }
func shiftImm(dst Reg, imm int32) Insn  { return Insn{Op: opShiftImm, regs: regs(dst, 0), Imm: imm} }
func load64(dst, src Reg, o int16) Insn { return Insn{Op: opLoad64, regs: regs(dst, src), Off: o} }
func store64(dst Reg, o int16, src Reg) Insn {
	return Insn{Op: opStore64, regs: regs(dst, src), Off: o}
}
func not(dst Reg) Insn             { return Insn{Op: opNot, regs: regs(dst, 0), Imm: -1} }
func count32(dst, src Reg) Insn    { return Insn{Op: opCount32, regs: regs(dst, src), Imm: unix.BPF_ADD} }
func loadMap(dst Reg, fd int) Insn { return Insn{Op: opLoadMap, regs: regs(dst, 1), Imm: int32(fd)} }
func call(h helper) Insn           { return Insn{Op: opCall, Imm: int32(h)} }
func jump() Insn                   { return Insn{Op: opJump} }
func jumpSame(a, b Reg) Insn       { return Insn{Op: opJumpSame, regs: regs(a, b)} }
func jumpBeyond(a, b Reg) Insn     { return Insn{Op: opJumpBeyond, regs: regs(a, b)} }

// line is an instruction of a program that is written with labels, or a label.
type line struct {
	label string // "", or the name of the place before the next instruction
	to    string // "", or the label that a jump goes to
	insn  Insn
	field field // none, or the field of the kernel whose offset the number of insn is
}

// at, is and to make lines.
func at(label string) line         { return line{label: label} }
func is(i Insn) line               { return line{insn: i} }
func to(label string, i Insn) line { return line{to: label, insn: i} }

// offset is an instruction whose number is the offset of a field of the kernel's
// memory. The kernel puts it in when the program is loaded.
func offset(f field, i Insn) line { return line{insn: i, field: f} }

// assemble turns lines into a program. It panics for a jump to nowhere.
func assemble(name string, hook Hook, parts ...[]line) Program {
	places := map[string]int{}
	var insns []Insn
	var jumps []string
	var fields []relocation
	for _, part := range parts {
		for _, l := range part {
			if l.label != "" {
				places[l.label] = len(insns)
				continue
			}
			if l.field != noField {
				fields = append(fields, relocation{len(insns), l.field})
			}
			insns, jumps = append(insns, l.insn), append(jumps, l.to)
			if l.insn.Op == opLoadMap {
				insns, jumps = append(insns, Insn{}), append(jumps, "")
			}
		}
	}
	for i, label := range jumps {
		if label == "" {
			continue
		}
		place, ok := places[label]
		if !ok {
			panic("bpf: no label " + label)
		}
		insns[i].Off = int16(place - i - 1)
	}
	return Program{Name: name, Hook: hook, Insns: insns, fields: fields}
}

// MovImm is dst = imm.
func MovImm(dst Reg, imm int32) Insn { return Insn{Op: OpMovImm, regs: regs(dst, 0), Imm: imm} }

// OrImm is dst |= imm, in the lower 32 bits; the upper ones become 0.
func OrImm(dst Reg, imm int32) Insn { return Insn{Op: OpOrImm, regs: regs(dst, 0), Imm: imm} }

// Load32 is dst = *(u32 *)(src + off).
func Load32(dst, src Reg, off int16) Insn {
	return Insn{Op: OpLoad32, regs: regs(dst, src), Off: off}
}

// Store32 is *(u32 *)(dst + off) = src.
func Store32(dst Reg, off int16, src Reg) Insn {
	return Insn{Op: OpStore32, regs: regs(dst, src), Off: off}
}

// JumpEqual skips the next skip instructions if r == imm.
func JumpEqual(r Reg, imm int32, skip int16) Insn {
	return Insn{Op: OpJumpEqual, regs: regs(r, 0), Off: skip, Imm: imm}
}

// JumpNotEqual skips the next skip instructions if r != imm.
func JumpNotEqual(r Reg, imm int32, skip int16) Insn {
	return Insn{Op: OpJumpNotEqual, regs: regs(r, 0), Off: skip, Imm: imm}
}

// JumpGreater skips the next skip instructions if r > imm, without signs.
func JumpGreater(r Reg, imm int32, skip int16) Insn {
	return Insn{Op: OpJumpGreater, regs: regs(r, 0), Off: skip, Imm: imm}
}

// Exit ends the program; its answer is in R0.
func Exit() Insn { return Insn{Op: OpExit} }

func regs(dst, src Reg) uint8 { return uint8(src)<<4 | uint8(dst) }
