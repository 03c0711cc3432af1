package vm

import "testing"

func TestClockOf(t *testing.T) {
	const flags = "flags\t\t: fpu vme hypervisor lahf_lm\n"
	for text, want := range map[string]string{
		flags + "cpu MHz\t\t: 2596.098\n":             " nowatchdog tsc=reliable tsc_early_khz=2596098",
		"flags\t\t: fpu vme\ncpu MHz\t\t: 1399.973\n": "",
		flags:                          "",
		flags + "cpu MHz\t\t: 0.000\n": "",
		"processor\t: 0\n" + "cpu MHz\t\t: 3000.000\n" + flags + "\n\n": " nowatchdog tsc=reliable tsc_early_khz=3000000",
	} {
		if got := clockOf(text); got != want {
			t.Errorf("of %q the guest is told %q; want %q", text, got, want)
		}
	}
}
