package guest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// DebianPackages are in every root file system of Debian, with commas between them.
const DebianPackages = "kmod,iproute2,iputils-ping,procps,util-linux,busybox,ethtool,tcpdump,strace," +
	"s6,execline,openssh-server,openssh-client,nginx-light,netcat-openbsd,socat," +
	"nftables,iptables,ipset,wireguard-tools"

// SystemdPackages are those of systemd. libbpf1 and libseccomp2 are opened by it when a unit asks
// for them.
const SystemdPackages = "systemd,systemd-sysv,dbus,libpam-systemd,libbpf1,libseccomp2,systemd-resolved,libnss-resolve,nscd,udev"

// fresh is how long a list of packages is taken for that of now.
const fresh = time.Hour

// Debian makes a root file system of a release in the folder root, which is empty or not there. It
// has more packages than DebianPackages, and is finished by the hooks: shell, as mmdebstrap(1) has
// it after --customize-hook=. What all roots of a release have is unpacked once, kept in the cache
// folder "debian", and copied: that takes a third of the processor's time. With it go the lists of
// packages, which a release of a moment ago still has.
func Debian(release, root, more string, hooks ...string) error {
	cache, err := CacheDir("debian")
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(DebianPackages))
	base := filepath.Join(cache, fmt.Sprintf("%s-%x", release, hash[:6]))
	err = Once(base, func(work string) error {
		return Mmdebstrap("--variant=minbase", "--skip=cleanup/apt/lists", "--include="+DebianPackages, release, filepath.Join(work, "out"))
	})
	if err != nil {
		return err
	}
	args := []string{"--variant=minbase", `--setup-hook=cp -a '` + base + `/.' "$1"`, "--include=" + more}
	if lists, _ := filepath.Glob(filepath.Join(base, "var/lib/apt/lists/*_Packages")); len(lists) > 0 {
		if info, err := os.Stat(filepath.Dir(lists[0])); err == nil && time.Since(info.ModTime()) < fresh {
			args = append(args, "--skip=update")
		}
	}
	for _, hook := range hooks {
		args = append(args, "--customize-hook="+hook)
	}
	return Mmdebstrap(append(args, release, root)...)
}
