package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// rc is a machine of the tests of package openrc: an OpenRC that was unpacked by
// make fixtures, in namespaces of its own. It starts services when asked to, and
// says how much processor time that took: by the clock, a start takes a tenth of
// a second, and a busy host moves that by more than the budget.
type rc struct {
	ask    *os.File
	answer *bufio.Scanner
}

// scenario is what runs in the machine: start, measured, and stop.
const scenario = `PATH=/usr/sbin:/usr/bin:/sbin:/bin
ip netns add t1
exec 3>/out/answer
# used: the processor time of all children so far, in clock ticks
used() { read -r stat </proc/1/stat; set -- ${stat##*) }; used=$((${14} + ${15})); }
while read -r service; do
	used; a=$used
	rc-service "$service" start >/out/said 2>&1 || { tr '\n' ' ' </out/said; echo; } >&3
	used; b=$used
	# Debian's start-stop-daemon does not know the daemon before it has executed.
	until [ "/proc/$(cat "/run/$service.pid")/exe" -ef /bin/sleep ]; do :; done
	rc-service "$service" stop >/out/said 2>&1 || { tr '\n' ' ' </out/said; echo; } >&3
	echo $(((b - a) * 10000)) >&3
done </out/ask
`

func newRC(unpacked, dir string, files map[string]string) (*rc, error) {
	stage, out := filepath.Join(dir, "stage"), filepath.Join(dir, "out")
	files["etc/init.d/none"] = "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=1000\ncommand_background=yes\npidfile=/run/$RC_SVCNAME.pid\n"
	files["etc/init.d/domain"] = files["etc/init.d/none"]
	files["etc/conf.d/domain"] = "netns=t1\n"
	files["../out/scenario"] = scenario
	for path, text := range files {
		path = filepath.Join(stage, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return nil, err
		}
	}
	for _, fifo := range []string{"ask", "answer"} {
		if err := syscall.Mkfifo(filepath.Join(out, fifo), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("sh", "openrc/testdata/bed.sh", unpacked, stage, out)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	// Both ends are open before the other side opens its own, and stay so.
	ask, err := os.OpenFile(filepath.Join(out, "ask"), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	answer, err := os.OpenFile(filepath.Join(out, "answer"), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return &rc{ask, bufio.NewScanner(answer)}, nil
}

// start measures one start of the service, in microseconds. The kernel counts
// ticks of 10 ms, so only a mean says anything.
func (r *rc) start(service string) func() (float64, error) {
	return func() (float64, error) {
		if _, err := r.ask.WriteString(service + "\n"); err != nil {
			return 0, err
		}
		if !r.answer.Scan() {
			return 0, fmt.Errorf("rc-service %s: the machine ended", service)
		}
		return strconv.ParseFloat(r.answer.Text(), 64)
	}
}

// services compares rc-service start with and without rdgen, for a service
// without a domain and for one with.
func services(bin, dir string) error {
	unpacked := os.Getenv("RDGEN_OPENRC_ROOT")
	if _, err := os.Stat(filepath.Join(unpacked, "sbin/openrc-run")); unpacked == "" || err != nil {
		fmt.Println("| rc-service start | not measured: make fixtures has no OpenRC in $RDGEN_OPENRC_ROOT |")
		return nil
	}
	rdexec, err := os.ReadFile(bin + "/rdexec")
	if err != nil {
		return err
	}
	with := map[string]string{"usr/sbin/rdexec": string(rdexec)}
	for _, file := range []string{"etc/rc.conf.d/50-rdgen.conf", "usr/libexec/rdgen/openrc.sh", "usr/libexec/rdgen/openrc-enter.sh", "usr/libexec/rdgen/openrc-stop.sh", "usr/libexec/rdgen/openrc-slips.sh",
		"usr/libexec/rdgen/openrc-supervise.sh", "etc/init.d/rdomain"} {
		text, err := os.ReadFile("openrc/files/" + file)
		if err != nil {
			return err
		}
		with[file] = string(text)
	}
	a, err := newRC(unpacked, dir+"/with", with)
	if err != nil {
		return err
	}
	b, err := newRC(unpacked, dir+"/without", map[string]string{})
	if err != nil {
		return err
	}
	n := max(50, *runs/2)
	ours, theirs, err := alternate(n, a.start("none"), b.start("none"))
	if err != nil {
		return err
	}
	row("rc-service start, a service without a domain", "the same without rdgen", mean(ours), mean(theirs), 1.02)
	ours, theirs, err = alternate(n, a.start("domain"), b.start("none"))
	if err != nil {
		return err
	}
	row("rc-service start, one with netns=", "without a domain and rdgen", mean(ours), mean(theirs), 0)
	return nil
}

// mean is the mean of v, as a list that row takes.
func mean(v []float64) []float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return []float64{sum / float64(len(v))}
}
