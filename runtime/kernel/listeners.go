package kernel

import (
	"sync"
	"time"

	"rdgen/runtime/netns"
	"rdgen/runtime/plan"
	"rdgen/runtime/process"
)

// listened are the listeners of namespaces, each read once a second: the kernel walks all
// its sockets for each of these files, and all domains of a machine may ask.
type listened struct {
	sync.Mutex
	of map[netns.ID]listenedAt
}

type listenedAt struct {
	at   time.Time
	list []plan.Listener
}

// listeners returns what programs of the calling thread's namespace, id, listen at.
func (h *Home) listeners(id netns.ID) []plan.Listener {
	h.listened.Lock()
	defer h.listened.Unlock()
	if was, ok := h.listened.of[id]; ok && time.Since(was.at) < time.Second {
		return was.list
	}
	var list []plan.Listener
	for _, l := range process.Listeners("thread-self") {
		list = append(list, plan.Listener{Protocol: l.Protocol, At: l.At})
	}
	if h.listened.of == nil {
		h.listened.of = map[netns.ID]listenedAt{}
	}
	h.listened.of[id] = listenedAt{time.Now(), list}
	return list
}
