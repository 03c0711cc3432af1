package native

import (
	"testing"

	"rdgen/test/guest"
)

// behaviours says where each test of this folder runs in `make test`: what costs the
// processors little runs everywhere, what costs much on the release that shows most.
var behaviours = guest.Behaviours{Tests: []guest.Behaviour{
	// Units of systemd 252 (bookworm), 257 (trixie) and 262 (forky).
	{"systemd", "TestSystemdKinds", 0, "bookworm-systemd"},
	{"systemd", "TestSystemdNamespace", 0, guest.Everywhere},
	{"systemd", "TestSystemdInstances", 0, "trixie-systemd"},
	{"systemd", "TestSystemdOrder", 0, guest.Everywhere},
	{"systemd", "TestSystemdActions", 0, guest.Everywhere},
	{"systemd", "TestSystemdSockets", 0, "forky-systemd"},
	{"systemd", "TestSystemdDomain", 0, guest.Everywhere},
	{"systemd", "TestSystemdBack", 0, "trixie-systemd"},
	{"systemd", "TestSystemdMoved", 0, "bookworm-systemd"},
	{"systemd", "TestSystemdFailsClosed", 0, guest.Everywhere},
	{"systemd", "TestSystemdGeneratorFails", 0, "forky-systemd"},
	{"systemd", "TestSystemdGeneratorKilled", 0, "trixie-systemd"},
	{"systemd", "TestSystemdNames", 0, "bookworm-systemd"},
	{"systemd", "TestSystemdReads", 0, "forky-systemd"},
	{"systemd", "TestSystemdAnalyze", 0, guest.Everywhere},
	{"systemd", "TestSystemdGuide", 0, "trixie-systemd"},
	{"systemd", "TestDebianDomains", 13, "trixie-systemd"},
	{"systemd", "TestUsersPage", 0, "trixie-systemd trixie-openrc"},
	{"systemd", "TestJobsPage", 0, "trixie-systemd"},

	// Services of OpenRC 0.45 (bookworm), 0.56 (trixie), 0.64 (forky), 0.63 as Alpine has it.
	{"openrc", "TestOpenRC", 0, guest.Everywhere},
	{"openrc", "TestOpenRCTables", 0, "trixie-openrc"},
	{"openrc", "TestOpenRCLSB", 0, "bookworm-openrc trixie-openrc"},
	{"openrc", "TestOpenRCGuard", 0, guest.Everywhere},
	{"openrc", "TestOpenRCUser", 0, guest.Everywhere},
	{"openrc", "TestAlpineBeside", 0, guest.Everywhere},
	{"openrc", "TestAlpineSession", 0, guest.Everywhere},
	{"openrc", "TestElogind", 0, guest.WithAll}, // in make test, TestSessionCgroup and TestHookSession with stand-ins

	// What s6 makes of scripts and units, against OpenRC and systemd themselves.
	{"s6", "TestS6", 0, "bookworm-openrc forky-openrc"},
	{"s6", "TestSameAsOpenRC", 0, "trixie-openrc"},
	{"s6", "TestSameAsSystemd", 0, "forky-systemd"},
	{"s6", "TestStoppedAsOpenRC", 0, "trixie-openrc"},
	{"s6", "TestStoppedAsSystemd", 0, "bookworm-systemd"},
	{"s6", "TestDebianUnits", 0, "bookworm-systemd"},

	// Packages, and what rdomain keeps.
	{"packages", "TestDebianPackages", 0, "bookworm-systemd trixie-openrc"},
	{"packages", "TestDebianPackagesCut", 0, "bookworm-systemd trixie-openrc"},
	{"domains", "TestRoutingPage", 4, "trixie-systemd"},
	{"domains", "TestNATPage", 0, "trixie-openrc"},
	{"domains", "TestFiltersPage", 0, "trixie-systemd trixie-openrc"},
	{"domains", "TestLinkMadeAgain", 0, "forky-systemd trixie-openrc"},
	{"domains", "TestOpenVPNPage", 8, "trixie-systemd trixie-openrc"},
	{"domains", "TestPPP", 5, guest.WithAll},             // 41 MB of packages, and a kernel
	{"domains", "TestContainersPage", 25, guest.WithAll}, // 95 MB of packages; in make test, containers.txtar
	{"domains", "TestOverlapPage", 0, "trixie-systemd trixie-openrc"},
	{"domains", "TestOverlapHomePage", 0, "trixie-systemd trixie-openrc"},
	{"domains", "TestFirewall", 0, "trixie-systemd trixie-openrc forky-openrc"},
	{"domains", "TestForwardedBesideFirewalls", 6, guest.WithAll}, // in make test, cmd/rdomain's TestForwardedBesideOthers
	{"domains", "TestSteer", 0, "forky-systemd trixie-openrc"},
	{"domains", "TestStatus", 0, "forky-systemd trixie-openrc"},
	{"domains", "TestStatusS6", 0, "trixie-openrc"},

	// The machines themselves.
	{"bed", "TestReboot", 0, guest.Everywhere},
}, Families: map[string]string{
	"systemd":  "bookworm trixie forky",
	"openrc":   "bookworm trixie forky alpine",
	"s6":       "bookworm trixie forky",
	"packages": "bookworm trixie",
	"domains":  "trixie forky",
	"bed":      "bookworm trixie forky alpine",
}}

// TestBehaviours holds the table complete.
func TestBehaviours(t *testing.T) { behaviours.Complete(t, "each", "eachPackaged", "people") }
