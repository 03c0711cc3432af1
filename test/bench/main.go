// Command bench measures the budgets of the design as ratios, each against its
// peer in the same run, alternating, and prints one table. It needs root (or
// unshare -Urnm), iproute2, a C compiler and what make fixtures unpacks, and works
// in a mount and network namespace of its own. What needs a kernel with VRF is
// listed as not measured here.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
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

// up makes domains with a veth pair, two addresses and a route each.
func up(bin, dir string) error {
	os.MkdirAll("/etc/rdomain", 0o755)
	var last float64
	for _, n := range []int{200, 800} {
		var names []string
		var ip, down strings.Builder
		ip.WriteString("set -e\n")
		for i := range n {
			name, net := fmt.Sprintf("d%d", i), fmt.Sprintf("10.%d.%d", 100+i/250, i%250)
			names = append(names, name)
			conf := fmt.Sprintf("[Domain]\nKind=netns\n\n[Link veth0]\nKind=veth\nPeer=o%d\nAddress=%s.2/30\nPeerAddress=%s.1/30\n\n"+
				"[Route]\nDestination=default\nGateway=%s.1\n", i, net, net, net)
			if err := os.WriteFile("/etc/rdomain/"+name+".conf", []byte(conf), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(&ip, `ip netns add %[1]s
ip -n %[1]s link set lo up
ip link add o%[2]d type veth peer name veth0 netns %[1]s
ip -n %[1]s address add %[3]s.2/30 dev veth0
ip -n %[1]s link set veth0 up
ip address add %[3]s.1/30 dev o%[2]d
ip link set o%[2]d up
ip -n %[1]s route add default via %[3]s.1
`, name, i, net)
			fmt.Fprintf(&down, "ip netns del %s\n", name)
		}
		script := dir + "/up.sh"
		if err := os.WriteFile(script, []byte(ip.String()), 0o755); err != nil {
			return err
		}
		after := func(argv ...string) func() error {
			return func() error {
				if err := run(argv...); err != nil {
					return err
				}
				return noLinks("o")
			}
		}
		ours := timed(append([]string{bin + "/rdomain", "up"}, names...), after(append([]string{bin + "/rdomain", "down"}, names...)...))
		if n > 200 {
			a, _, err := alternate(3, ours, func() (float64, error) { return 0, nil })
			if err != nil {
				return err
			}
			row("rdomain up: 800 domains", "4 x the time for 200", a, []float64{4 * last}, 1.2)
			continue
		}
		a, b, err := alternate(*large, ours, timed([]string{"sh", script}, after("sh", "-c", down.String())))
		if err != nil {
			return err
		}
		row("rdomain up: 200 domains, veth, addresses, route", "a script of ip commands", a, b, 0.25)
		last = median(a)
	}
	return nil
}

// noLinks waits until the kernel has taken down every link that starts with
// prefix: it does so after the command that deleted its namespace has returned.
func noLinks(prefix string) error {
	for range 3000 {
		entries, err := os.ReadDir("/proc/sys/net/ipv4/conf")
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
			_, err := strconv.Atoi(strings.TrimPrefix(e.Name(), prefix))
			return strings.HasPrefix(e.Name(), prefix) && err == nil
		}) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("links %s* are still there", prefix)
}

// generate is rdgen --all for another machine's files.
func generate(bin, dir string) error {
	var last float64
	for _, n := range []int{1000, 10000} {
		root := fmt.Sprintf("%s/root%d", dir, n)
		if err := field(root, n); err != nil {
			return err
		}
		ours := timed([]string{bin + "/rdgen", "systemd", "--all", "--root", root}, nil)
		if n == 1000 {
			a, b, err := alternate(*runs, ours, timed(sourcing(root), nil))
			if err != nil {
				return err
			}
			row("rdgen systemd --all, 1,000 services", "dash sourcing each in a subshell", a, b, 0.2)
			last = median(a)
			continue
		}
		a, _, err := alternate(3, ours, func() (float64, error) { return 0, nil })
		if err != nil {
			return err
		}
		row("rdgen systemd --all, 10,000 services", "10 x the time for 1,000", a, []float64{10 * last}, 1.2)
	}
	return nil
}

