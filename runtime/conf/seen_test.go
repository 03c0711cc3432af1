package conf

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/object"
)

// What a file names is read again as it was, from notes that have no key, and no comment, in
// which one may stand.
func TestRecall(t *testing.T) {
	const text = "[Domain]\nFirewall=/etc/r.nft\n[Link t0]\nKind=tun\nUser=alice\nGroup=net\n" +
		"[Link w0]\nKind=wireguard\nPrivateKeyFile=/etc/w0\n[WireGuardPeer w0]\nPublicKey=" + public + "\nPresharedKeyFile=/etc/none\n" +
		"[Link q0]\nKind=wireguard\nConfigFile=" + config + "\n[Route]\nDestination=default\nDevice=w0\nTable=isp\n[RoutingPolicyRule]\nPriority=1\nUser=bob\nTable=main\n" +
		"[RoutingPolicyRule]\nPriority=2\nUser=alice\nTable=isp\n"
	secret := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o600} }
	machine := fstest.MapFS{
		"etc/r.nft":      {Data: []byte("table inet a {\n}\n"), Mode: 0o644},
		"etc/passwd":     {Data: []byte("root:x:0:0::/:\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\nbob:x:1001:\n")},
		"etc/group":      {Data: []byte("net:x:7:alice\n")},
		"etc/w0":         secret(private + "\n"),
		"etc/none":       secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
		config[1:]:       secret("# " + private + "\n\n[INTERFACE]\nPrivateKey = " + private + "\nAddress = 10.9.0.1/24\n\n[peer]\nPublicKey = " + public + " # it\nPresharedKey = " + other + "\nAllowedIPs = 10.10.0.0/16\n"),
		"etc/unrelated":  {Data: []byte("of nobody\n")},
		"etc/iproute2/x": {Data: []byte("7 isp\n")},
		"usr/share/iproute2/rt_tables.d/isp.conf": {Data: []byte("8 other\n0x7b isp # the first\n")},
	}
	type read struct {
		File          string
		Users, Groups map[string]string
		Ruleset       string
	}
	all := func(root fs.FS) (f *File, got read, keys map[object.Secret]Key) {
		t.Helper()
		f, err := Parse("vpn.conf", id(t, "vpn"), []byte(text), root)
		if err != nil {
			t.Fatal(err)
		}
		full, keys, errs := f.Keys(f.Root, 0)
		users, groups, more := f.Owners(f.Root)
		ruleset, err := f.Ruleset(f.Root)
		if len(errs)+len(more) > 0 || err != nil {
			t.Fatal(errs, more, err)
		}
		f.Note(f.Firewall, []byte(ruleset))
		return f, read{full.String(), users, groups, ruleset}, keys
	}
	f, want, keys := all(&Seen{machine, map[string][]byte{}})
	if f.Recalled() || keys["/etc/w0"] == (Key{}) {
		t.Errorf("read of the machine: recalled %v, keys %v", f.Recalled(), len(keys))
	}
	notes := map[string]string{}
	for file, text := range f.Notes() {
		notes[file] = string(text)
		if strings.Contains(string(text), private) || strings.Contains(string(text), other) {
			t.Errorf("noted of %s is\n%s", file, text)
		}
	}
	print := func(at object.Secret) string { return printed(keys[at]) }
	quick := object.SecretAt(config, 4)
	if diff := cmp.Diff(map[string]string{
		"/etc/r.nft":  "table inet a {\n}\n",
		"/etc/passwd": "alice:x:1000\nbob:x:1001\n",
		"/etc/group":  "net:x:7\n",
		"/etc/w0":     print("/etc/w0") + "\n",
		"/etc/none":   print("/etc/none") + "\n",
		config: "\n\n[interface]\nPrivateKey = " + print(quick) + "\nAddress = 10.9.0.1/24\n\n[peer]\nPublicKey = " + public +
			"\nPresharedKey = " + print(object.SecretAt(config, 9)) + "\nAllowedIPs = 10.10.0.0/16",
		"/usr/share/iproute2/rt_tables.d/isp.conf": "0x7b isp\n",
	}, notes); diff != "" {
		t.Errorf("notes (-want +got): %s", diff)
	}
	again, got, prints := all(Recall(f.Notes()))
	if diff := cmp.Diff(want, got); diff != "" || !again.Recalled() {
		t.Errorf("recalled (-was +is): %s", diff)
	}
	for at, k := range keys {
		if prints[at] != Print(k) {
			t.Errorf("in place of the key %s is not its print", at)
		}
	}
	if len(prints) != len(keys) || len(again.Notes()) != len(notes) {
		t.Errorf("recalled are %d keys of %d, %d notes of %d", len(prints), len(keys), len(again.Notes()), len(notes))
	}
}
