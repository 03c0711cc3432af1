// Package lifecycle brings routing domains up and down: it finds out what a domain's
// name means, under its lock lets package kernel read what there is and package plan
// say what to do, and has it done, writing down before each step what the step may
// leave behind.
package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/module"
	"rdgen/runtime/nat"
	"rdgen/runtime/netns"
	"rdgen/runtime/record"
)

// Host is the machine as rdomain sees it: the namespace that it runs in, and
// the directory of records. One Host serves any number of domains at once.
type Host struct {
	// Say is called at once with what the user should know of a domain, the zero one
	// for none: what is waited for, what is not as it seems. Several goroutines call it; nil says
	// nothing.
	Say func(id domain.ID, text string)

	home  *kernel.Home
	store *record.Store // nil if there is none and none may be made
	// files are the files of all domains, read once.
	files func() *conf.All
	// filtersOf are the chains that what a namespace forwards comes to, read once.
	filtersOf  map[domain.NetnsName][]nat.Filter
	filterLock sync.Mutex
	// kernel is what the kernel can make, read once.
	kernel func() *module.Kernel
}

// Open opens the Host for changing it: /run/rdomain is made if need be. It
// needs CAP_SYS_ADMIN and CAP_NET_ADMIN in the end, but not to be opened. Inside of a
// domain, where what is mounted is not seen outside, it is refused.
func Open() (*Host, error) {
	if err := outside(); err != nil {
		return nil, err
	}
	store, err := record.Open()
	if err != nil {
		return nil, err
	}
	return open(store)
}

// outside returns an error inside of a domain: the name of a namespace that is made
// there is a file for all, but its mount is for nobody outside.
func outside() error {
	name, err := netns.Within()
	if err != nil || name == "" {
		return err
	}
	return &problem.Error{
		Msg:  fmt.Sprintf("this is inside of netns %s, in a mount namespace of its own: what is made here is not there outside", name),
		Hint: "run rdomain outside of the domain"}
}

// OpenToRead opens the Host for looking at it; nothing is made.
func OpenToRead() (*Host, error) {
	store, err := record.OpenExisting()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return open(store)
}

func open(store *record.Store) (*Host, error) {
	home, err := kernel.OpenHome()
	if err != nil {
		return nil, err
	}
	h := newHost(home, store)
	if store != nil {
		store.Waiting = func(file, holder string) {
			h.say(domain.ID{}, "waiting for the lock %s, which %s holds", file, holder)
		}
	}
	return h, nil
}

// newHost returns a Host that has read nothing yet.
func newHost(home *kernel.Home, store *record.Store) *Host {
	return &Host{home: home, store: store, filtersOf: map[domain.NetnsName][]nat.Filter{}, files: sync.OnceValue(func() *conf.All { return conf.ReadAll(conf.Machine()) }),
		kernel: sync.OnceValue(func() *module.Kernel { return module.Running(conf.Machine()) })}
}

// Close gives the descriptors back.
func (h *Host) Close() {
	h.home.Close()
	if h.store != nil {
		h.store.Close()
	}
}

// Files returns the domains that have a file in /etc/rdomain, in the order of
// their names.
func Files() ([]domain.ID, error) {
	ids, _, err := files()
	return ids, err
}

// Strays returns an error for each file there whose name is no domain's.
func Strays() []error {
	_, strays, _ := files() // who cannot read the directory has the error of Files
	return strays
}

func files() (ids []domain.ID, strays []error, err error) {
	entries, err := os.ReadDir(conf.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".conf")
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		if id, err := domain.ParseID(name); err == nil {
			ids = append(ids, id)
		} else {
			strays = append(strays, conf.OfNoDomain(e.Name(), err))
		}
	}
	return ids, strays, nil
}