// generator is rdgen as systemd runs it at boot and at each daemon-reload, on this
// machine's own files, which are this process's own.
func generator(bin, dir string) error {
	if err := field("", 1000); err != nil {
		return err
	}
	out := dir + "/generated"
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	a, b, err := alternate(*runs, timed([]string{bin + "/rdgen", out, out, out}, nil), timed(sourcing(""), nil))
	if err != nil {
		return err
	}
	made, err := filepath.Glob(out + "/s*.service.d")
	if err != nil || len(made) != 1000 {
		return fmt.Errorf("the generator made the drop-ins of %d services (%v)", len(made), err)
	}
	row("systemd's generator, 1,000 services", "dash sourcing each in a subshell", a, b, 0)
	return os.RemoveAll("/etc/conf.d")
}

// field makes n services below root, whose conf.d files are as they are in the
// field, most with a comment and a variable of their own besides the domain.
func field(root string, n int) error {
	for _, d := range []string{"/etc/conf.d", "/etc/systemd/system"} {
		if err := os.MkdirAll(root+d, 0o755); err != nil {
			return err
		}
	}
	for i := range n {
		conf := fmt.Sprintf("# options of service %d\n: ${s%d_opts:=-D}\nCOMMAND_ARGS=\"-p %d $s%d_opts\"\nnetns=tenant%d\n", i, i, i, i, i%50)
		unit := fmt.Sprintf("[Unit]\nDescription=service %d\n\n[Service]\nExecStart=/usr/sbin/s%d -D\n", i, i)
		err := os.WriteFile(fmt.Sprintf("%s/etc/conf.d/s%d", root, i), []byte(conf), 0o644)
		if err == nil {
			err = os.WriteFile(fmt.Sprintf("%s/etc/systemd/system/s%d.service", root, i), []byte(unit), 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sourcing is what a shell does at the least to read the same.
func sourcing(root string) []string {
	return []string{"dash", "-c", "for f in " + root + `/etc/conf.d/s*; do (. "$f"; echo "${f##*/} $vrf $netns"); done`}
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

// alternate runs a and b in turn, n times each after one warming run, and
// returns their times in microseconds.
func alternate(n int, a, b func() (float64, error)) (as, bs []float64, err error) {
	for i := range n + 1 {
		ta, err := a()
		if err != nil {
			return nil, nil, err
		}
		tb, err := b()
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			as, bs = append(as, ta), append(bs, tb)
		}
	}
	return as, bs, nil
}

// spawn measures argv from its start to its end without a pipe in between.
func spawn(argv []string) func() (float64, error) {
	return func() (float64, error) {
		start := time.Now()
		p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}})
		if err != nil {
			return 0, err
		}
		state, err := p.Wait()
		took := time.Since(start)
		if err != nil || !state.Success() {
			return 0, fmt.Errorf("%s: %v %v", strings.Join(argv, " "), state, err)
		}
		return float64(took) / 1e3, nil
	}
}

// timed measures argv, whose output is dropped, and then cleans up unmeasured.
func timed(argv []string, cleanup func() error) func() (float64, error) {
	return func() (float64, error) {
		var stderr bytes.Buffer
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stderr = &stderr
		start := time.Now()
		err := cmd.Run()
		took := time.Since(start)
		if err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", argv[0], err, stderr.String())
		}
		if cleanup != nil {
			err = cleanup()
		}
		return float64(took) / 1e3, err
	}
}

func run(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(len(argv), 4)], " "), err, out)
	}
	return nil
}

func row(what, against string, ours, theirs []float64, budget float64) {
	a, b := median(ours), median(theirs)
	verdict, limit := "", ""
	if budget > 0 {
		limit, verdict = fmt.Sprintf("%.2f", budget), "met"
		if a/b > budget {
			verdict = "NOT MET"
		}
	}
	fmt.Printf("| %-46s | %-34s | %6.2f ms | %6.2f ms | %6.2f | %6s | %s |\n", what, against, a/1e3, b/1e3, a/b, limit, verdict)
}

func limit(what, unit string, value, budget float64) {
	verdict := "met"
	if value > budget {
		verdict = "NOT MET"
	}
	fmt.Printf("| %-46s | %-34s | %6.2f %-2s |           |        | %6.2f | %s |\n", what, "", value, unit, budget, verdict)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func release() string {
	data, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(data))
}
