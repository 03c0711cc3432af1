package main

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is one of /proc, where dir is its folder.
type process struct {
	out io.Writer
	pid int
	dir string
}

func (p process) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p process) read(name string) (string, error) {
	data, err := os.ReadFile(p.dir + "/" + name)
	return string(data), err
}

// stat is the line of that name from the state on, which stands behind the program's name
// in brackets: field 3 of proc_pid_stat(5) is the first here.
func (p process) stat() ([]string, error) {
	text, err := p.read("stat")
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if err == nil && len(fields) < 40 {
		err = fmt.Errorf("%s/stat: %q", p.dir, text)
	}
	return fields, err
}

// executed waits for a process that is executed just now: its program is seen before its
// arguments, and those before its variables. One that waits for something has them all. On a
// busy machine one of the policy idle may get no processor for long.
func (p process) executed() error {
	for try := range 400 {
		cmdline, err := p.read("cmdline")
		if err != nil {
			return err
		}
		stat, err := p.stat()
		if err != nil {
			return err
		}
		if strings.Trim(cmdline, "\x00") != "" && stat[0] == "S" {
			return nil
		}
		if time.Sleep(5 * time.Millisecond); try > 100 {
			time.Sleep(500 * time.Millisecond)
		}
	}
	return errors.New("it is still being executed, or runs")
}

func (p process) argv() error {
	text, err := p.read("cmdline")
	p.say("argv: %s", strings.ReplaceAll(text, "\x00", "|"))
	return err
}

var credentials = regexp.MustCompile(`(?m)^(?:Uid|Gid|Umask|Cap...|NoNewPrivs):.*$`)

// status says who the process is, and what it may. Of groups all count: the group, and the
// supplementary ones.
func (p process) status() error {
	text, err := p.read("status")
	if err != nil {
		return err
	}
	for _, line := range credentials.FindAllString(text, -1) {
		p.say("%s", line)
	}
	var groups []int
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		switch name {
		case "Gid":
			fields = fields[len(fields)-1:]
		case "Groups":
		default:
			continue
		}
		for _, f := range fields {
			gid, err := strconv.Atoi(f)
			if err != nil {
				return err
			}
			groups = append(groups, gid)
		}
	}
	slices.Sort(groups)
	p.say("groups: %s", strings.Trim(fmt.Sprint(slices.Compact(groups)), "[]"))
	return nil
}

func (p process) cwd() error {
	to, err := os.Readlink(p.dir + "/cwd")
	p.say("cwd: %s", to)
	return err
}

// environ prints each line of each variable, sorted by bytes.
func (p process) environ() error {
	text, err := p.read("environ")
	if text == "" {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\x00", "\n"), "\n"), "\n")
	slices.Sort(lines)
	for _, line := range lines {
		p.say("env: %s", line)
	}
	return err
}

func (p process) limits() error {
	text, err := p.read("limits")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Max ") {
			p.say("%s", strings.TrimSuffix(line, "\n"))
		}
	}
	return err
}

func (p process) nice() error {
	fields, err := p.stat()
	if err == nil {
		p.say("nice: %s", fields[19-3])
	}
	return err
}

// io is the class and the priority of input and output, in the words of ionice(1), which
// says no priority of the class idle.
func (p process) io() error {
	const whoProcess, classBits = 1, 13
	value, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, whoProcess, uintptr(p.pid), 0)
	if errno != 0 {
		return fmt.Errorf("ioprio_get: %w", errno)
	}
	priority := value & (1<<classBits - 1)
	switch class := value >> classBits; class {
	case 0:
		p.say("io: none: prio %d", priority)
	case 1:
		p.say("io: realtime: prio %d", priority)
	case 2:
		p.say("io: best-effort: prio %d", priority)
	case 3:
		p.say("io: idle")
	default:
		p.say("io: class %d: prio %d", class, priority)
	}
	return nil
}

// policy is how the process is scheduled, in the words of chrt(1).
func (p process) policy() error {
	a, err := unix.SchedGetAttr(p.pid, 0)
	if err != nil {
		return fmt.Errorf("sched_getattr: %w", err)
	}
	names := map[uint32]string{
		unix.SCHED_NORMAL: "SCHED_OTHER", unix.SCHED_FIFO: "SCHED_FIFO", unix.SCHED_RR: "SCHED_RR",
		unix.SCHED_BATCH: "SCHED_BATCH", unix.SCHED_IDLE: "SCHED_IDLE",
		unix.SCHED_DEADLINE: "SCHED_DEADLINE", unix.SCHED_EXT: "SCHED_EXT",
	}
	name := names[a.Policy]
	if name == "" {
		name = fmt.Sprint(a.Policy)
	}
	if a.Flags&unix.SCHED_FLAG_RESET_ON_FORK != 0 {
		name += "|SCHED_RESET_ON_FORK"
	}
	p.say("current scheduling policy: %s", name)
	p.say("current scheduling priority: %d", a.Priority)
	switch a.Policy {
	case unix.SCHED_DEADLINE:
		p.say("current runtime/deadline/period parameters: %d/%d/%d", a.Runtime, a.Deadline, a.Period)
	case unix.SCHED_NORMAL, unix.SCHED_BATCH: // from Linux 6.12 on the slice that it has; else 0
		p.say("current runtime parameter: %d", a.Runtime)
	}
	return nil
}

// affinity is on which processors it may run, as taskset(1) has it.
func (p process) affinity() error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(p.pid, &set); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	mask := new(big.Int)
	for cpu := range 8 * len(set) * 8 {
		if set.IsSet(cpu) {
			mask.SetBit(mask, cpu, 1)
		}
	}
	p.say("current affinity mask: %x", mask)
	return nil
}

func (p process) oom() error {
	text, err := p.read("oom_score_adj")
	p.say("oom: %s", strings.TrimSpace(text))
	return err
}

// files are those of the machine that its first three descriptors lead to.
func (p process) files() {
	for fd := range 3 {
		to, _ := os.Readlink(fmt.Sprint(p.dir, "/fd/", fd))
		if strings.HasPrefix(to, "/var/") || strings.HasPrefix(to, "/etc/") {
			p.say("fd %d: %s", fd, to)
		}
	}
}
