package kernel

import (
	"crypto/sha256"
	"os"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/plan"
)

// Inputs are what a domain's file refers to and is not in it. All of it is read
// and checked before anything is made.
type Inputs struct {
	// keys are the secrets, by the path of their file; prints stand for them
	// where they are compared.
	keys          map[string]wgtypes.Key
	prints        map[string]plan.Fingerprint
	users, groups map[string]string
	// Outers are filled in when the domains that the file requires are there.
	Outers map[domain.ID]plan.Outer
}

// Gather reads the inputs of a file.
func Gather(f *conf.File) (*Inputs, error) {
	root := conf.Machine()
	keys, errs := f.Keys(root, uint32(os.Geteuid()))
	users, groups, more := f.Owners(root)
	for _, err := range append(errs, more...) {
		return nil, err // one is enough to do nothing
	}
	in := &Inputs{map[string]wgtypes.Key{}, map[string]plan.Fingerprint{}, users, groups, map[domain.ID]plan.Outer{}}
	for path, k := range keys {
		in.keys[path], in.prints[path] = k, fingerprint(k)
	}
	return in, nil
}

func fingerprint(k wgtypes.Key) plan.Fingerprint {
	if k == (wgtypes.Key{}) {
		return plan.Fingerprint{}
	}
	return sha256.Sum256(k[:])
}
