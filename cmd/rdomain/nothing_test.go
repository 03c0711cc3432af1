package main

import (
	"strings"
	"testing"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// What two files say against each other was found by up alone: check was silent, and at
// boot both domains failed.
func TestCheckReadsTheOtherFiles(t *testing.T) {
	start(t)
	file(t, "core", "")
	file(t, "leaf", "[Link up0]\nKind=veth\nPeer=to-leaf\nOuter=core\nAddress=10.1.0.2/24\nPeerAddress=10.1.0.1/24\n")
	quiet(t, "up", "leaf")
	file(t, "core", "[Route]\nDestination=10.2.0.0/16\nGateway=10.1.0.2\n")
	quiet(t, "reload", "core")
	for _, name := range []string{"core", "leaf"} {
		out, _, code := rdomain("check", name)
		if code != 1 || !strings.Contains(out, "# "+name+": /etc/rdomain/core.conf:1: Gateway=10.1.0.2 is behind link to-leaf") {
			t.Errorf("check %s = %d, %s", name, code, out)
		}
	}
	quiet(t, "down", "--all")
	if _, err, code := rdomain("up", "--all"); code == 0 {
		t.Errorf("it came up from nothing: %s", err)
	}
	// And what check tells to do comes up.
	file(t, "core", "")
	file(t, "leaf", "[Link up0]\nKind=veth\nPeer=to-leaf\nOuter=core\nAddress=10.1.0.2/24\nPeerAddress=10.1.0.1/24\nPeerRoute=10.2.0.0/16\n")
	quiet(t, "up", "--all")
	quiet(t, "check", "--all")
	quiet(t, "down", "--all")
}

// A namespace that requires a VRF in itself was brought up inside of bringing it up, for
// ever.
func TestNamespaceRequiresItsVRF(t *testing.T) {
	start(t)
	file(t, "t1", "[Domain]\nRequires=x@t1\n")
	file(t, "x@t1", "[Domain]\nKind=vrf\nTable=10\n")
	for _, name := range []string{"t1", "x@t1"} {
		if _, err, code := rdomain("up", name); code != 100 || !strings.Contains(err, "t1.conf:2: domains require each other: ") {
			t.Errorf("up %s = %d, %s", name, code, err)
		}
		if out, _, code := rdomain("check", name); code != 1 || !strings.Contains(out, ": domains require each other, so none comes up: t1, x@t1, t1") {
			t.Errorf("check %s = %d, %s", name, code, out)
		}
	}
}

// A FIFO in place of another domain's file, or of a key, held check up for ever.
func TestCheckWaitsForNoFIFO(t *testing.T) {
	start(t)
	file(t, "good", "")
	file(t, "wg", "[Link wg0]\nKind=wireguard\nPrivateKeyFile=/etc/rdomain/key\n")
	sandbox.Sh(t, `mkfifo /etc/rdomain/fifo.conf /etc/rdomain/key`)
	quiet(t, "up", "good")
	quiet(t, "check", "good")
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/wg.conf:3: PrivateKeyFile=/etc/rdomain/key: is not a regular file\n", "check", "wg")
	quiet(t, "down", "good")
}

// A link to a file of /proc in place of a domain's file, or of a key, held up for ever where that
// was /proc/kmsg.
func TestNoFileOfTheKernel(t *testing.T) {
	start(t)
	file(t, "wg", "[Link wg0]\nKind=wireguard\nPrivateKeyFile=/etc/rdomain/key\n")
	sandbox.Sh(t, `ln -s /proc/version /etc/rdomain/k.conf; ln -s /proc/version /etc/rdomain/key`)
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/wg.conf:3: PrivateKeyFile=/etc/rdomain/key: is a file of the kernel, not a regular file\n", "check", "wg")
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/k.conf: is a file of the kernel, not a regular file\n", "check", "k")
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/k.conf: is a file of the kernel, not a regular file\n", "up", "k")
}

// A FIFO in place of a namespace's resolv.conf held up for ever, and a link that leads to
// nothing yet was replaced, and removed by down.
func TestResolvConfThatIsNone(t *testing.T) {
	start(t)
	file(t, "a", "[Domain]\nDNS=10.0.0.1\n")
	for _, make := range []string{"mkfifo", "ln -s /nonexistent", "mkdir"} {
		sandbox.Sh(t, `mkdir -p /etc/netns/a; `+make+` /etc/netns/a/resolv.conf`)
		const text = "a: /etc/rdomain/a.conf:2: DNS= is not in effect: /etc/netns/a/resolv.conf is not of rdomain\n"
		says(t, 0, "", "rdomain: note: "+text, "up", "a")
		says(t, 1, "# "+text, "", "check", "a")
		quiet(t, "down", "a")
		sandbox.Sh(t, `test ! -f /etc/netns/a/resolv.conf; rm -r /etc/netns/a`) // it is what it was
	}
}

// check of a domain that is down said what is missing, and not that up cannot make it.
func TestCheckSaysWhatTheKernelHasNot(t *testing.T) {
	start(t)
	file(t, "odd", "[Sysctl]\nnet.ipv4.ip_forwad=1\n")
	out, err, code := rdomain("check", "odd")
	const want = "# odd: /etc/rdomain/odd.conf:2: this kernel has no variable net/ipv4/ip_forwad; correct the name: ls /proc/sys/net/ipv4\n"
	if code != 1 || err != "" || !strings.Contains(out, want) {
		t.Errorf("check odd = %d, %s%s", code, out, err)
	}
	if _, err, code := rdomain("up", "odd"); code == 0 {
		t.Errorf("it came up: %s", err)
	}
	if makes("link probe0 type vrf table 9") {
		return // a kernel that has VRFs is asked in test machines
	}
	file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n")
	if _, err, code := rdomain("up", "mgmt"); code == 0 {
		t.Fatalf("it came up: %s", err)
	}
	if out, _, _ := rdomain("check", "mgmt"); !strings.Contains(out, "mgmt.conf:1: Kind=vrf cannot be made here: this kernel is built without CONFIG_NET_VRF; boot a kernel that has it\n") {
		t.Errorf("check mgmt = %s", out)
	}
}

// The other end of a domain's own cable was said to be somebody else's.
func TestDownKnowsTheOtherEnd(t *testing.T) {
	start(t)
	file(t, "own", "[Link d0]\nKind=veth\nPeer=d1\nOuter=own\n")
	quiet(t, "up", "own")
	quiet(t, "down", "own")
	file(t, "core", "")
	file(t, "leaf", "[Link up0]\nKind=veth\nPeer=to-leaf\nOuter=core\n")
	quiet(t, "up", "leaf")
	says(t, 0, "", "rdomain: note: core: link to-leaf in netns core is the other end of leaf's up0, which goes with it\n"+
		"rdomain: note: core: leaf is up and requires it\n", "down", "core")
	quiet(t, "down", "leaf")
}

// A namespace that has lost its name still has its links for a while: the number of a
// vxlan, the name of a cable's other end. up took that for somebody else's, and failed.
func TestUpBesideTheDying(t *testing.T) {
	start(t)
	if !makes("link probe0 type vxlan id 9 remote 127.0.0.1 dstport 4789") {
		need.Missing(t, need.Root, "a kernel without vxlan")
	}
	const link = "[Link vx0]\nKind=vxlan\nVNI=10\nRemote=192.0.2.9\n[Link v0]\nKind=veth\nPeer=v1\n"
	file(t, "all", link)
	quiet(t, "up", "all")
	sandbox.Sh(t, `ip netns exec all sh -c 'exec sleep 0.8' >/dev/null 2>&1 & while [ "$(readlink /proc/$!/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done; ip netns delete all`)
	if _, err, code := rdomain("up", "all"); code != 0 { // after a second it says what it waits for
		t.Fatalf("up all = %d, %s", code, err)
	}
	quiet(t, "check", "all")
	// One that stays is an error, which TimeoutSec=0 has at once.
	file(t, "other", "[Domain]\nTimeoutSec=0\n"+strings.Replace(link, "v1", "w1", 1))
	if _, err, code := rdomain("up", "other"); code != 111 || !strings.Contains(err, "other.conf:3: ip link add vx0") || !strings.Contains(err, "exists") {
		t.Errorf("up other = %d, %s", code, err)
	}
	quiet(t, "down", "all")
}

// What /etc/rdomain has besides files of domains: a link to nothing was an empty
// namespace at boot, a name that is no domain's was not seen, and a file that everybody
// can write was believed in silence.
func TestFilesThatAreNone(t *testing.T) {
	start(t)
	file(t, "good", "")
	sandbox.Sh(t, `ln -s /etc/none-of-that-name /etc/rdomain/dangling.conf; : >'/etc/rdomain/bad name.conf'`)
	t.Cleanup(func() { sandbox.Sh(t, `rm -f /etc/rdomain/dangling.conf '/etc/rdomain/bad name.conf'`) })
	const none = "/etc/rdomain/bad name.conf: is the file of no domain: "
	const nothing = "/etc/rdomain/dangling.conf: is a link to nothing: "
	for _, verb := range [][]string{{"up", "--all"}, {"check", "--all"}, {"list"}} {
		out, err, code := rdomain(verb...)
		if code < 100 || !strings.Contains(err, none) || !strings.Contains(out+err, nothing) {
			t.Errorf("%v = %d, %s%s", verb, code, out, err)
		}
	}
	if _, err, code := rdomain("up", "dangling"); code != 111 || !strings.Contains(err, nothing) {
		t.Errorf("up dangling = %d, %s", code, err)
	}
	sandbox.Sh(t, `test -e /run/netns/good; test ! -e /run/netns/dangling; chmod 666 /etc/rdomain/good.conf; chown 7 /etc/rdomain/good.conf`)
	loose := "/etc/rdomain/good.conf can be written by everybody, who decide where services run; chmod o-w /etc/rdomain/good.conf\n"
	says(t, 0, "", "rdomain: note: good: "+loose, "up", "good")
	says(t, 1, "# good: "+loose, "", "check", "good")
	sandbox.Sh(t, `chmod 644 /etc/rdomain/good.conf`)
	says(t, 1, "# good: /etc/rdomain/good.conf belongs to user 7, who decides where services run; chown root /etc/rdomain/good.conf\n", "", "check", "good")
	sandbox.Sh(t, `chown 0:7 /etc/rdomain/good.conf; chmod 664 /etc/rdomain/good.conf`)
	says(t, 1, "# good: /etc/rdomain/good.conf can be written by group 7, who decide where services run; chmod g-w /etc/rdomain/good.conf\n", "", "check", "good")
	// What stands in /etc for its services is as much as the file.
	sandbox.Sh(t, `chmod 644 /etc/rdomain/good.conf; mkdir -p /etc/netns/good; : >/etc/netns/good/passwd; chown 7 /etc/netns/good/passwd; chmod 777 /etc/netns/good`)
	says(t, 1, "# good: /etc/netns/good can be written by everybody, who decide what services in it find in /etc; chmod o-w /etc/netns/good\n"+
		"# good: /etc/netns/good/passwd belongs to user 7, who decides what services in it find in /etc; chown root /etc/netns/good/passwd\n", "", "check", "good")
	sandbox.Sh(t, `chmod 755 /etc/netns/good; chown 0 /etc/netns/good/passwd`)
	quiet(t, "check", "good")
	sandbox.Sh(t, `rm -r /etc/netns/good; rmdir /etc/netns || true`)
	quiet(t, "down", "good")
	says(t, 111, "", "rdomain: fatal: unable to enter netns good (/run/netns/good): no such file or directory\n"+
		"rdomain: hint: rdomain up good makes it\n", "exec", "good", "true")
	says(t, 100, "", "rdomain: fatal: netns name \"ünï\" contains \"ü\"; letters, digits, \"_\", \".\" and \"-\" are allowed\n", "up", "ünï")
}
