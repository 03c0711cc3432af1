package vm

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"rdgen/test/guest"
)

// customize finishes a root file system; mmdebstrap runs it with the folder as
// its argument.
//
//go:embed customize
var customize string

// packages are in the images of Debian that have the init system.
var packages = map[guest.Init]string{
	OpenRC:  "openrc,sysvinit-core,initscripts,ifupdown-ng",
	Systemd: guest.SystemdPackages,
}

// more are packages of one image: those by which Ubuntu is set up, and Debian can be, and
// the daemon of docs/vpn.md and other managers of the network, which no boot starts: finish is
// added to customize for those.
var (
	more = map[string]string{
		"trixie-openrc":  ",transmission-daemon",
		"trixie-systemd": ",transmission-daemon,netplan.io,apparmor,network-manager,dhcpcd-base,ifupdown",
	}
	finish = map[string]string{"trixie-systemd": `
cd "$root/etc/systemd/system"
rm -f ./*.wants/NetworkManager*.service ./*.wants/networking.service dbus-org.freedesktop.nm-dispatcher.service
# The profiles of programs that are not here: AppArmor reads all at boot, for 20 s in an emulated machine.
cd "$root/etc/apparmor.d"
for profile in *; do
	[ -d "$profile" ] || case $profile in
	busybox | lsb_release | systemd-coredump | transmission | unix-chkpwd | usr.*) ;;
	*) rm "$profile" ;;
	esac
done
`}
)

// include are the packages of the image of a Debian, besides those of each.
func (s System) include() string { return packages[s.Init] + more[s.image()] }

// image is what a machine boots from.
type image struct {
	system  System
	dir     string
	root    string // an ext4 file system
	kernel  string
	modules []string // that the initramfs loads, in order
}

// The least free space, in bytes, that building an image is begun with.
const space = 3 << 30

// findImage returns the image of s, and builds it first if the cache has none.
// Builders of one image wait for each other.
func (s System) findImage(cache string, logf func(string, ...any)) (image, error) {
	content := guest.DebianPackages + s.include() + "\n" + customize + finish[s.image()]
	if s.Release == Alpine {
		content = guest.AlpineWheel + customizeAlpine
	}
	hash := sha256.Sum256([]byte(s.image() + "\n" + content))
	dir := filepath.Join(cache, fmt.Sprintf("%s-%x", s.image(), hash[:6]))
	err := guest.Once(dir, func(work string) error {
		place, err := makers.take(cache, 0)
		if err != nil {
			return err
		}
		defer place.Close()
		start := time.Now()
		err = s.build(cache, work)
		if err == nil {
			logf("%s: image built in %v", s, time.Since(start).Round(time.Second))
		}
		return err
	})
	if err != nil {
		return image{}, fmt.Errorf("%s cannot be built today: %w", s, err)
	}
	img := image{system: s, dir: dir, root: filepath.Join(dir, "root.img"), kernel: filepath.Join(dir, "vmlinuz")}
	img.modules, err = filepath.Glob(filepath.Join(dir, "modules", "*"))
	return img, err
}

// build makes the image in the folder "out" of work.
func (s System) build(cache, work string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(work, &fs); err != nil {
		return err
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < space {
		return fmt.Errorf("%s has %d MB free, an image needs %d", filepath.Dir(work), free>>20, space>>20)
	}
	root, out := filepath.Join(work, "root"), filepath.Join(work, "out")
	if err := os.Mkdir(filepath.Join(out, "modules"), 0o755); err != nil {
		return err
	}
	makeRoot := s.debianRoot
	if s.Release == Alpine {
		e, err := findEmulator(cache)
		if err != nil {
			return err
		}
		makeRoot = e.alpineRoot
	}
	if err := makeRoot(work, root, out); err != nil {
		return err
	}
	return guest.Finish(exec.Command("mkfs.ext4", "-q", "-F", "-d", root, filepath.Join(out, "root.img"), "1600M"))
}

// debianRoot makes root, a root file system of Debian, and leaves the kernel and the
// modules in out; work is for what is between.
func (s System) debianRoot(work, root, out string) error {
	script := filepath.Join(work, "customize")
	if err := os.WriteFile(script, []byte(customize+finish[s.image()]), 0o755); err != nil {
		return err
	}
	hook := script + ` "$1" ` + string(s.Init) + " " + out
	const idle = `rm -f "$1"/etc/rc[S2345].d/S*transmission-daemon "$1"/etc/runlevels/*/transmission-daemon "$1"/etc/systemd/system/*.wants/transmission-daemon.service`
	return guest.Debian(s.Release, root, s.include(), hook, idle)
}
