package main

import (
	"net"
	"os"
	"strings"
	"testing"
)

// TestOverlapPage: the two files of docs/overlap.md give two sites with the same addresses.
// Each is reached by an address of its own, and what is inside reaches its own site alone.
func TestOverlapPage(t *testing.T) {
	start(t)
	world(t)
	page, err := os.ReadFile("../../docs/overlap.md")
	if err != nil {
		t.Fatal(err)
	}
	sh(t, "ip address add 192.0.2.10/24 dev uplink; ip address add 192.0.2.11/24 dev uplink")
	sites := []struct{ name, card, address string }{{"site-a", "eth1", "192.0.2.10:80"}, {"site-b", "eth2", "192.0.2.11:80"}}
	for _, s := range sites {
		_, text, found := strings.Cut(string(page), "\n    # /etc/rdomain/"+s.name+".conf\n")
		if !found {
			t.Fatalf("the page has no %s.conf", s.name)
		}
		var conf strings.Builder
		for line := range strings.Lines(text) {
			line, code := strings.CutPrefix(line, "    ")
			if !code && line != "\n" {
				break
			}
			conf.WriteString(line)
		}
		file(t, s.name, conf.String())
		sh(t, "ip netns add at-"+s.name+"; ip link add "+s.card+" type veth peer name lan netns at-"+s.name+
			"; ip -n at-"+s.name+" address add 10.0.0.9/24 dev lan; ip -n at-"+s.name+" link set lan up")
	}
	before := snapshot(t)
	quiet(t, "up", "site-a", "site-b")
	says(t, 0, "", "", "check", "site-a", "site-b")
	for _, s := range sites {
		listen := func(netns, address string) (l net.Listener) {
			insideOf(t, netns, func() (err error) {
				l, err = net.Listen("tcp4", address)
				return err
			})
			return l
		}
		service, far := listen(s.name, ":80"), listen("at-"+s.name, "10.0.0.9:80")
		for from, want := range map[string]string{"world": "192.0.2.2", "": "192.0.2.1"} {
			if got := asked(t, service, from, s.address); got != want {
				t.Errorf("%s is asked by %s; want %s", s.name, got, want)
			}
		}
		if got := asked(t, far, s.name, "10.0.0.9:80"); got != "10.0.0.1" {
			t.Errorf("10.0.0.9 of %s is asked by %s", s.name, got)
		}
		insideOf(t, "at-"+s.name, func() error {
			if c, err := net.Dial("tcp4", "192.0.2.2:80"); err == nil {
				c.Close()
				t.Errorf("%s has a way out", s.name)
			}
			return nil
		})
		service.Close()
		far.Close()
	}
	quiet(t, "down", "site-a", "site-b")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves\n%s\nwhere there was\n%s", got, before)
	}
	sh(t, "ip link delete eth1; ip link delete eth2; ip netns delete at-site-a; ip netns delete at-site-b")
}
