package kernel

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/problem"
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
	in := &Inputs{map[string]wgtypes.Key{}, map[string]plan.Fingerprint{}, map[string]string{}, map[string]string{},
		map[domain.ID]plan.Outer{}}
	for _, l := range f.Links {
		if err := in.owners(f, l); err != nil {
			return nil, err
		}
		if l.Kind != "wireguard" {
			continue
		}
		if err := in.key(f, "PrivateKeyFile", l.KeyFile, l.LineOf("PrivateKeyFile")); err != nil {
			return nil, err
		}
		for _, p := range l.Peers {
			if p.PresharedKeyFile == "" {
				continue
			}
			if err := in.key(f, "PresharedKeyFile", p.PresharedKeyFile, p.LineOf("PresharedKeyFile")); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

func (in *Inputs) key(f *conf.File, name, path string, line int) error {
	k, err := readKey(path)
	if err != nil {
		return problem.New(f.At(line), "%s=%s: %v", name, path, err)
	}
	in.keys[path], in.prints[path] = k, fingerprint(k)
	return nil
}

func fingerprint(k wgtypes.Key) plan.Fingerprint {
	if k == (wgtypes.Key{}) {
		return plan.Fingerprint{}
	}
	return sha256.Sum256(k[:])
}

// readKey reads a secret in base64, as wg genkey writes it. A file that others
// than its owner and group may read, or anybody but its owner may change, keeps
// no secret. No error has anything of what is in the file.
func readKey(path string) (wgtypes.Key, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return wgtypes.Key{}, err
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return wgtypes.Key{}, err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return wgtypes.Key{}, errors.New("is not a regular file")
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return wgtypes.Key{}, fmt.Errorf("belongs to user %d, who can read and change it; expected root's", st.Uid)
	case st.Mode&0o027 != 0:
		return wgtypes.Key{}, fmt.Errorf("has mode %04o: others could read or change the key; chmod 600 it, and make a new key", st.Mode&0o7777)
	}
	text, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return wgtypes.Key{}, err
	}
	k, err := wgtypes.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return wgtypes.Key{}, errors.New("is not a key: expected 44 characters of base64, as wg genkey prints them")
	}
	return k, nil
}

// owners looks up who may open a tun or tap.
func (in *Inputs) owners(f *conf.File, l conf.Link) error {
	unknown := func(key, name string, err error) error {
		return problem.New(f.At(l.LineOf(key)), "%s=%s: %v", key, name, err)
	}
	if l.User != "" && !isNumber(l.User) {
		u, err := user.Lookup(l.User)
		if err != nil {
			return unknown("User", l.User, errors.New("there is no such user"))
		}
		in.users[l.User] = u.Uid
	}
	if l.Group != "" && !isNumber(l.Group) {
		g, err := user.LookupGroup(l.Group)
		if err != nil {
			return unknown("Group", l.Group, errors.New("there is no such group"))
		}
		in.groups[l.Group] = g.Gid
	}
	return nil
}

func isNumber(s string) bool { return s[0] >= '0' && s[0] <= '9' }
