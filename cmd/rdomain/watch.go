package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/lifecycle"
)

// A domain that cannot be kept so many times in a row, or that somebody changed so
// often within the time, is given to the program that watch was told of.
const (
	failures = 3
	often    = 5
	within   = time.Minute
)

// watch keeps the domains that are up as they were made, until it is told to end
// (SIGTERM, SIGINT). args are the program that takes its place, and its arguments, when
// a domain cannot be kept.
func (c *command) watch(args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	} else if len(args) > 0 {
		return wrong("watch takes -- PROG [ARG...], or nothing")
	}
	if len(args) > 0 {
		path, ok := program(args[0])
		if !ok {
			return wrong("watch: there is no program %q", args[0])
		}
		args = append([]string{path}, args[1:]...)
	}
	if err := needRoot(); err != nil {
		return err
	}
	host, err := lifecycle.Open()
	if err != nil {
		return err
	}
	defer host.Close()
	changes, err := host.Watch() // before the first look, so that nothing is missed
	if err != nil {
		return err
	}
	defer changes.Close()
	w := &watcher{c: c, host: host, unable: args, keepers: map[domain.ID]*keeper{}}
	host.Say = func(id domain.ID, text string) {
		if id != (domain.ID{}) { // that an up is waited for is nothing to tell
			w.note(id, text)
		}
	}
	ended, told := make(chan error, 1), make(chan os.Signal, 1)
	signal.Notify(told, unix.SIGTERM, unix.SIGINT)
	go func() { ended <- w.follow(changes) }()
	select {
	case err := <-ended:
		return err
	case <-told:
		w.work.Lock() // what was begun is done
		w.mu.Lock()
		c.code = 0 // what went wrong was said then
		return nil
	}
}

// program returns the path of a program, which a name without a slash has in PATH. It
// is looked for before it is needed.
func program(name string) (path string, ok bool) {
	dirs := []string{""}
	if !strings.Contains(name, "/") {
		dirs = filepath.SplitList(os.Getenv("PATH"))
	}
	for _, dir := range dirs {
		path = filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && filepath.IsAbs(path) && unix.Access(path, unix.X_OK) == nil {
			return path, true
		}
	}
	return "", false
}

// watcher is one call of rdomain watch.
type watcher struct {
	c       *command
	host    *lifecycle.Host
	unable  []string
	keepers map[domain.ID]*keeper
	// guarded are the trials that are waited for, and guards the right to change the list.
	guarded []*lifecycle.Guard
	guards  sync.Mutex
	// work is held, for reading, while a domain is changed.
	work sync.RWMutex
	mu   sync.Mutex // what is said, and the exit code
}

// keeper is the work on one domain; domains do not wait for each other.
type keeper struct {
	*watcher
	id   domain.ID
	poke chan struct{}
	// said is the state that lasts and was said last, so that it is said once.
	said string
	// did are the times of the last repairs.
	did []time.Time
	// owners are links that are not taken yet.
	owners lifecycle.Owners
	// tended: the domain has leases or endpoints that are tended when it is time.
	tended bool
	// carriers are how often those of links have changed, told what was said last of a lease.
	carriers map[string]uint32
	told     string
}

// follow looks at all domains, and then at those that a change concerns.
func (w *watcher) follow(changes *lifecycle.Changes) error {
	for {
		list, err := changes.Next()
		if err != nil {
			return err
		}
		start := time.Now()
		w.guard()
		w.members()
		for _, id := range list {
			w.look(id)
		}
		// Where links come and go all the time, this takes half a processor at most.
		time.Sleep(min(time.Since(start), time.Second))
	}
}

// members tells the programs that keep services in their VRF which links the VRFs have
// now, those that others made too.
func (w *watcher) members() {
	if err := enter.KnowMembers(0); err != nil {
		w.fail(err)
	}
}

func (w *watcher) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.c.fail(err)
}

// look has a domain looked at soon.
func (w *watcher) look(id domain.ID) {
	k, ok := w.keepers[id]
	if !ok {
		k = &keeper{watcher: w, id: id, poke: make(chan struct{}, 1), carriers: map[string]uint32{}, owners: lifecycle.Owners{}}
		w.keepers[id] = k
		go k.run()
	}
	select {
	case k.poke <- struct{}{}:
	default: // it will look after this change too
	}
}

func (w *watcher) note(id domain.ID, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.c.stderr, "rdomain: note: %s: %s\n", id, text)
}

