// Command bench measures the budgets of the design as ratios, each against its
// peer in the same run, alternating, and prints one table. It needs root (or
// unshare -Urnm), iproute2, a C compiler and what make fixtures unpacks, and works
// in a mount and network namespace of its own. What needs a kernel with VRF is
// listed as not measured here.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

var (
	runs  = flag.Int("runs", 300, "alternating `runs` of the small measurements; at least 200")
	large = flag.Int("large", 11, "alternating `runs` of 200 domains, which take seconds each")
)

const inside = "RDGEN_BENCH_INSIDE"

func main() {
	flag.Parse()
	if os.Getenv(inside) == "" {
		os.Exit(reexec())
	}
	dir, err := os.MkdirTemp("/tmp", "rdgen-bench-")
	if err == nil {
		err = bench(dir)
		os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: fatal:", err)
		os.Exit(1)
	}
}

// reexec runs this program again where it may mount and make namespaces
// without touching the machine.
func reexec() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: fatal:", err)
		return 1
	}
	return 0
}

func bench(dir string) error {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	if err := private(dir); err != nil {
		return err
	}
	for _, c := range []string{"peer", "nothing"} {
		if err := run("cc", "-O2", "-static", "-o", filepath.Join(dir, c), "test/bench/peer/"+c+".c"); err != nil {
			return err
		}
	}
	fmt.Printf("%d alternating runs (%d of 200 domains), medians; %d processors, Linux %s\n\n", *runs, *large, runtime.NumCPU(), release())
	fmt.Printf("| %-46s | %-34s | %9s | %9s | %6s | %6s | %s |\n", "what", "against", "ours", "peer's", "ratio", "budget", "")
	fmt.Printf("|%s|%s|%s|%s|%s|%s|---|\n", strings.Repeat("-", 48), strings.Repeat("-", 36), strings.Repeat("-", 11), strings.Repeat("-", 11), strings.Repeat("-", 8), strings.Repeat("-", 8))
	for _, measure := range []func(bin, dir string) error{enter, helper, up, generate, generator, services} {
		if err := measure(bin, dir); err != nil {
			return err
		}
	}
	fmt.Println("\nnot measured here: rdexec -v against ip vrf exec (needs a kernel with VRF)")
	return nil
}

// enter compares rdexec with what people write today and with the least that C
// can do.
func enter(bin, dir string) error {
	peer, nothing, rdexec := dir+"/peer", dir+"/nothing", bin+"/rdexec"
	for _, cmd := range [][]string{
		{"ip", "netns", "add", "plain"}, {"ip", "netns", "add", "files"}, {"mkdir", "-p", "/etc/netns/files"},
		{"cp", "/etc/resolv.conf", "/etc/hosts", "/etc/netns/files/"},
	} {
		if err := run(cmd...); err != nil {
			return err
		}
	}
	ip, err := exec.LookPath("ip")
	if err != nil {
		return err
	}
	for _, m := range []struct {
		what, against string
		ours, theirs  []string
		budget        float64
	}{
		{"rdexec -n, with /etc/netns files", "ip netns exec",
			[]string{rdexec, "-n", "files", "--", nothing}, []string{ip, "netns", "exec", "files", nothing}, 0.9},
		{"rdexec -n, no files", "ip netns exec",
			[]string{rdexec, "-n", "plain", "--", nothing}, []string{ip, "netns", "exec", "plain", nothing}, 0},
		{"rdexec -n, no files", "static C: setns, exec",
			[]string{rdexec, "-n", "plain", "--", nothing}, []string{peer, "enter", "plain", nothing}, 2.5},
	} {
		ours, theirs, err := alternate(*runs, spawn(m.ours), spawn(m.theirs))
		if err != nil {
			return err
		}
		row(m.what, m.against, ours, theirs, m.budget)
	}
	return nil
}

// helper weighs rdexec.
func helper(bin, dir string) error {
	info, err := os.Stat(bin + "/rdexec")
	if err != nil {
		return err
	}
	var kib []float64
	for range 21 {
		out, err := exec.Command(dir+"/peer", "rss", bin+"/rdexec", "-n", "files", "--", dir+"/nothing").Output()
		if err != nil {
			return fmt.Errorf("rss: %w", err)
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return err
		}
		kib = append(kib, n)
	}
	limit("rdexec: stripped size", "MB", float64(info.Size())/1e6, 2)
	limit("rdexec: peak RSS", "MiB", median(kib)/1024, 2.5)
	return nil
}

// private gives this process a /run and an /etc of its own.
func private(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	etc := dir + "/etc"
	if err := run("cp", "-a", "/etc", etc); err != nil {
		return err
	}
	if err := syscall.Mount(etc, "/etc", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("/etc: %w", err)
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("/run: %w", err)
	}
	return run("ip", "link", "set", "lo", "up")
}
