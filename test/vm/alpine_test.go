package vm

import (
	"os"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

var alpines = []System{{Release: Alpine, Init: OpenRC}}

// TestAlpinePlain is the machine as it was installed: busybox, no iproute2, and no
// cgroup2 mounted, without which rdexec, identify, ps and check work all the same.
func TestAlpinePlain(t *testing.T) {
	each(t, alpines, func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "alpine-plain"))
	})
}

// TestAlpineMore has a VRF of the networking service, and one with a link that mdev names.
func TestAlpineMore(t *testing.T) {
	each(t, alpines, func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "alpine-more"))
	})
}

// TestAlpinePage installs the package and does what docs/openrc.md tells a new user,
// with busybox's crond instead of sshd, and then puts ntpd into a namespace, as the page
// says. The services come back in their domains after a boot, started side by side; and,
// before a release, one after the other too, as TestOpenRCBoot has it.
func TestAlpinePage(t *testing.T) {
	eachPackaged(t, alpines, "apk", func(t *testing.T, m *Machine) {
		page, err := os.ReadFile("../../docs/openrc.md")
		if err != nil {
			t.Fatal(err)
		}
		m.Sh(t, `mkdir /root/new; cp /root/rdgen_0.1.0-* /root/new; cd /root/new
			: >/etc/apk/repositories # there is no network
			`+guest.Quoted(t, string(page), "apk add")+`
			printf '\nauto eth1\niface eth1\n\tlink-type dummy\n\taddress 10.20.30.40/24\n' >>/etc/network/interfaces
			ifup eth1; rc-update add crond; rc-update add ntpd; rc-service crond start; rc-service ntpd start`)
		typePage(t, m, strings.NewReplacer("sshd", "crond"))
		m.Verdicts(t, script(t, "alpine-page"))
		ways := []string{"YES", "NO"}
		if !need.All() {
			ways = ways[:1]
		}
		for _, parallel := range ways {
			m.Sh(t, "sed -i '/^rc_parallel=/d' /etc/rc.conf; echo rc_parallel="+parallel+" >>/etc/rc.conf")
			m.Reboot(t)
			m.Verdicts(t, script(t, "alpine-booted"))
		}
	})
}

// TestAlpinePackage: one command of apk and three lines put a service into a VRF. It
// goes on there when the package is upgraded and taken back, and when that is
// removed it does not start.
func TestAlpinePackage(t *testing.T) {
	eachPackaged(t, alpines, "apk", func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "alpine-package"))
	})
}
