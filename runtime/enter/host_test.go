package enter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/test/need"
)

const childEnv = "RDEXEC_TEST_CHILD"

// TestMain runs the tests, or one of the children that they start. As an
// ordinary user it starts itself again as root of a user namespace.
func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		os.Unsetenv(childEnv)
		children[name](os.Args[1:])
		os.Exit(0)
	}
	if code, ok := asRoot(); ok {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func asRoot() (code int, ok bool) {
	if os.Geteuid() == 0 {
		return 0, false
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, false // no user namespaces: the tests say what they lack
	}
	return cmd.ProcessState.ExitCode(), true
}

// needHostRoot skips a test that root of a user namespace cannot run.
func needHostRoot(t *testing.T) {
	t.Helper()
	need.Uid0(t)
	if ids, _ := os.ReadFile("/proc/self/uid_map"); !strings.HasSuffix(strings.TrimSpace(string(ids)), " 4294967295") {
		need.Missing(t, need.VM, "root of a user namespace has one uid and no BPF")
	}
}

// rdexec returns the path of cmd/rdexec.
func rdexec(t *testing.T) string {
	t.Helper()
	path, err := need.Program("cmd/rdexec")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// host is a machine of the test's own: a mount namespace with its own /run and
// /etc, shared as systemd shares them, and a network namespace. They belong to
// the thread of the test, and end with it.
type host struct {
	*testing.T
	rdexec string
	tmp    string
}

func newHost(t *testing.T) host {
	t.Helper()
	need.Uid0(t)
	h := host{t, rdexec(t), t.TempDir()}
	runtime.LockOSThread() // for good: the thread cannot go back
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		need.Missing(t, need.Root, "unshare: "+err.Error())
	}
	h.mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC)
	for _, dir := range []string{"/run", "/etc"} {
		h.mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV)
		h.must(os.Chmod(dir, 0o755))
	}
	h.mount("", "/", "", unix.MS_SHARED|unix.MS_REC)
	h.must(os.MkdirAll("/run/netns", 0o755))
	for name, text := range map[string]string{
		"/etc/passwd":      passwdText,
		"/etc/group":       groupText,
		"/etc/resolv.conf": "nameserver host\n",
		"/etc/hostname":    "host\n",
		"/etc/app/conf":    "app\n",
	} {
		h.write(name, text)
	}
	h.must(os.Symlink("../proc/self/mounts", "/etc/mtab"))
	h.must(os.Symlink("../../run/app", "/etc/app/state"))
	h.loopback()
	return h
}

func (h host) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h host) mount(source, target, kind string, flags uintptr) {
	h.Helper()
	if err := unix.Mount(source, target, kind, flags, ""); err != nil {
		h.Fatalf("mount %s: %v", target, err)
	}
}

// write replaces a file by rename, as careful programs do.
func (h host) write(path, text string) {
	h.Helper()
	h.must(os.MkdirAll(filepath.Dir(path), 0o755))
	h.must(os.WriteFile(path+".new", []byte(text), 0o644))
	h.must(os.Rename(path+".new", path))
}

// netns makes the network namespace name, as ip-netns(8) does.
func (h host) netns(name string) {
	h.Helper()
	path := "/run/netns/" + name
	h.must(os.WriteFile(path, nil, 0o444))
	own, err := unix.Open(ownNetns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	h.must(err)
	defer unix.Close(own)
	h.must(unix.Unshare(unix.CLONE_NEWNET))
	h.mount(ownNetns, path, "", unix.MS_BIND)
	h.loopback()
	h.must(unix.Setns(own, unix.CLONE_NEWNET))
}

// loopback sets lo up.
func (h host) loopback() {
	h.Helper()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	h.must(err)
	defer unix.Close(s)
	ifr, err := unix.NewIfreq("lo")
	h.must(err)
	ifr.SetUint16(unix.IFF_UP)
	h.must(unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr))
}

// files makes name a namespace with files of its own in /etc/netns.
func (h host) files(name string, files map[string]string) {
	h.Helper()
	h.netns(name)
	for file, text := range files {
		h.write("/etc/netns/"+name+"/"+file, text)
	}
}

type result struct {
	out, err string
	code     int
	pid      int
}

// run runs a command in the host, to its end.
func (h host) run(argv ...string) result {
	h.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), cmd.Process.Pid}
}

// enter runs rdexec, which must succeed, and returns what the program printed.
func (h host) enter(args ...string) string {
	h.Helper()
	r := h.run(append([]string{h.rdexec}, args...)...)
	if r.code != 0 || r.err != "" {
		h.Fatalf("rdexec %q = %d, %q; want success", args, r.code, r.err)
	}
	return r.out
}

// refuse runs rdexec with a program that leaves a mark, and wants the exit
// code, the message, and no mark.
func (h host) refuse(code int, message string, options ...string) {
	h.Helper()
	mark := filepath.Join(h.tmp, "executed")
	r := h.run(append(append([]string{h.rdexec}, options...), "--", "/bin/sh", "-c", ": >"+mark)...)
	if r.code != code || !strings.Contains(r.err, message) || strings.Count(r.err, "\n") != 1 ||
		!strings.HasPrefix(r.err, "rdexec: fatal: unable to ") {
		h.Errorf("rdexec %q = %d, %q; want %d and one line with %q", options, r.code, r.err, code, message)
	}
	if _, err := os.Lstat(mark); err == nil {
		h.Errorf("rdexec %q executed the program", options)
		h.must(os.Remove(mark))
	}
}

