package kernel

import (
	"strings"
	"testing"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/conf"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// A key as it was is that of its file, if that has the same; else it is the one that a link had
// when it was read, in this process. Without either there is an error, which has no key.
func TestKeyAsItWas(t *testing.T) {
	was, by := wgtypes.Key{1}, wgtypes.Key{2}
	s := &Session{home: &Home{}, Inputs: &Inputs{keys: map[object.Secret]wgtypes.Key{},
		prints: map[object.Secret]plan.Fingerprint{"/etc/w#7": conf.Print(was), "/etc/p": conf.Print(by), "/etc/zero": {}}}}
	s.learn(wgtypes.Key{})
	s.learn(wgtypes.Key{3})
	if k, err := s.key("/etc/w#7"); err == nil || strings.Contains(err.Error(), k.String()) ||
		err.Error() != "the key that /etc/w had when the domain was brought up is not known any more" {
		t.Errorf("key of a file that has another = %v", err)
	}
	s.Inputs.know(wgtypes.Key{9})
	s.Inputs.know(by)
	s.learn(was)
	for at, want := range map[object.Secret]wgtypes.Key{"/etc/w#7": was, "/etc/p": by, "/etc/zero": {}} {
		if k, err := s.key(at); err != nil || k != want {
			t.Errorf("key(%s) is another, %v", at, err)
		}
	}
}
