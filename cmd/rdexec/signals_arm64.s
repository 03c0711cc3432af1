// See signals_amd64.s.

//go:build !race && !msan && !asan

#include "textflag.h"

DATA _cgo_sigaction+0(SB)/8, $·keepSignals(SB)
GLOBL _cgo_sigaction(SB), NOPTR, $8

TEXT ·keepSignals(SB), NOSPLIT|NOFRAME, $0-0
	MOVW	$0, R0
	RET
