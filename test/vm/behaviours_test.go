package vm

import (
	"testing"

	"rdgen/test/guest"
)

// behaviours says where each test of this folder runs in `make test`. What takes longest
// begins first, so that no processor waits in the end.
var behaviours = guest.Behaviours{Tests: []guest.Behaviour{
	// What a VRF is to a program, and a whole server in one.
	{"vrf", "TestVRF", 150, "trixie-openrc"},
	{"vrf", "TestVRFHolds", 60, "trixie-openrc"},
	{"vrf", "TestVRFHoldsUnits", 40, "bookworm-systemd forky-systemd"},
	{"vrf", "TestVRFResolver", 60, "trixie-openrc"},
	{"vrf", "TestVRFStatus", 60, "trixie-openrc"},
	{"vrf", "TestCost", 60, guest.WithAll}, // in docs/performance.md, by make bench
	{"vrf", "TestArticle", 200, "trixie-openrc"},
	{"vrf", "TestAlpinePlain", 30, "alpine-openrc"},

	// Services of OpenRC.
	{"openrc", "TestOpenRCShapes", 60, "bookworm-openrc"},
	{"openrc", "TestOpenRCFailsClosed", 120, "trixie-openrc"},
	{"openrc", "TestOpenRCPackaged", 70, "trixie-openrc"},
	{"openrc", "TestOpenRCNginx", 90, "trixie-openrc"},
	{"openrc", "TestOpenRCPage", 60, "trixie-openrc"},
	{"openrc", "TestOpenRCCycles", 120, "trixie-openrc"},
	{"openrc", "TestOpenRCHome", 60, "forky-openrc"},
	{"openrc", "TestOpenRCBoot", 90, "forky-openrc"},
	{"openrc", "TestOpenRCS6", 80, "bookworm-openrc forky-openrc"}, // s6 by the administrator, and by OpenRC
	{"openrc", "TestAlpinePage", 110, "alpine-openrc"},
	{"openrc", "TestAlpinePackage", 60, "alpine-openrc"},
	{"openrc", "TestAlpineMore", 60, "alpine-openrc"},

	// Units of systemd.
	{"systemd", "TestSystemdGuide", 80, "bookworm-systemd"},
	{"systemd", "TestSystemdVRF", 120, "trixie-systemd"},
	{"systemd", "TestSystemdBesideVRF", 90, "forky-systemd"},
	{"systemd", "TestSystemdUbuntu", 110, "trixie-systemd"},
	{"systemd", "TestSystemdManagers", 90, "trixie-systemd"},

	// Services of s6-rc and s6-svscan in VRFs; test/native has them in namespaces, on
	// every release.
	{"s6", "TestS6", 120, "trixie-openrc"},

	// What rdomain makes.
	{"domains", "TestDomainsLinks", 120, "bookworm-openrc"}, // the oldest kernel
	{"domains", "TestDomainsIfState", 75, "trixie-openrc"},
	{"domains", "TestDomainsProvider", 90, "trixie-openrc"},
	{"domains", "TestVPNPage", 90, "trixie-systemd"},
	{"domains", "TestDHCPPage", 250, "trixie-openrc"},
	{"domains", "TestDomainsInside", 90, "forky-openrc"},
	{"domains", "TestDomainsOfOthers", 90, "trixie-openrc trixie-systemd"}, // ifupdown-ng, systemd-networkd
	{"domains", "TestCharon", 60, guest.WithAll},                           // 1 MB of packages
	{"domains", "TestDomainsKilled", 150, "trixie-openrc"},
}, Families: map[string]string{
	"vrf":     "bookworm trixie forky alpine",
	"openrc":  "bookworm trixie forky alpine",
	"systemd": "bookworm trixie forky",
	"s6":      "trixie",
	"domains": "bookworm trixie forky",
}}

// TestBehaviours holds the table complete.
func TestBehaviours(t *testing.T) { behaviours.Complete(t, "each", "eachPackaged") }
