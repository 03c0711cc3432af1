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
