package parallel

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestEach(t *testing.T) {
	for _, c := range []struct{ n, workers int }{{0, 4}, {1, 4}, {5, 1}, {100, 7}} {
		done := make([]atomic.Int32, c.n)
		Each(c.n, c.workers, func(i int) { done[i].Add(1) })
		for i := range done {
			if n := done[i].Load(); n != 1 {
				t.Errorf("Each(%d, %d) did %d %d times", c.n, c.workers, i, n)
			}
		}
	}
}

// As many as workers are at work at once, and no more: each waits until
// that many have begun, and nobody sees one more.
func TestEachAtOnce(t *testing.T) {
	const workers = 3
	var mu sync.Mutex
	busy, most := 0, 0
	arrived := make(chan struct{}, workers)
	all := make(chan struct{})
	go func() {
		for range workers {
			<-arrived
		}
		close(all)
	}()
	Each(3*workers, workers, func(i int) {
		mu.Lock()
		busy++
		most = max(most, busy)
		mu.Unlock()
		if i < workers {
			arrived <- struct{}{}
		}
		<-all
		mu.Lock()
		busy--
		mu.Unlock()
	})
	if most != workers {
		t.Errorf("%d were at work at once; want %d", most, workers)
	}
}
