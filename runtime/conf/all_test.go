package conf

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"rdgen/problem"
)

// TestAll reads files that are right each by itself: want is the place of what is wrong
// between them.
func TestAll(t *testing.T) {
	const vrf = "[Domain]\nKind=vrf\nTable=10\n"
	for _, row := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"one table in one namespace", map[string]string{"a": vrf, "b": vrf}, "b.conf:1 Table=10"},
		{"one table in two", map[string]string{"a": vrf, "b@t1": vrf, "t1": ""}, ""},
		{"one peer", map[string]string{"a": "[Link v]\nKind=veth\nPeer=p\n", "b": "[Link v]\nKind=veth\nPeer=p\n"}, "b.conf:3 Peer=p"},
		{"one peer in two namespaces", map[string]string{"a": "[Link v]\nKind=veth\nPeer=p\nOuter=b\n", "b": "", "c": "[Link v]\nKind=veth\nPeer=p\n"}, ""},
		{"a peer and a vrf's link", map[string]string{"a": "[Link v]\nKind=veth\nPeer=p\n", "b": vrf + "[Link p]\nKind=dummy\n"}, "b.conf:4 [Link p]"},
		{"one card", map[string]string{"a": "[Link eth1]\n", "b": vrf + "[Link eth1]\n"}, "b.conf:4 [Link eth1]"},
		{"a card, and in its namespace a vrf", map[string]string{"t1": "[Link eth1]\n", "b@t1": vrf + "[Link eth1]\n"}, ""},
		{"a peer that another takes", map[string]string{"a": "[Link v]\nKind=veth\nPeer=p\n", "b": "[Link p]\n"}, ""},
		{"no device", map[string]string{"a": "[Route]\nDestination=10.0.0.0/8\nDevice=x\n"}, "a.conf:3 Device=x"},
		{"no device of a neighbour", map[string]string{"a": "[Neighbor]\nDevice=x\nAddress=10.0.0.1\nLinkLayerAddress=02:00:00:00:00:01\n"}, "a.conf:2 Device=x"},
		{"no bridge", map[string]string{"a": "[Link e0]\nBridge=br0\n"}, "a.conf:2 Bridge=br0 is a link that no file has"},
		{"a bridge", map[string]string{"a": "[Link e0]\nBridge=br0\n[Link br0]\nKind=bridge\n"}, ""},
		{"a bridge of the namespace for its vrf", map[string]string{"a": "[Link br0]\nKind=bridge\n", "b@a": vrf + "[Link e0]\nKind=veth\nPeer=e1\nPeerBridge=br0\n"}, ""},
		{"none", map[string]string{"a": "", "b@a": vrf + "[Link e0]\nKind=veth\nPeer=e1\nPeerBridge=br0\n"}, "b@a.conf:7 PeerBridge=br0 is a link that no file has"},
		{"a bridge of the host", map[string]string{"a": "[Link e0]\nKind=veth\nPeer=e1\nPeerBridge=br0\n", "b": vrf + "[Link e2]\nBridge=br0\n"}, ""},
		{"no parent", map[string]string{"a": "[Link e0]\nKind=macvlan\nParent=e9\nOuter=a\n"}, "a.conf:3 Parent=e9 is a link that no file has"},
		{"a parent of the host", map[string]string{"a": "[Link e0]\nKind=macvlan\nParent=e9\n"}, ""},
		{"a device of another namespace, and a link of outside", map[string]string{"a": "[Domain]\nRequiresLink=p\n[Route]\nDestination=10.0.0.0/8\nDevice=p\n"}, "a.conf:5 Device=p is a link that no file has"},
		{"a vrf and its namespace", map[string]string{"t1": "[Domain]\nRequires=b@t1\n", "b@t1": vrf}, "t1.conf:2 domains require each other, so none comes up: b@t1, t1, b@t1"},
		{"lo, and the vrf itself", map[string]string{"a": vrf + "[Route]\nDestination=10.0.0.0/8\nDevice=a\n[Route]\nDestination=11.0.0.0/8\nDevice=lo\n"}, ""},
		{"a circle of two", map[string]string{"a": "[Domain]\nRequires=b\n", "b": "[Domain]\nRequires=a\n"}, "b.conf:2 domains require each other, so none comes up: a, b, a"},
		{"a circle by Outer=", map[string]string{"a": "[Link v]\nKind=veth\nPeer=p\nOuter=b\n", "b": "[Domain]\nRequires=a\n"}, "b.conf:2 domains require"},
		{"a diamond", map[string]string{"a": "[Domain]\nRequires=b c\n", "b": "[Domain]\nRequires=d\n", "c": "[Domain]\nRequires=d\n", "d": ""}, ""},
		{"one port", map[string]string{"a": "[Link v]\nKind=veth\nPeer=p\nAddress=10.1.0.2/24\nAddress=2001:db8:1::2/64\nPeerAddress=10.1.0.1/24\nPeerAddress=2001:db8:1::1/64\n[Publish]\nListen=80\n",
			"b": "[Link v]\nKind=veth\nPeer=q\nAddress=10.2.0.2/24\nAddress=2001:db8:2::2/64\nPeerAddress=10.2.0.1/24\nPeerAddress=2001:db8:2::1/64\n[Publish]\nListen=80\n"}, "b.conf:8 Listen=80 is published already, in /etc/rdomain/a.conf:8"},
		{"one port of two addresses", map[string]string{"a": publishing + "[Publish]\nListen=192.0.2.1:80\n", "b": "[Link v]\nKind=veth\nPeer=q\nAddress=10.2.0.2/24\nPeerAddress=10.2.0.1/24\n[Publish]\nListen=192.0.2.2:80\n[Publish]\nListen=192.0.2.1:80\nProtocol=udp\n"}, ""},
		{"one network with NAT", map[string]string{"a": publishing + "[Publish]\nListen=80\n", "b": "[Link v]\nKind=veth\nPeer=q\nAddress=10.0.0.9/24\nPeerAddress=10.0.0.1/24\nMasquerade=yes\n"}, "b.conf:5 PeerAddress=10.0.0.1/24 is in the network of another"},
		{"one network in two namespaces", map[string]string{"a": publishing + "[Publish]\nListen=80\n", "o": "", "b": "[Link v]\nKind=veth\nPeer=q\nOuter=o\nAddress=10.0.0.9/24\nPeerAddress=10.0.0.1/24\nMasquerade=yes\n[Publish]\nListen=80\n"}, ""},
	} {
		fsys := fstest.MapFS{}
		for id, text := range row.files {
			fsys["etc/rdomain/"+id+".conf"] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
		all := ReadAll(fsys)
		if len(all.Errs) > 0 {
			t.Fatalf("%s: %v", row.name, all.Errs)
		}
		var got []string
		for _, err := range all.Together() {
			got = append(got, strings.Replace(strings.TrimPrefix(err.Error(), Dir+"/"), ": ", " ", 1))
		}
		if len(got) > 1 || (len(got) == 0) != (row.want == "") || len(got) == 1 && !strings.HasPrefix(got[0], row.want) {
			t.Errorf("%s: %q; want %q", row.name, got, row.want)
		}
	}
}

