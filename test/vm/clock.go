package vm

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var (
	hypervisor = regexp.MustCompile(`(?m)^flags\s*:.* hypervisor( |$)`)
	megahertz  = regexp.MustCompile(`(?m)^cpu MHz\s*:\s*([0-9.]+)$`)
)

// clock returns words for a guest's kernel that say how fast its clock is: QEMU gives it the
// time stamp counter of the host. A guest that measures it at boot, on a busy host, may be wrong:
// one had 179 MHz of 2596, and its clock ran 14 times too fast, in all machines that began with
// what it had booted. A host that is a virtual machine itself, without a governor, has the
// frequency in /proc/cpuinfo; elsewhere the guest's own watchdog is left to see what is wrong.
func clock() string {
	if _, err := os.Stat("/sys/devices/system/cpu/cpu0/cpufreq"); err == nil {
		return ""
	}
	text, _ := os.ReadFile("/proc/cpuinfo")
	return clockOf(string(text))
}

func clockOf(cpuinfo string) string {
	m := megahertz.FindStringSubmatch(cpuinfo)
	if m == nil || !hypervisor.MatchString(cpuinfo) {
		return ""
	}
	mhz, err := strconv.ParseFloat(m[1], 64)
	if err != nil || mhz < 100 {
		return ""
	}
	return fmt.Sprintf(" nowatchdog tsc=reliable tsc_early_khz=%.0f", mhz*1000)
}
