package kernel

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rdgen/runtime/netns"
	"rdgen/runtime/plan"
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
	list := listeners()
	if h.listened.of == nil {
		h.listened.of = map[netns.ID]listenedAt{}
	}
	h.listened.of[id] = listenedAt{time.Now(), list}
	return list
}

// listeners returns what programs of the calling thread's namespace listen at.
func listeners() (list []plan.Listener) {
	for _, file := range []string{"tcp", "tcp6", "udp", "udp6"} {
		protocol := file[:3]
		state := map[string]string{"tcp": "0A", "udp": "07"}[protocol]
		text, _ := os.ReadFile("/proc/thread-self/net/" + file) // there is none without IPv6
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 4 || f[3] != state {
				continue
			}
			address, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			raw, wrong := hex.DecodeString(address)
			if err != nil || wrong != nil || len(raw)%4 != 0 {
				continue
			}
			for word := range slices.Chunk(raw, 4) { // each printed as a number of this machine
				binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
			}
			if a, ok := netip.AddrFromSlice(raw); ok {
				list = append(list, plan.Listener{Protocol: protocol, At: netip.AddrPortFrom(a.Unmap(), uint16(n))})
			}
		}
	}
	return list
}
