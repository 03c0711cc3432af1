package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// debs makes the packages of Debian in two versions, and returns their folder.
var debs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rdgen-debs-")
	if err != nil {
		return "", err
	}
	for _, version := range []string{"0.1.0", "0.2.0"} {
		cmd := exec.Command("make", "-s", "packages", "ARCHES=amd64", "DIST="+dir, "VERSION="+version)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "KINDS=deb", "VERSION="+version, "SOURCE_DATE_EPOCH=1767323045")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return "", err
		}
	}
	return dir, nil
})

// TestDebianPackages: the packages are installed, upgraded, taken back, removed and
// purged below a service that runs in a domain. It goes on there; without rdgen it
// does not start.
func TestDebianPackages(t *testing.T) {
	need.Tools(t, need.Native, "mmdebstrap")
	dir, err := debs()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	packages, _ := filepath.Glob(dir + "/*.deb")
	if len(packages) != 4 {
		t.Fatalf("packages: %q", packages)
	}
	for _, s := range []System{{"bookworm", guest.Systemd}, {"trixie", guest.Systemd}, {"forky", guest.Systemd}, {"trixie", guest.OpenRC}} {
		t.Run(s.String(), func(t *testing.T) {
			m := Boot(t, s)
			for _, p := range packages {
				data, err := os.ReadFile(p)
				if err != nil {
					t.Fatal(err)
				}
				m.Put(t, "/root/"+filepath.Base(p), 0o644, data)
			}
			m.Verdicts(t, script(t, "packages-"+string(s.Init)))
		})
	}
}
