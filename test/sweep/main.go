// Command sweep runs the tests of the hook in OpenRC (openrc/run_test.go) on every
// release of OpenRC since 0.45 and on its main branch, under each shell, without
// and with Alpine's patch. OPENRC_GIT names the folder of a clone of OpenRC.
//
// Of a release come the shell files, of which it is that the hook knows anything.
// The programs are those of the OpenRC in RDGEN_OPENRC_ROOT. Where a newer shell
// file asks for what a newer program says, a line at its top says it (newer).
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// layer are the tests that run OpenRC with the hook.
const layer = "^(TestServices|TestServiceNeedsDomain|TestHookArguments|TestBesideAlpine)"

// shellFiles are those that a service passes, as they are named in the clone.
var shellFiles = []string{"openrc-run.sh.in", "functions.sh.in", "gendepends.sh.in", "rc-functions.sh", "rc-cgroup.sh",
	"runit.sh", "s6.sh", "start-stop-daemon.sh", "supervise-daemon.sh"}

// shells are those that a /bin/sh is.
var shells = []string{"dash", "busybox", "bash"}

// release is one or more tags with the same shell files.
type release struct {
	tags  []string
	minor int
	files map[string]string
}

func main() {
	if err := sweep(os.Getenv("OPENRC_GIT"), os.Getenv("RDGEN_OPENRC_ROOT"), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sweep: fatal:", err)
		os.Exit(1)
	}
}

// sweep prints a table with a line for each release, as it is and with Alpine's
// patch; only names those to run, or all.
func sweep(clone, root string, only []string) error {
	if clone == "" || root == "" {
		return errors.New("OPENRC_GIT and RDGEN_OPENRC_ROOT must name a clone of OpenRC, and an unpacked OpenRC (make fixtures)")
	}
	releases, err := read(clone)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sweep-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "openrc.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "./openrc").CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c: %v\n%s", err, out)
	}
	rdexec := exec.Command("go", "build", "-o", dir, "./cmd/rdexec")
	rdexec.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := rdexec.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	if err := os.Setenv("RDGEN_BIN", dir); err != nil {
		return err
	}
	fmt.Printf("Run on %s.\n\n| OpenRC | patch | %s |\n|---|---|%s\n", time.Now().UTC().Format(time.DateOnly), strings.Join(shells, " | "), strings.Repeat("---|", len(shells)))
	var failed []error
	for _, r := range releases {
		if len(only) > 0 && !slices.ContainsFunc(r.tags, func(tag string) bool { return slices.Contains(only, tag) }) {
			continue
		}
		for _, patched := range []bool{false, true} {
			files, name := r.files, "none"
			if patched {
				files, name = alpine(r)
			}
			here := filepath.Join(dir, "root")
			if err := build(root, here, files); err != nil {
				return err
			}
			row := fmt.Sprintf("| %s | %s |", strings.Join(r.tags, ", "), name)
			for _, sh := range shells {
				result, err := run(binary, here, sh)
				row += " " + result + " |"
				if err != nil {
					failed = append(failed, fmt.Errorf("%s, patch %s, %s", r.tags[0], name, sh))
					fmt.Fprintln(os.Stderr, failed[len(failed)-1], err)
				}
			}
			fmt.Println(row)
		}
	}
	return errors.Join(failed...)
}

// read reads the releases from the clone, oldest first.
func read(clone string) ([]*release, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", clone}, args...)...).Output()
		if err != nil {
			return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
		}
		return string(out), nil
	}
	list, err := git("tag", "--sort=v:refname")
	if err != nil {
		return nil, err
	}
	var releases []*release
	for _, tag := range append(strings.Fields(list), "HEAD") {
		minor := 1000 // HEAD
		if n, err := fmt.Sscanf(tag, "0.%d", &minor); tag != "HEAD" && (n < 1 || err != nil) || minor < 45 {
			continue
		}
		r := &release{tags: []string{tag}, minor: minor, files: map[string]string{}}
		for _, name := range shellFiles {
			text, err := git("show", tag+":sh/"+name)
			if err != nil {
				return nil, err
			}
			r.files[strings.TrimSuffix(name, ".in")] = newer(installed.Replace(text))
		}
		if n := len(releases); n > 0 && maps.Equal(releases[n-1].files, r.files) {
			releases[n-1].tags = append(releases[n-1].tags, tag)
			continue
		}
		releases = append(releases, r)
	}
	return releases, nil
}

