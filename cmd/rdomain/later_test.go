package main

import (
	"os"
	"strings"
	"testing"

	"rdgen/test/sandbox"
)

// laterNote is what check says of a link that is not there yet.
const laterNote = "rdomain: note: vpn: link t0 is not there, or has no address yet; rdomain watch takes it in when its owner has given it one\n"

// A link that a daemon makes was waited for, which at boot the daemon did for the domain; one
// that was there was taken before it had an address. With RequiredForOnline=no the domain is
// up without, and the link is taken when its owner is done with it, again and again.
func TestLaterLink(t *testing.T) {
	start(t)
	file(t, "vpn", "[Domain]\nTimeoutSec=3600\n[Link t0]\nRequiredForOnline=no\n[Link d0]\nKind=veth\nPeer=d1\nAddress=10.7.0.2/24\n"+
		"[Route]\nDestination=default\nDevice=t0\n[Route]\nDestination=10.6.0.0/16\nGateway=10.7.0.1\n[Neighbor]\nDevice=d0\nAddress=10.7.0.1\nLinkLayerAddress=02:00:00:00:00:01\n")
	if _, err, code := rdomain("up", "-n", "vpn"); code != 0 || err != "" {
		t.Errorf("up -n: %d, %s", code, err)
	}
	quiet(t, "up", "vpn")
	says(t, 0, "", laterNote, "check", "vpn")
	sandbox.Sh(t, `ip -n vpn route show | grep -q '^10.6.0.0/16 via 10.7.0.1'; ip -n vpn neighbour | grep -q 10.7.0.1; ! ip -n vpn route show default | grep .`)
	// One that is there, and that its owner is about to give an address, is left to him.
	sandbox.Sh(t, `ip link add t0 type veth peer name t1; ip link set t1 up`)
	quiet(t, "up", "vpn")
	quiet(t, "reload", "vpn")
	says(t, 0, "", laterNote, "check", "vpn")
	t.Cleanup(func() { os.Remove("/run/given") })
	said := watching(t, "--", "/bin/sh", "-c", "echo {} >/run/given")
	// In steps, as OpenVPN does it: a later one would fail if t0 were taken at an earlier one.
	sandbox.Sh(t, `sleep 0.7; ip link set t0 up; sleep 0.7; ip address add 10.8.0.2/24 dev t0; sleep 0.2; ip address add 2001:db8::2/64 dev t0 nodad`)
	awaitTrue(t, said, "ip -n vpn address show dev t0 | grep -q 2001:db8::2")
	awaitTrue(t, said, "rdomain check vpn")
	sandbox.Sh(t, `ip -n vpn address show dev t0 | grep -q 10.8.0.2; ip -n vpn route show default | grep -q t0`)
	// So often within a minute that a domain which somebody undoes would be given up.
	for _, address := range []string{"10.8.0.4/24", "10.8.0.5/24", "10.8.0.6/24", "10.8.0.3/24", "2001:db8::3/64"} {
		sandbox.Sh(t, `ip -n vpn link delete t0`)
		awaitTrue(t, said, "! ip -n vpn link show t0")
		says(t, 0, "", laterNote, "check", "vpn")
		quiet(t, "reload", "vpn")
		sandbox.Sh(t, `ip link add t0 type veth peer name t1; ip link set t1 up; ip link set t0 up; ip address add `+address+` dev t0`)
		awaitTrue(t, said, "ip -n vpn address show dev t0 | grep -q "+address)
		awaitTrue(t, said, "ip -n vpn route show default | grep -q t0")
		sandbox.Sh(t, `! ip -n vpn address show dev t0 | grep 10.8.0.2`)
	}
	sandbox.Sh(t, `ip -n vpn route show | grep -q '^10.6.0.0/16 via 10.7.0.1'`)
	if text := said.String(); !strings.Contains(text, "vpn: took in link t0, which its owner has made\n") || strings.Contains(text, "somebody") {
		t.Errorf("the watch said %s", text)
	}
	sandbox.Sh(t, `test ! -e /run/given`)
	awaitTrue(t, said, "rdomain down vpn") // which the watch may hold, until the address can be used
	sandbox.Sh(t, `ip link show t0`)
	// Up itself takes one that its owner is done with.
	sandbox.Sh(t, `ip link set t0 up`)
	quiet(t, "up", "vpn")
	sandbox.Sh(t, `ip -n vpn address show dev t0 | grep -q 2001:db8::3`)
	quiet(t, "down", "vpn")
	sandbox.Sh(t, `ip link delete t0`)
}

// A tun that its owner had made a moment before up looked was taken without its address: one
// of twelve starts with OpenVPN.
func TestTunWithoutAddress(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip tuntap add dev tun7 mode tun`)
	file(t, "w", "[Domain]\nTimeoutSec=3600\n[Link tun7]\n")
	cmd, said := begun(t, "up", "w")
	line, _ := said.ReadString('\n')
	if !strings.HasPrefix(line, "rdomain: note: w: waiting for an address of link tun7, by who made it, at most ") {
		t.Errorf("up of a tun without an address says %q", line)
	}
	sandbox.Sh(t, `ip link set tun7 up; ip address add 10.9.0.1/24 dev tun7`)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	sandbox.Sh(t, `ip -n w address show dev tun7 | grep -qF 10.9.0.1/24`)
	quiet(t, "down", "w")
	sandbox.Sh(t, `ip link delete tun7`)
}
