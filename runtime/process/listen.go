package process

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Listener is a socket that takes connections, or packets from anybody.
type Listener struct {
	Protocol string // tcp, udp
	At       netip.AddrPort
	// Inode is the socket's number, by which processes have it open.
	Inode uint64
}

// Listeners returns what listens in the network namespace of a process of /proc:
// "thread-self", or a pid. All its programs' sockets are walked for it.
func Listeners(of string) (list []Listener) {
	for _, file := range []string{"tcp", "tcp6", "udp", "udp6"} {
		text, _ := os.ReadFile("/proc/" + of + "/net/" + file) // there is none without IPv6
		list = append(list, parseListeners(file[:3], string(text))...)
	}
	return list
}

// parseListeners reads a file of /proc/PID/net.
func parseListeners(protocol, text string) (list []Listener) {
	state := map[string]string{"tcp": "0A", "udp": "07"}[protocol]
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != state {
			continue
		}
		address, port, _ := strings.Cut(f[1], ":")
		n, err := strconv.ParseUint(port, 16, 16)
		raw, wrong := hex.DecodeString(address)
		inode, no := strconv.ParseUint(f[9], 10, 64)
		if err != nil || wrong != nil || no != nil || len(raw)%4 != 0 {
			continue
		}
		for word := range slices.Chunk(raw, 4) { // each printed as a number of this machine
			binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
		}
		if a, ok := netip.AddrFromSlice(raw); ok {
			list = append(list, Listener{protocol, netip.AddrPortFrom(a.Unmap(), uint16(n)), inode})
		}
	}
	return list
}

// Sockets returns the numbers of the sockets that a process has open. The error matches
// fs.ErrPermission if the caller may not know.
func Sockets(pid int) (inodes []uint64, err error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		target, _ := os.Readlink(dir + e.Name()) // it was closed meanwhile
		number, is := strings.CutPrefix(target, "socket:[")
		if inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64); is && err == nil {
			inodes = append(inodes, inode)
		}
	}
	return inodes, nil
}
