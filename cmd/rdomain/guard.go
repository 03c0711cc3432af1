package main

import (
	"errors"
	"io/fs"
	"slices"

	"rdgen/runtime/lifecycle"
)

// guard has each change that is on trial taken back if the process that keeps it is killed.
func (w *watcher) guard() {
	tried, err := w.host.Tried()
	if err != nil {
		w.fail(err)
		return
	}
	for _, id := range tried {
		g, err := w.host.Guard(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it came to its end
		}
		if err != nil {
			w.fail(err)
			continue
		}
		w.guards.Lock()
		known := slices.ContainsFunc(w.guarded, g.Same)
		if !known {
			w.guarded = append(w.guarded, g)
		}
		w.guards.Unlock()
		if known {
			g.Close()
			continue
		}
		go w.await(g)
	}
}

// await waits until a trial is at its end, and takes it back where nobody else will. One that
// cannot be taken back is known, so that this is said once.
func (w *watcher) await(g *lifecycle.Guard) {
	trial, err := g.Wait()
	if err != nil {
		w.fail(err)
		return
	}
	if trial != nil {
		w.takeBack(trial)
	}
	w.guards.Lock()
	w.guarded = slices.DeleteFunc(w.guarded, func(o *lifecycle.Guard) bool { return o == g })
	w.guards.Unlock()
	g.Close()
}

func (w *watcher) takeBack(trial *lifecycle.Trial) {
	w.work.RLock()
	defer w.work.RUnlock()
	left, err := trial.End()
	if err != nil {
		w.fail(err)
	}
	for _, id := range left {
		w.note(id, "a change was on trial, and the process that kept it is gone; taking it back")
	}
	if err := trial.Back(left); err != nil {
		w.fail(err)
	}
}
