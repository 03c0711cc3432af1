package kernel

import (
	"os"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// Inputs are what a domain's file refers to and is not in it. All of it is read
// and checked before anything is made.
type Inputs struct {
	// keys are the secrets, by where they are; prints stand for them where they are
	// compared. Of a file as it was one may not be in its file any more: see [Session.key].
	keys          map[object.Secret]wgtypes.Key
	prints        map[object.Secret]plan.Fingerprint
	users, groups map[string]string
	// firewall is the text of the namespace's ruleset, and ruleset what nft lists of its
	// tables.
	firewall, ruleset string
	// Outers are filled in when the domains that the file requires are there.
	Outers map[domain.ID]plan.Outer
}

// Gather reads the inputs of a file, on its root. It returns the file with what others provide
// for it.
func Gather(f *conf.File) (*conf.File, *Inputs, error) {
	user := uint32(os.Geteuid())
	full, keys, errs := f.Keys(f.Root, user)
	users, groups, more := f.Owners(f.Root)
	for _, err := range append(errs, more...) {
		return nil, nil, err // one is enough to do nothing
	}
	in := &Inputs{keys: map[object.Secret]wgtypes.Key{}, prints: map[object.Secret]plan.Fingerprint{}, users: users, groups: groups,
		Outers: map[domain.ID]plan.Outer{}}
	for at, k := range keys {
		if f.Recalled() {
			in.prints[at] = k
			continue
		}
		in.keys[at], in.prints[at] = k, conf.Print(k)
	}
	if f.Recalled() {
		_, now, _ := f.Keys(conf.Machine(), user) // as far as there are any
		for _, k := range now {
			in.know(k)
		}
	}
	return full, in, in.readRuleset(f)
}

// know gives the inputs a key, which is one that they have the print of, or none.
func (in *Inputs) know(k wgtypes.Key) {
	for at, p := range in.prints {
		if p == conf.Print(k) {
			in.keys[at] = k
		}
	}
}