// once says a state that lasts, once.
func (k *keeper) once(state string, say func()) {
	if k.said != state && state != "" {
		say()
	}
	k.said = state
}

// run keeps the domain, and tends it, for ever. What it is tended by, servers and resolvers,
// may not answer: it is kept all the same.
func (k *keeper) run() {
	timer, done := time.NewTimer(time.Hour), make(chan time.Duration)
	due, tending := false, false
	for {
		select {
		case <-k.poke:
			k.keep()
			due = true
		case <-timer.C:
			due = true
		case next := <-done:
			tending = false
			if next > 0 {
				timer.Reset(next)
			}
		}
		if due && !tending && k.tended {
			due, tending = false, true
			go func() { done <- k.tend() }()
		}
	}
}

// tend tends the leases and endpoints, and returns when it is to be done again; 0 for never.
func (k *keeper) tend() time.Duration {
	next, notes, err := k.host.Tend(k.id, k.carriers)
	for _, text := range notes {
		if text != k.told {
			k.note(k.id, text)
		}
		k.told = text
	}
	if err != nil && err.Error() != k.told {
		k.told = err.Error()
		k.fail(err)
	}
	return next
}

// keep puts the domain right, or gives it up.
func (k *keeper) keep() {
	gone := false
	for failed := 0; ; {
		k.work.RLock()
		kept, err := k.host.Keep(k.id, k.owners)
		k.work.RUnlock()
		switch {
		case err == nil && kept.Early != "" && len(kept.Did) == 0:
			time.Sleep(200 * time.Millisecond)
			continue
		case err == nil:
			k.report(kept)
			return
		case errors.Is(err, lifecycle.ErrGone) && !gone:
			gone = true // udev, or who deleted it, may be about to make it again
			time.Sleep(time.Second)
			continue
		}
		k.once(err.Error(), func() { k.fail(err) })
		if gone && errors.Is(err, lifecycle.ErrGone) {
			k.giveUp()
			return
		}
		if exitCode(err) == domain.ExitPermanent {
			return // a file that is wrong is no reason to stop what runs
		}
		if failed++; failed == failures {
			k.giveUp()
			return
		}
		time.Sleep(time.Duration(failed) * time.Second)
	}
}

// report says what was done, and gives the domain up where it was too often.
func (k *keeper) report(kept *lifecycle.Kept) {
	k.tended = kept.Tended
	text := ""
	switch {
	case len(kept.Missing) > 0:
		text = fmt.Sprintf("there is no link %s; it is taken in when there is", strings.Join(kept.Missing, ", "))
	case len(kept.Bare) > 0:
		text = fmt.Sprintf("link %s has no address yet; it is taken in when its owner has given it one", strings.Join(kept.Bare, ", "))
	}
	// A program that dials makes the link at each try, and takes it away: that is one state.
	k.once(strings.Join(slices.Sorted(slices.Values(slices.Concat(kept.Missing, kept.Bare))), " "), func() { k.note(k.id, text) })
	if len(kept.Did) == 0 {
		return
	}
	if len(kept.Came) > 0 {
		k.note(k.id, "took in link "+strings.Join(kept.Came, ", ")+", which its owner has made")
		return
	}
	text = fmt.Sprintf("somebody changed it; put right: %s", kept.Did[0])
	if more := len(kept.Did) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	if len(kept.Was) > 0 {
		text += fmt.Sprintf(", with %s as it was when %s was brought up", strings.Join(kept.Was, ", "), k.id)
	}
	k.note(k.id, text)
	k.did = append(k.did, time.Now())
	if k.did = k.did[max(0, len(k.did)-often):]; len(k.did) == often && time.Since(k.did[0]) < within {
		k.did = nil
		k.note(k.id, fmt.Sprintf("somebody undoes it again and again (%d times within %d s)", often, within/time.Second))
		k.giveUp()
	}
}

// giveUp executes the program for a domain that cannot be kept, in place of this one,
// which the init system starts again.
func (k *keeper) giveUp() {
	if len(k.unable) == 0 {
		return
	}
	args := make([]string, len(k.unable))
	for i, a := range k.unable {
		args[i] = strings.ReplaceAll(a, "{}", k.id.String())
	}
	k.note(k.id, "cannot be kept as it was made; executing "+strings.Join(args, " "))
	k.work.Lock() // what was begun is done
	defer k.work.Unlock()
	err := unix.Exec(args[0], args, os.Environ())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c.fail(fmt.Errorf("%s: %w", args[0], err))
}
