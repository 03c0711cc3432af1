package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// addTun makes a tun or tap that stays when its device file is closed. It is
// made persistent last: until then it goes with this process.
func (s *Session) addTun(l object.Link) error {
	return s.inside(l.Netns, func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			err = &fs.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
			if errors.Is(err, fs.ErrNotExist) {
				// Who opens it loads the module, but only some hosts have the file before.
				err = fmt.Errorf("%w; modprobe tun, and have it done at boot", err)
			}
			return err
		}
		defer unix.Close(fd)
		request, err := unix.NewIfreq(l.Name)
		if err != nil {
			return err
		}
		// IFF_TUN_EXCL: one that exists is not opened in its place.
		flags := uint16(unix.IFF_TUN) | unix.IFF_TUN_EXCL
		if l.Kind == "tap" {
			flags = unix.IFF_TAP | unix.IFF_TUN_EXCL
		}
		for _, f := range []struct {
			set bool
			bit uint16
		}{{!l.PacketInfo, unix.IFF_NO_PI}, {l.VNetHeader, unix.IFF_VNET_HDR}, {l.MultiQueue, unix.IFF_MULTI_QUEUE}} {
			if f.set {
				flags |= f.bit
			}
		}
		request.SetUint16(flags)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			return fmt.Errorf("TUNSETIFF: %w", err)
		}
		for _, o := range []struct {
			name    string
			numbers map[string]string
			ioctl   uint
		}{{l.User, s.Inputs.users, unix.TUNSETOWNER}, {l.Group, s.Inputs.groups, unix.TUNSETGROUP}} {
			if o.name == "" {
				continue
			}
			number, ok := o.numbers[o.name]
			if !ok {
				number = o.name
			}
			n, err := strconv.ParseUint(number, 10, 32)
			if err != nil {
				return err
			}
			if err := unix.IoctlSetInt(fd, o.ioctl, int(n)); err != nil {
				return fmt.Errorf("owner of %s: %w", l.Name, err)
			}
		}
		return unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
	})
}
