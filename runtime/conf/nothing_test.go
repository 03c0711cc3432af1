package conf

import (
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/problem"
)

// TestFromNothing reads files whose domains work once they are up: want is the place and
// the fact of what does not come up from nothing, hint a part of what to do.
func TestFromNothing(t *testing.T) {
	const (
		vrf   = "[Domain]\nKind=vrf\nTable=10\n"
		leaf  = "[Link up0]\nKind=veth\nPeer=to-leaf\nOuter=core\nAddress=10.1.0.2/24\nPeerAddress=10.1.0.1/24\n"
		route = "[Route]\nDestination=10.2.0.0/16\nGateway=10.1.0.2\n"
		plain = "[Link v]\nKind=veth\nPeer=p\nAddress=10.1.0.2/24\nPeerAddress=10.1.0.1/24\n"
	)
	waits := "leaf waits until core is up: neither comes up from nothing"
	for _, row := range []struct {
		name       string
		files      map[string]string
		want, hint string
	}{
		{"a gateway", map[string]string{"core": route, "leaf": leaf},
			"core.conf:1 Gateway=10.1.0.2 is behind link to-leaf, that leaf makes (/etc/rdomain/leaf.conf:1), and " + waits, "write a PeerRoute=10.2.0.0/16 into [Link up0] of /etc/rdomain/leaf.conf"},
		{"a gateway, beside a card", map[string]string{"core": "[Link eth0]\n" + route, "leaf": leaf}, "core.conf:2 Gateway=10.1.0.2 is behind", "PeerRoute="},
		{"a device", map[string]string{"core": "[Route]\nDestination=10.2.0.0/16\nDevice=to-leaf\n", "leaf": leaf}, "core.conf:3 Device=to-leaf is a link that leaf makes", "PeerRoute="},
		{"a neighbour", map[string]string{"core": "[Neighbor]\nDevice=to-leaf\nAddress=10.0.0.1\nLinkLayerAddress=02:00:00:00:00:01\n", "leaf": leaf}, "core.conf:2 Device=to-leaf", ""},
		{"a source", map[string]string{"core": "[Link d]\nKind=dummy\n[Route]\nDestination=10.2.0.0/16\nDevice=d\nPreferredSource=10.1.0.1\n", "leaf": leaf},
			"core.conf:3 PreferredSource=10.1.0.1 is an address of link to-leaf, that leaf makes", "let core itself have the link"},
		{"a sysctl", map[string]string{"core": "[Sysctl]\nnet.ipv4.conf.to-leaf.forwarding=1\n", "leaf": leaf}, "core.conf:2 net/ipv4/conf/to-leaf/forwarding is of link to-leaf,", ""},
		{"a parent", map[string]string{"core": "", "leaf": leaf, "v": "[Domain]\nRequires=leaf\n[Link x]\nKind=macvlan\nParent=to-leaf\nOuter=core\n"}, "", ""},
		{"a parent that waits", map[string]string{"core": "[Link x]\nKind=macvlan\nOuter=core\nParent=to-leaf\n", "leaf": leaf}, "core.conf:4 Parent=to-leaf is a link that leaf makes", "let core itself have the link"},
		{"a bridge", map[string]string{"core": "[Link x]\nKind=veth\nPeer=y\nOuter=core\nPeerBridge=br\n", "leaf": "[Domain]\nRequires=core\n[Link br]\nKind=bridge\n"}, "core.conf:5 PeerBridge=br is a link that no file has", "[Link br] with Kind=bridge"},
		{"a link taken", map[string]string{"a": "[Link p]\n", "b": "[Domain]\nRequires=a\n" + plain}, "a.conf:1 [Link p] is a link that b makes", "let a itself"},
		{"a link taken when it comes", map[string]string{"a": "[Link p]\nRequiredForOnline=no\n", "b": "[Domain]\nRequires=a\n" + plain}, "", ""},
		{"a link waited for", map[string]string{"a": "[Domain]\nRequiresLink=p\n", "b": "[Domain]\nRequires=a\n" + plain}, "a.conf:2 RequiresLink=p is a link that b makes", ""},
		{"a link that comes", map[string]string{"a": "[Link p]\n", "b": plain}, "", ""},
		{"nothing says which is first", map[string]string{"a": vrf + "[Route]\nDestination=10.2.0.0/16\nGateway=10.1.0.2\n", "b": plain}, "a.conf:4 Gateway=10.1.0.2 is behind link p, that b makes (/etc/rdomain/b.conf:1), which may come up later", "write Requires=b"},
		{"and here one does", map[string]string{"a": vrf + "Requires=b\n[Route]\nDestination=10.2.0.0/16\nGateway=10.1.0.2\n", "b": plain}, "", ""},
		{"by way of a third", map[string]string{"core": route, "mid": "[Domain]\nRequires=core\n", "leaf": "[Domain]\nRequires=mid\n" + leaf}, "core.conf:1 Gateway=", ""},
		{"a link of its own", map[string]string{"core": "[Link d]\nKind=dummy\nAddress=10.1.0.1/24\n" + route, "leaf": leaf}, "", ""},
		{"a route of its own", map[string]string{"core": "[Link eth0]\n[Route]\nDestination=10.1.0.0/24\nDevice=eth0\n" + route, "leaf": leaf}, "", ""},
		{"the other way", map[string]string{"core": "", "leaf": leaf + "[Route]\nDestination=10.2.0.0/16\nGateway=10.1.0.1\n"}, "", ""},
		{"a vrf, by its namespace's link", map[string]string{"t": "[Link d]\nKind=dummy\nAddress=10.1.0.1/24\n", "x@t": vrf + "[Route]\nDestination=10.2.0.0/16\nDevice=d\n"}, "", ""},
		{"a namespace, by its vrf's link", map[string]string{"t": "[Route]\nDestination=10.2.0.0/16\nDevice=d\n", "x@t": vrf + "[Link d]\nKind=dummy\n"}, "t.conf:3 Device=d is a link that x@t makes", ""},
	} {
		fsys := fstest.MapFS{}
		for id, text := range row.files {
			fsys["etc/rdomain/"+id+".conf"] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
		all := ReadAll(fsys)
		if len(all.Errs) > 0 {
			t.Fatalf("%s: %v", row.name, all.Errs)
		}
		found := all.Together()
		if row.want == "" {
			if len(found) > 0 {
				t.Errorf("%s: %v; want nothing", row.name, found)
			}
			continue
		}
		if len(found) != 1 {
			t.Errorf("%s: %v; want one", row.name, found)
			continue
		}
		got := strings.Replace(strings.TrimPrefix(found[0].Error(), Dir+"/"), ": ", " ", 1)
		if hint := found[0].(*problem.Error).Hint; !strings.HasPrefix(got, row.want) || !strings.Contains(hint, row.hint) {
			t.Errorf("%s: %s\nhint: %s\nwant %s\nhint: %s", row.name, got, hint, row.want, row.hint)
		}
		for id := range row.files { // both of them can be asked
			part := strings.Contains(found[0].Error(), "/"+id+".conf")
			if with := all.With(Dir + "/" + id + ".conf"); (len(with) == 1) != part {
				t.Errorf("%s: of %s: %v", row.name, id, with)
			}
		}
	}
}