// TestAllFiles: what is no domain's file, and one that others can write.
func TestAllFiles(t *testing.T) {
	fsys := fstest.MapFS{
		"etc/rdomain":               {Mode: fs.ModeDir | 0o777},
		"etc/rdomain/bad name.conf": {}, "etc/rdomain/name-of-20-letters..@x.conf": {}, "etc/rdomain/.hidden.conf": {}, "etc/rdomain/a.conf.bak": {},
		"etc/rdomain/wide.conf": {Mode: 0o666}, "etc/rdomain/dir.conf/x": {}, "etc/rdomain/fine.conf": {Mode: 0o644},
		".":                      {Mode: fs.ModeDir | 0o755, Sys: &unix.Stat_t{Uid: 1000, Gid: 1000}}, // below another's root, he is root
		"etc/rdomain/his.conf":   {Mode: 0o644, Sys: &unix.Stat_t{Uid: 7}},
		"etc/rdomain/group.conf": {Mode: 0o664, Sys: &unix.Stat_t{Gid: 7}},
		"etc/rdomain/mine.conf":  {Mode: 0o664, Sys: &unix.Stat_t{Uid: 1000, Gid: 1000}},
	}
	want := "/etc/rdomain: can be written by everybody|/etc/rdomain/bad name.conf: is the file of no domain|/etc/rdomain/dir.conf: is not a regular file|" +
		"/etc/rdomain/group.conf: can be written by group 7|/etc/rdomain/his.conf: belongs to user 7|" +
		"/etc/rdomain/name-of-20-letters..@x.conf: is the file of no domain|/etc/rdomain/wide.conf: can be written by everybody"
	var got []string
	for _, err := range ReadAll(fsys).Errs {
		if _, ok := errors.AsType[*problem.Error](err); !ok {
			t.Errorf("%v has no place", err)
		}
		text, _, _ := strings.Cut(err.Error(), ";")
		if i := strings.Index(text, " no domain"); i > 0 {
			text = text[:i+len(" no domain")]
		}
		got = append(got, text)
	}
	if strings.Join(got, "|") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "|"), want)
	}
	if all := ReadAll(fstest.MapFS{}); len(all.Errs)+len(all.Files) > 0 {
		t.Errorf("without %s: %v", Dir, all)
	}
}

// TestSuggestions: what is meant, and where it stands.
func TestSuggestions(t *testing.T) {
	for text, want := range map[string]string{
		"[Link v]\nMTU=1400\n":         "did you mean MTUBytes?",
		"[Link v]\nDNS=10.0.0.1\n":     "it stands in [Domain]",
		"[Link v]\nGateway=10.0.0.1\n": "it stands in [Route]",
		"[Route]\nAddress=10.0.0.1\n":  "it stands in [Address] or [Link NAME] or [Neighbor]",
		"[Peer]\n":                     "[WireGuardPeer NAME]",
		"[Interface]\n":                "PrivateKeyFile=",
		"[Link v]\nIPv6AcceptRA=no\n[Sysctl]\nnet.ipv6.conf.v.accept_ra=2\n": "IPv6AcceptRA= and the variable net/ipv6/conf/v/accept_ra exclude each other",
		"[Link v]\nIPv6PrivacyExtensions=no\n":                               "net.ipv6.conf.LINK.use_tempaddr",
		"[Link v]\naddress=10.0.0.1/8\n":                                     "did you mean Address?",
		"[Link v]\nAdress=10.0.0.1/8\n":                                      "did you mean Address?",
		"[Link v]\nIPv6Token=::1\n":                                          "unknown key IPv6Token=",
		"[Domain]\nExecStartPost=x\n":                                        "rdomain runs no command: make it a service",
		"[Link v]\nPostUp=x\n":                                               "rdomain runs no command: make it a service",
		"[Link v]\nQuux=1\n":                                                 "expected one of",
		"[Domian]\n":                                                         "did you mean Domain?",
		"[Link v]\n6=1\n":                                                    "expected KEY=VALUE",
	} {
		_, err := parse(t, "a", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse of %q: %v; want %q", text, err, want)
		}
	}
}
