package domain

import "testing"

func TestPin(t *testing.T) {
	for _, c := range []struct{ netns, vrf, want string }{
		{"", "mgmt", "/sys/fs/bpf/rdomain/mgmt"},
		{"t1", "a.b", "/sys/fs/bpf/rdomain/a+b@t1"},
		{"t.1", "a", "/sys/fs/bpf/rdomain/a@t+1"},
	} {
		d, err := Parse(c.netns, c.vrf)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Pin(); got != c.want {
			t.Errorf("%v.Pin() = %q; want %q", d, got, c.want)
		}
	}
}

func TestPinOfNoVRFPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Pin of a netns returned; want a panic, for a path without a name is a folder")
		}
	}()
	_ = Domain{Netns: NetnsName{"blue"}}.Pin()
}
