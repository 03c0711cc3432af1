package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kept is how many folders of the cache that differ by their hash alone are kept:
// those of the sources, the agents and the QEMUs that were lately used.
const kept = 3

// sixBytes matches six bytes in hexadecimal, which a folder's name ends with.
var sixBytes = strings.Repeat("[0-9a-f]", 12)

// CacheDir returns the folder, and makes it, in which guests of a kind ("vm", "native") are
// kept: $RDGEN_VM_CACHE, or rdgen/vm below the user's cache folder.
func CacheDir(kind string) (string, error) {
	variable := "RDGEN_" + strings.ToUpper(kind) + "_CACHE"
	dir := os.Getenv(variable)
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache folder (set %s): %w", variable, err)
		}
		dir = filepath.Join(base, "rdgen", kind)
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// Once makes dir of the folder "out" that build leaves in the folder that it is
// given; a dir that is there is left as it is. Those who want one dir wait for each
// other. The name of dir ends with a hash in hexadecimal, six bytes.
func Once(dir string, build func(work string) error) error {
	held, err := Lock(dir+".lock", unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer held.Close()
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		return os.Chtimes(dir, now, now)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// mmdebstrap's apt works as another user.
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	out := filepath.Join(work, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	if err := build(work); err != nil {
		return err
	}
	if err := os.Rename(out, dir); err != nil {
		return err
	}
	return prune(dir[:len(dir)-12]+sixBytes, kept)
}

// prune removes all folders that match pattern (filepath.Match) but the kept
// ones that were used last, and what has their name with "-booted-" added. A
// machine that runs on one of them has its files open.
func prune(pattern string, kept int) error {
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	used := map[string]time.Time{}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() {
			return true
		}
		used[dir] = info.ModTime()
		return false
	})
	slices.SortFunc(dirs, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, dir := range dirs[min(len(dirs), kept):] {
		below, err := filepath.Glob(dir + "-booted-*")
		if err != nil {
			return err
		}
		for _, path := range append(below, dir) {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Mmdebstrap makes a Debian root file system as args say.
func Mmdebstrap(args ...string) error {
	// A testing release may be served with a Release file that expired.
	always := []string{"--quiet", "--aptopt=Acquire::Retries 5", `--aptopt=Acquire::Check-Valid-Until "false"`}
	return Finish(exec.Command("mmdebstrap", append(always, args...)...))
}

// Finish runs cmd; its error carries the last lines that the program said.
func Finish(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.Join(lines[max(0, len(lines)-4):], " | "))
	}
	return nil
}

// Lock opens path and locks it as how (flock(2)) says; closing it unlocks.
func Lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
