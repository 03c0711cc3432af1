package vm

import (
	"slices"
	"testing"
	"time"
)

// Whoever takes longest is the next to get a place, in whatever order they came.
func TestLongestBeginsFirst(t *testing.T) {
	cache := t.TempDir()
	p := &places{name: "test", count: 1}
	held, err := p.take(cache, 0)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan int)
	for _, weight := range []int{20, 60, 40, 60} {
		go func() {
			f, err := p.take(cache, weight)
			if err != nil {
				weight = -1
			}
			taken <- weight
			f.Close()
		}()
	}
	for waiting := 0; waiting < 4; time.Sleep(time.Millisecond) {
		p.change(func() { waiting = len(p.waiting) })
	}
	held.Close()
	var order []int
	for range 4 {
		order = append(order, <-taken)
	}
	if want := []int{60, 60, 40, 20}; !slices.Equal(order, want) {
		t.Errorf("the places went to %v; want %v", order, want)
	}
}
