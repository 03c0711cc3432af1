package services

import (
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/runtime/domain"
)

// rdgen check was 0 for a VRF on a kernel that has none.
func TestHere(t *testing.T) {
	fsys := fstest.MapFS{
		"proc/sys/kernel/osrelease": {Data: []byte("6.18.0\n")},
		"boot/config-6.18.0":        {Data: []byte("CONFIG_NET=y\nCONFIG_NET_NS=y\nCONFIG_CGROUP_BPF=y\n# CONFIG_NET_VRF is not set\n")},
		"etc/conf.d/web":            {Data: []byte("vrf=mgmt\n")},
		"etc/conf.d/api":            {Data: []byte("vrf=mgmt\n")},
		"etc/conf.d/db":             {Data: []byte("netns=apart\n")},
		"etc/conf.d/bare":           {Data: []byte("netns=empty\n")},
		"etc/rdomain/mgmt.conf":     {Data: []byte("# m\n[Domain]\nKind=vrf\nTable=10\n")},
		"etc/rdomain/apart.conf":    {Data: []byte("[Link d0]\nKind=dummy\n")},
	}
	const vrf = "/etc/rdomain/mgmt.conf:2: Kind=vrf cannot be made here: this kernel is built without CONFIG_NET_VRF"
	const dummy = "/etc/rdomain/apart.conf:2: Kind=dummy cannot be made here: this kernel is built without CONFIG_DUMMY"
	for names, want := range map[string]string{"": dummy + "|" + vrf, "web": vrf, "web api": vrf, "db": dummy, "bare": "", "none": ""} {
		var said []string
		for _, err := range NewLoader(fsys, domain.Domain{}).Here(strings.Fields(names)...) {
			said = append(said, err.Error())
		}
		if got := strings.Join(said, "|"); got != want {
			t.Errorf("Here(%s):\n%s\nwant\n%s", names, got, want)
		}
	}
}
