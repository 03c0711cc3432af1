package kernel

import (
	"crypto/sha256"
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
	// compared.
	keys          map[object.Secret]wgtypes.Key
	prints        map[object.Secret]plan.Fingerprint
	users, groups map[string]string
	// firewall is the text of the namespace's ruleset, and ruleset what nft lists of its
	// tables.
	firewall, ruleset string
	// Outers are filled in when the domains that the file requires are there.
	Outers map[domain.ID]plan.Outer
}

// Gather reads the inputs of a file. It returns the file with what others provide for it.
func Gather(f *conf.File) (*conf.File, *Inputs, error) {
	root := conf.Machine()
	full, keys, errs := f.Keys(root, uint32(os.Geteuid()))
	users, groups, more := f.Owners(root)
	for _, err := range append(errs, more...) {
		return nil, nil, err // one is enough to do nothing
	}
	in := &Inputs{keys: map[object.Secret]wgtypes.Key{}, prints: map[object.Secret]plan.Fingerprint{}, users: users, groups: groups,
		Outers: map[domain.ID]plan.Outer{}}
	for at, k := range keys {
		in.keys[at], in.prints[at] = k, fingerprint(k)
	}
	return full, in, in.readRuleset(f)
}

func fingerprint(k wgtypes.Key) plan.Fingerprint {
	if k == (wgtypes.Key{}) {
		return plan.Fingerprint{}
	}
	return sha256.Sum256(k[:])
}