// mounts is the mount table of the host.
func (h host) mounts() string {
	h.Helper()
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	h.must(err)
	return string(text)
}

// shell is a shell that stays inside a domain, as a service would.
type shell struct {
	host
	in  *os.File
	out *bufio.Reader
}

func (h host) shell(args ...string) shell {
	h.Helper()
	cmd := exec.Command(h.rdexec, append(args, "--", "/bin/sh")...)
	stdin, in, err := os.Pipe()
	h.must(err)
	out, stdout, err := os.Pipe()
	h.must(err)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stdout
	h.must(cmd.Start())
	stdin.Close()
	stdout.Close()
	h.Cleanup(func() {
		in.Close()
		cmd.Wait()
		out.Close()
	})
	s := shell{h, in, bufio.NewReader(out)}
	s.do(":") // until then it may still be on its way in
	return s
}

// do runs a command in the shell and returns what it prints, errors included.
func (s shell) do(command string) string {
	s.Helper()
	fmt.Fprintf(s.in, "%s\necho; echo END\n", command)
	var text strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.Fatalf("%q in the domain: %v after %q", command, err, text.String()+line)
		}
		if line == "END\n" {
			return strings.TrimSuffix(text.String(), "\n")
		}
		text.WriteString(line)
	}
}

// want runs a command in the shell and compares what it prints.
func (s shell) want(command, want string) {
	s.Helper()
	if got := s.do(command); got != want {
		s.Errorf("%q inside = %q; want %q", command, got, want)
	}
}

// child starts this test program as one of the children, put behind prefix.
func (h host) child(name string, prefix []string, args ...string) *exec.Cmd {
	argv := append(append(prefix[:len(prefix):len(prefix)], "/proc/self/exe"), args...)
	if len(prefix) > 0 {
		self, err := os.Executable()
		h.must(err)
		argv[len(prefix)] = self
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	return cmd
}

// children are what this program does when it is started as a child. They are
// few; what a shell can do, a shell does.
var children = map[string]func(args []string){
	"listen":  listen,
	"dial":    dial,
	"state":   withState,
	"bind":    bindChild,
	"master":  masterChild,
	"refused": refusedChild,
	"same":    sameChild,
	"long":    longChild,
	"liar":    withLiar,

	"resolver": resolverChild,
}

// resolverChild goes, as Exec does, into the namespaces and the private /etc of domains,
// each NETNS@VRF, one after the other, and runs a program.
func resolverChild(args []string) {
	runtime.LockOSThread()
	for strings.Contains(args[0], "@") {
		netns, vrf, _ := strings.Cut(args[0], "@")
		args = args[1:]
		d, err := domain.Parse(netns, vrf)
		die(err)
		if netns != "" {
			die(enterNetns(d.Netns))
			die(enterEtc(d.Netns))
		}
		if vrf != "" {
			die(enterResolver(domain.Command{Domain: d}))
		}
	}
	die(run(args, os.Environ()))
}

func die(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// listen prints a port of 127.0.0.1, and ends with its standard input.
func listen([]string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	die(err)
	fmt.Println(l.Addr())
	go func() {
		for {
			c, err := l.Accept()
			die(err)
			c.Close()
		}
	}()
	os.Stdin.Read(make([]byte, 1))
}

func dial(args []string) {
	c, err := net.DialTimeout("tcp", args[0], 10*time.Second)
	die(err)
	c.Close()
}

// withState executes args with all that a parent can hand on: ignored and
// blocked signals, limits, descriptors, a working directory.
//
// Those that the Go runtime unblocks in every program (rdexec(8), NOTES) are
// not among the blocked.
func withState(args []string) {
	runtime.LockOSThread()
	signal.Ignore(unix.SIGPIPE, unix.SIGUSR1, unix.SIGHUP, unix.SIGTERM)
	block := unix.Sigset_t{}
	for _, s := range []syscall.Signal{unix.SIGUSR2, unix.SIGPIPE, unix.SIGALRM} {
		block.Val[0] |= 1 << (s - 1)
	}
	die(unix.PthreadSigmask(unix.SIG_SETMASK, &block, nil))
	limit := &syscall.Rlimit{Cur: 300, Max: 400}
	die(syscall.Setrlimit(syscall.RLIMIT_NOFILE, limit))
	die(syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1, Max: 2}))
	unix.Umask(0o027)
	die(os.Chdir("/etc/app"))
	for _, fd := range []int{5, 9, 77} {
		_, _, e := unix.Syscall(unix.SYS_DUP3, 2, uintptr(fd), 0)
		if e != 0 {
			die(e)
		}
	}
	die(syscall.Exec(args[0], args, []string{"A=1", "A=2", "noequals", "PATH=/usr/bin:/bin"}))
}

// withLiar executes args under a seccomp filter that answers setns(2) with success and
// does nothing.
func withLiar(args []string) {
	runtime.LockOSThread()
	die(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_SETNS},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	die(unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0))
	die(syscall.Exec(args[0], args, os.Environ()))
}
