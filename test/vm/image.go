package vm

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// customize finishes a root file system; mmdebstrap runs it with the folder as
// its argument.
//
//go:embed customize
var customize string

// packages are in every image; those of an init system are added.
var packages = map[Init]string{
	"": "kmod,iproute2,iputils-ping,procps,util-linux,busybox,ethtool,tcpdump,strace," +
		"s6,execline,openssh-server,openssh-client,nginx-light,netcat-openbsd,socat," +
		"nftables,iptables,ipset,wireguard-tools",
	OpenRC: "openrc,sysvinit-core,initscripts,ifupdown-ng",
	// libbpf1 and libseccomp2 are opened by systemd when a unit asks for them.
	Systemd: "systemd,systemd-sysv,dbus,libpam-systemd,libbpf1,libseccomp2,systemd-resolved,libnss-resolve,nscd,udev",
}

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
	include := packages[""] + "," + packages[s.Init]
	hash := sha256.Sum256([]byte(s.image() + "\n" + include + "\n" + customize))
	dir := filepath.Join(cache, fmt.Sprintf("%s-%x", s.image(), hash[:6]))
	held, err := lock(dir+".lock", unix.LOCK_EX)
	if err != nil {
		return image{}, err
	}
	defer held.Close()
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		start := time.Now()
		if err := s.build(dir, include); err != nil {
			return image{}, fmt.Errorf("%s cannot be built today: %w", s, err)
		}
		logf("%s: image built in %v", s, time.Since(start).Round(time.Second))
		if err := prune(filepath.Join(cache, s.image()+"-"+sixBytes), kept); err != nil {
			return image{}, err
		}
	}
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return image{}, err
	}
	img := image{system: s, dir: dir, root: filepath.Join(dir, "root.img"), kernel: filepath.Join(dir, "vmlinuz")}
	img.modules, err = filepath.Glob(filepath.Join(dir, "modules", "*"))
	return img, err
}

func (s System) build(dir, include string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(dir), &fs); err != nil {
		return err
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < space {
		return fmt.Errorf("%s has %d MB free, an image needs %d", filepath.Dir(dir), free>>20, space>>20)
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
	script := filepath.Join(work, "customize")
	if err := os.WriteFile(script, []byte(customize), 0o755); err != nil {
		return err
	}
	root, out := filepath.Join(work, "root"), filepath.Join(work, "out")
	if err := os.MkdirAll(filepath.Join(out, "modules"), 0o755); err != nil {
		return err
	}
	for _, argv := range [][]string{
		{"mmdebstrap", "--quiet", "--variant=minbase", "--include=" + include, "--aptopt=Acquire::Retries 5",
			// A testing release may be served with a Release file that expired.
			`--aptopt=Acquire::Check-Valid-Until "false"`,
			"--customize-hook=" + script + ` "$1" ` + string(s.Init) + " " + out,
			s.Release, root},
		{"mkfs.ext4", "-q", "-F", "-d", root, filepath.Join(out, "root.img"), "1600M"},
	} {
		if err := command(argv...); err != nil {
			return err
		}
	}
	return os.Rename(out, dir)
}

// command runs argv; its error carries the last lines that the program said.
func command(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s: %w: %s", argv[0], err, strings.Join(lines[max(0, len(lines)-4):], " | "))
	}
	return nil
}
