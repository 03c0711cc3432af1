// Package parallel does many things of one kind at once.
package parallel

import (
	"sync"
	"sync/atomic"
)

// Each calls do with 0 to n-1, at most workers of them at once, and returns when
// all are done. What do keeps, it keeps in a place of its own for each number, so
// that the result does not depend on the order.
func Each(n, workers int, do func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, workers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
