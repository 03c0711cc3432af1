package native

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/test/guest"
)

// customize finishes a root file system; mmdebstrap runs it with the folder as
// its argument.
//
//go:embed customize
var customize string

// customizeMore installs more packages before that; its arguments are the folder and they.
//
//go:embed customize-more
var customizeMore string

// customizeAlpine does the same to one of Alpine; its argument is the folder.
//
//go:embed customize-alpine
var customizeAlpine string

// packages are in every root of Debian; OpenRC's are added by customize.
const packages = "ifupdown-ng," + guest.SystemdPackages

// findRoot returns the folder of a system's root file system, and makes it first
// if the cache has none. Builders of one root wait for each other.
func findRoot(s System, logf func(string, ...any)) (string, error) {
	cache, err := guest.CacheDir("native")
	if err != nil {
		return "", err
	}
	release, name := s.Release, s.Release
	content, text, makeRoot := release+"\n"+guest.DebianPackages+packages+"\n"+customize, customize, debianRoot
	if s.Packages != "" {
		name += "-more"
		content, makeRoot = content+customizeMore+s.Packages, debianWith(s.Packages)
	}
	if release == guest.Alpine {
		content, text, makeRoot = guest.AlpineWheel+customizeAlpine, customizeAlpine, alpineRoot
	}
	hash := sha256.Sum256([]byte(content))
	dir := filepath.Join(cache, fmt.Sprintf("%s-%x", name, hash[:6]))
	err = guest.Once(dir, func(work string) error {
		start := time.Now()
		script := filepath.Join(work, "customize")
		if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
			return err
		}
		err := makeRoot(release, work, script)
		if err == nil {
			logf("%s: root built in %v", name, time.Since(start).Round(time.Second))
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s cannot be built today: %w", release, err)
	}
	return dir, nil
}

// debianRoot makes the root of a release in work/out, and has the script finish it.
func debianRoot(release, work, script string) error { return debianWith("")(release, work, script) }

// debianWith is debianRoot with more packages, as many of them as the release has.
func debianWith(more string) func(release, work, script string) error {
	return func(release, work, script string) error {
		var hooks []string
		if more != "" {
			first := filepath.Join(work, "more")
			if err := os.WriteFile(first, []byte(customizeMore), 0o755); err != nil {
				return err
			}
			hooks = append(hooks, first+` "$1" `+more)
		}
		return guest.Debian(release, filepath.Join(work, "out"), packages, append(hooks, script+` "$1"`)...)
	}
}

// alpineRoot does the same for Alpine.
func alpineRoot(_, work, script string) error {
	root := filepath.Join(work, "root")
	err := guest.AlpineRoot(work, root, func(from, to string) *exec.Cmd {
		return exec.Command("qemu-img", "convert", "-O", "raw", from, to)
	})
	if err == nil {
		err = guest.Finish(exec.Command(script, root))
	}
	if err != nil {
		return err
	}
	out := filepath.Join(work, "out")
	if err := os.Remove(out); err != nil {
		return err
	}
	return os.Rename(root, out)
}

// machines counts those of this process.
var machines atomic.Int64

// newCgroup returns a path for a cgroup of a machine, below the root of a mounted
// cgroup2, and removes the empty ones of keepers that were killed.
func newCgroup() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if f[2] != "cgroup2" || unix.Access(f[1], unix.W_OK) != nil {
			continue
		}
		old, _ := filepath.Glob(f[1] + "/rdgen-native-*")
		for _, dir := range old {
			var pid int
			if _, err := fmt.Sscanf(filepath.Base(dir), "rdgen-native-%d-", &pid); err == nil && unix.Kill(pid, 0) == unix.ESRCH {
				os.WriteFile(dir+"/cgroup.kill", []byte("1"), 0)
				removeAll(dir)
			}
		}
		return fmt.Sprintf("%s/rdgen-native-%d-%d", f[1], os.Getpid(), machines.Add(1)), nil
	}
	return "", errors.New("no cgroup2 that can be written to is mounted")
}

// removeAll removes a cgroup with those below, as far as nobody is in them.
func removeAll(dir string) {
	below, _ := filepath.Glob(dir + "/*/")
	for _, d := range below {
		removeAll(filepath.Clean(d))
	}
	os.Remove(dir)
}
