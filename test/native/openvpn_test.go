package native

import (
	"os"
	"testing"

	"rdgen/test/guest"
)

// TestOpenVPNPage does what docs/openvpn.md says, with Debian's OpenVPN, and loses the tunnel
// in each way that the page speaks of, and at a boot: no packet leaves by another link.
func TestOpenVPNPage(t *testing.T) {
	list := append(systems(guest.Systemd), openrcs...)
	for i := range list {
		list[i].Packages = morePackages
	}
	each(t, list, func(t *testing.T, m *Machine) {
		init := "init=" + string(m.Init) + "\n"
		m.Put(t, "/usr/local/lib/network.sh", 0o644, []byte(guest.Await+guest.Network))
		part := func(label string) string { return guest.Part(t, scripts, "openvpn-page", label) }
		verdicts := func(label string) {
			t.Helper()
			m.Verdicts(t, label+"\n"+init+script(t, "openvpn-seen")+part(label))
		}
		page, err := os.ReadFile("../../docs/openvpn.md")
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, "/usr/local/bin/fetch", 0o755, []byte(guest.Fetch))
		m.Sh(t, init+part("prepare"))
		m.Type(t, guest.TypedFor(string(page), m.Init))
		verdicts("with the tunnel")
		verdicts("without")
		verdicts("nowhere else")
		m.Reboot(t)
		verdicts("booted without the server")
		verdicts("nowhere else")
	})
}
