package generators_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators/tree"
	"rdgen/services"
	"rdgen/test/need"
)

// TestDebianCompanions: one line in conf.d covers the daemons of those packages of
// Debian whose unit of the package's name runs true(1), or has helpers beside it.
func TestDebianCompanions(t *testing.T) {
	root := t.TempDir()
	for _, from := range []string{"RDGEN_DAEMONS_ROOT", "RDGEN_COMPANIONS_ROOT"} {
		dir := os.Getenv(from)
		if _, err := os.Stat(dir); dir == "" || err != nil {
			need.Missing(t, need.Systemd, "no units of daemons below "+from+" (make fixtures)")
		}
		for _, lib := range []string{"lib", "usr/lib"} {
			units := filepath.Join(dir, lib, "systemd/system")
			if _, err := os.Stat(units); err != nil {
				continue
			}
			if err := os.CopyFS(filepath.Join(root, "copy", from, lib), os.DirFS(units)); err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob(filepath.Join(root, "copy", from, lib, "*.s*"))
			to := filepath.Join(root, "usr/lib/systemd/system")
			os.MkdirAll(to, 0o755)
			for _, f := range files {
				os.Rename(f, filepath.Join(to, filepath.Base(f)))
			}
		}
	}
	fsys, err := tree.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	loader := services.NewLoader(fsys, parse(t, "t1", ""))
	for name, want := range map[string]string{
		"tor":                "tor.service tor@.service tor@default.service",
		"openvpn":            "openvpn.service openvpn@.service",
		"postgresql":         "postgresql.service postgresql@.service",
		"postfix":            "postfix.service postfix@.service",
		"tinc":               "tinc.service tinc@.service",
		"openvswitch-switch": "openvswitch-switch.service ovs-vswitchd.service ovsdb-server.service",
		"nfs-server":         "nfs-server.service nfs-idmapd.service nfs-mountd.service rpc-svcgssd.service",
		"nfs-utils":          "nfs-utils.service nfs-blkmap.service rpc-gssd.service rpc-statd-notify.service rpc-statd.service rpc-svcgssd.service",
		"cockpit": "cockpit.service cockpit-wsinstance-http.service cockpit-wsinstance-http.socket cockpit-wsinstance-https@.service " +
			"cockpit-wsinstance-https@.socket cockpit.socket",
		"sssd": "sssd.service sssd-autofs.service sssd-autofs.socket sssd-nss.service sssd-nss.socket sssd-pam-priv.socket sssd-pam.service " +
			"sssd-pam.socket sssd-ssh.service sssd-ssh.socket sssd-sudo.service sssd-sudo.socket",
		"ssh": "ssh.service ssh.socket",
	} {
		if d := cmp.Diff(want, strings.Join(loader.Systemd.Covered(name), " ")); d != "" {
			t.Errorf("conf.d/%s covers (-want +got):\n%s", name, d)
		}
	}
}