// installed are the values that OpenRC's build puts into its shell files.
var installed = strings.NewReplacer("@SHELL@", "/bin/sh", "@LIBEXECDIR@", "/lib/rc", "@SYSCONFDIR@", "/etc", "@BINDIR@", "/bin",
	"@SBINDIR@", "/sbin", "@LOCAL_PREFIX@", "/usr/local", "@PKG_PREFIX@", "", "@PREFIX@", "")

// newer adds what newer programs of OpenRC put into the environment.
func newer(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	for name, value := range map[string]string{
		"RC_PATH":       "/etc/rc:/etc:/usr/local/rc:/usr/local:/usr/libexec/rc:/run/openrc",
		"RC_SCRIPTDIRS": "/etc/rc /etc /usr/local/rc /usr/local",
	} {
		if strings.Contains(rest, "$"+name+"\n") || strings.Contains(rest, "$"+name+";") {
			rest = "export " + name + "='" + value + "'\n" + rest
		}
	}
	return first + "\n" + rest
}

// alpine does to the release what Alpine's patches did to those of its time, and
// returns their form: /sbin/ip and a VRF alone up to 0.48, with a namespace to
// 0.62, and ip of PATH since 0.63.
func alpine(r *release) (map[string]string, string) {
	ip, name := "/sbin/ip", "vrf and netns, /sbin/ip"
	switch {
	case r.minor < 49:
		name = "vrf, /sbin/ip"
	case r.minor >= 63:
		ip, name = "ip", "vrf and netns, ip"
	}
	hint := "RC_VRF_EXEC=''\nif [ -n \"$vrf\" ]; then RC_VRF_EXEC=\"" + ip + " vrf exec $vrf\"; fi\n"
	if r.minor >= 49 {
		hint += "if [ -n \"$netns\" ]; then RC_VRF_EXEC=\"" + ip + " netns exec $netns $RC_VRF_EXEC\"; fi\n"
	}
	files := maps.Clone(r.files)
	for _, edit := range []struct{ file, old, new string }{
		{"openrc-run.sh", "# load service supervisor", hint + "# load service supervisor"},
		{"start-stop-daemon.sh", "eval start-stop-daemon", "eval ${RC_VRF_EXEC} start-stop-daemon"},
		{"supervise-daemon.sh", "eval supervise-daemon", "eval ${RC_VRF_EXEC} supervise-daemon"},
		{"runit.sh", "sv start", "${RC_VRF_EXEC} sv start"},
		{"s6.sh", "\ts6-svc -u", "\t${RC_VRF_EXEC} s6-svc -u"},
	} {
		files[edit.file] = strings.ReplaceAll(files[edit.file], edit.old, edit.new)
	}
	return files, name
}

// build makes a root of the programs in from and the release's shell files.
func build(from, root string, files map[string]string) error {
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	if out, err := exec.Command("cp", "-a", from, root).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %v\n%s", err, out)
	}
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		path := filepath.Join(root, "lib/rc/sh", name)
		if err := os.Remove(path); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			return err
		}
	}
	return nil
}

// run runs the tests on the root under one shell, and returns how many passed.
func run(binary, root, sh string) (string, error) {
	cmd := exec.Command(binary, "-test.run", layer, "-test.v", "-test.parallel", "4")
	cmd.Dir = "openrc"
	cmd.Env = append(os.Environ(), "RDGEN_OPENRC_ROOT="+root, "RDGEN_OPENRC_SHELL="+sh, "RDGEN_REQUIRE=root,openrc,sh")
	out, err := cmd.CombinedOutput()
	passed := strings.Count(string(out), "    --- PASS")
	bad := strings.Count(string(out), "    --- FAIL")
	if err == nil && bad == 0 && passed > 0 {
		return fmt.Sprintf("%d pass", passed), nil
	}
	return fmt.Sprintf("**%d fail**", max(bad, 1)), fmt.Errorf("%w\n%s", errors.Join(err), out)
}
