package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// up makes domains with a veth pair, two addresses and a route each.
func up(bin, dir string) error {
	os.MkdirAll("/etc/rdomain", 0o755)
	var last float64
	for _, n := range []int{200, 800} {
		var names []string
		var ip, down strings.Builder
		ip.WriteString("set -e\n")
		for i := range n {
			name, net := fmt.Sprintf("d%d", i), fmt.Sprintf("10.%d.%d", 100+i/250, i%250)
			names = append(names, name)
			conf := fmt.Sprintf("[Domain]\nKind=netns\n\n[Link veth0]\nKind=veth\nPeer=o%d\nAddress=%s.2/30\nPeerAddress=%s.1/30\n\n"+
				"[Route]\nDestination=default\nGateway=%s.1\n", i, net, net, net)
			if err := os.WriteFile("/etc/rdomain/"+name+".conf", []byte(conf), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(&ip, `ip netns add %[1]s
ip -n %[1]s link set lo up
ip link add o%[2]d type veth peer name veth0 netns %[1]s
ip -n %[1]s address add %[3]s.2/30 dev veth0
ip -n %[1]s link set veth0 up
ip address add %[3]s.1/30 dev o%[2]d
ip link set o%[2]d up
ip -n %[1]s route add default via %[3]s.1
`, name, i, net)
			fmt.Fprintf(&down, "ip netns del %s\n", name)
		}
		script := dir + "/up.sh"
		if err := os.WriteFile(script, []byte(ip.String()), 0o755); err != nil {
			return err
		}
		after := func(argv ...string) func() error {
			return func() error {
				if err := run(argv...); err != nil {
					return err
				}
				return noLinks("o")
			}
		}
		ours := timed(append([]string{bin + "/rdomain", "up"}, names...), after(append([]string{bin + "/rdomain", "down"}, names...)...))
		if n > 200 {
			a, _, err := alternate(3, ours, func() (float64, error) { return 0, nil })
			if err != nil {
				return err
			}
			row("rdomain up: 800 domains", "4 x the time for 200", a, []float64{4 * last}, 1.2)
			continue
		}
		a, b, err := alternate(*large, ours, timed([]string{"sh", script}, after("sh", "-c", down.String())))
		if err != nil {
			return err
		}
		row("rdomain up: 200 domains, veth, addresses, route", "a script of ip commands", a, b, 0.25)
		last = median(a)
	}
	return nil
}

// noLinks waits until the kernel has taken down every link that starts with
// prefix: it does so after the command that deleted its namespace has returned.
func noLinks(prefix string) error {
	for range 3000 {
		entries, err := os.ReadDir("/proc/sys/net/ipv4/conf")
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
			_, err := strconv.Atoi(strings.TrimPrefix(e.Name(), prefix))
			return strings.HasPrefix(e.Name(), prefix) && err == nil
		}) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("links %s* are still there", prefix)
}
