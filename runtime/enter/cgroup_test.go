package enter

import (
	"strings"
	"testing"
)

func TestVRFCgroup(t *testing.T) {
	exists := func(name string) bool { return name == "t1" || name == "blue" }
	for _, c := range []struct{ own, netns, want string }{
		{"/", "", "/rdexec/vrf/mgmt"},
		{"/", "t1", "/rdexec/t1-ns/vrf/mgmt"},
		{"/system.slice/a.service", "", "/system.slice/a.service/rdexec/vrf/mgmt"},
		{"/system.slice/a.service", "t1", "/system.slice/a.service/rdexec/t1-ns/vrf/mgmt"},
		// Inside a domain already: its directory is replaced.
		{"/vrf/red", "", "/rdexec/vrf/mgmt"},
		{"/a/vrf/red", "", "/a/rdexec/vrf/mgmt"},
		{"/a/t1-ns/vrf/red", "", "/a/rdexec/vrf/mgmt"},
		{"/a/t1-ns/vrf/red", "blue", "/a/rdexec/blue-ns/vrf/mgmt"},
		{"/t1-ns/vrf/red", "t1", "/rdexec/t1-ns/vrf/mgmt"},
		{"/rdexec/vrf/red", "", "/rdexec/vrf/mgmt"},
		{"/a/rdexec/t1-ns/vrf/red", "blue", "/a/rdexec/blue-ns/vrf/mgmt"},
		{"/a/rdexec/vrf", "", "/a/rdexec/vrf/mgmt"}, // by ip vrf exec default
		{"/a/rdexec", "", "/a/rdexec/vrf/mgmt"},
		// What only looks like one stays.
		{"/system.slice/vrf-x.service", "", "/system.slice/vrf-x.service/rdexec/vrf/mgmt"},
		{"/vrf", "", "/vrf/rdexec/vrf/mgmt"},
		{"/a/vrf/red/sub", "", "/a/vrf/red/sub/rdexec/vrf/mgmt"},
		{"/openrc.foo-ns/vrf/red", "", "/openrc.foo-ns/rdexec/vrf/mgmt"},
		{"/t1-ns", "", "/t1-ns/rdexec/vrf/mgmt"},
		{"/-ns/vrf/red", "", "/-ns/rdexec/vrf/mgmt"},
	} {
		guarded, got := vrfCgroup(c.own, c.netns, "mgmt", exists)
		if got != c.want || !strings.HasPrefix(got, guarded+"/") || !strings.HasSuffix(guarded, "/rdexec") {
			t.Errorf("vrfCgroup(%q, %q, mgmt) = %q, %q; want %q", c.own, c.netns, guarded, got, c.want)
		}
	}
}
