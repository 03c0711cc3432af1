package vm

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// three adds to two another VRF, whose member eth2 leads to the host "third", with
// routes in it to what is behind; and servers that answer in all other domains.
const three = `
cat >/etc/rdomain/other.conf <<'EOT'
[Domain]
Kind=vrf
Table=30

[Link eth2]
EOT
ip netns add third; ip -n third link set lo up
ip link add eth2 type veth peer name third0 netns third
sysctl -qw net.ipv6.conf.eth2.accept_dad=0
ip netns exec third sysctl -qw net.ipv6.conf.third0.accept_dad=0
ip address add 198.51.100.1/24 dev eth2; ip address add 2001:db8:3::1/64 dev eth2; ip link set eth2 up
ip -n third address add 198.51.100.9/24 dev third0; ip -n third address add 2001:db8:3::9/64 dev third0
ip -n third address add 203.0.113.9/32 dev lo; ip -n third address add 2001:db8:33::9/128 dev lo; ip -n third link set third0 up
ip -n third route add default via 198.51.100.1; ip -n third route add default via 2001:db8:3::1
ip -n world address add 2001:db8:8::8/128 dev lo; ip -6 route replace default via 2001:db8:2::9
rdomain up mgmt other inner@t1
ip route add vrf other default via 198.51.100.9; ip -6 route add vrf other default via 2001:db8:3::9
echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts
sysctl -qw net.ipv4.ping_group_range='0 2147483647'
modprobe -q sctp || :
for in in '' 'ip netns exec world' 'ip netns exec third'; do
	$in probe answer >/run/test/answer 2>&1 &
	await grep -q answering /run/test/answer; rm /run/test/answer
done
# scoped NAMESPACE LINK: the link-local address of a link.
cat >/usr/local/bin/scoped <<'EOT'
#!/bin/sh
ip -n "$1" -6 -o address show dev "$2" scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,'
EOT
chmod +x /usr/local/bin/scoped
`

// attack makes a process, started by the command $1, try all that an ordinary user
// can do to leave the VRF mgmt, or to be reached from elsewhere, and prints what came of it:
// answers, what was taken, and packets seen on links of others.
const attack = `
ulimit -n 30000
probe watch >/run/test/watch 2>&1 & watch=$!
await grep -q watching /run/test/watch
w=$(scoped world world0); h=$(scoped third third0)
try() { timeout 120 $in probe leave mgmt "$1" "$2" || echo "failed: $?"; }
try w0 "192.0.2.9,8.8.8.8,2001:db8:2::9,2001:db8:8::8,$w,192.0.2.255,255.255.255.255,239.7.7.7,ff02::1"
try eth2,other "198.51.100.9,203.0.113.9,2001:db8:3::9,2001:db8:33::9,$h,198.51.100.255,239.7.7.7,ff02::1"
try lo 127.0.0.1,::1,127.255.255.255,239.7.7.7
$in probe admit mgmt w0,eth2,other,lo >/run/test/admit 2>&1 & admit=$!
await grep -q ports /run/test/admit
n=$(sed -n 's/^ports //p' /run/test/admit)
poke() { from=$1; shift; $from probe poke "$1" "$n"; }
poke "ip netns exec world" "192.0.2.1,2001:db8:2::1,10.20.30.40,$(ip -6 -o address show dev w0 scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,')%world0"
poke "ip netns exec third" "198.51.100.1,2001:db8:3::1,$(ip -6 -o address show dev eth2 scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,')%third0"
poke "" "127.0.0.1,::1,192.0.2.1"
kill $admit $watch
grep took /run/test/admit || :
grep -v -e '^mgmt ' -e '^eth1 ' -e watching /run/test/watch | sort | uniq -c | sed 's/^/seen /' || :
`

// TestVRFHolds: whatever an ordinary user in a VRF calls, nothing leaves it and
// nothing enters it; the same tries in what ip vrf exec starts succeed.
func TestVRFHolds(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.Sh(t, two+three)
		m.Put(t, "/usr/local/bin/inside", 0o755, []byte(inside))
		t.Run("members", func(t *testing.T) { testMembers(t, m) })
		for _, c := range []struct {
			name, in string
			holds    bool
		}{
			{"ip vrf exec", "ip vrf exec mgmt setpriv --reuid=65534 --regid=65534 --clear-groups", false},
			{"rdexec", "rdexec -v mgmt -u nobody --", true},
			{"rdexec -c", "inside /held", true},
			{"ip vrf exec inside", "rdexec -v mgmt -- ip vrf exec mgmt setpriv --reuid=65534 --regid=65534 --clear-groups", true},
			{"inside ip vrf exec", "ip vrf exec mgmt rdexec -v mgmt -u nobody --", true},
			{"a grandchild", "rdexec -v mgmt -u nobody -- sh -c '\"$@\" & wait' sh", true},
		} {
			t.Run(c.name, func(t *testing.T) {
				m.Put(t, "/usr/local/bin/within", 0o755, []byte("#!/bin/sh\nexec "+c.in+" \"$@\"\n"))
				judge(t, m.Sh(t, "in=within"+attack), c.holds)
			})
		}
	})
}

// inside executes a program as a service of OpenRC is: rdexec prepares a cgroup,
// which the service joins later.
const inside = `#!/bin/sh -e
cgroup=$1; shift
rdexec -v mgmt -c $cgroup -- true
echo 0 >$(cg)$cgroup/cgroup.procs
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
`

var counts = regexp.MustCompile(`(?m)^(tries|answers) (\d+)$`)

// judge reads what attack printed.
func judge(t *testing.T, text string, holds bool) {
	t.Helper()
	sum := map[string]int{}
	for _, c := range counts.FindAllStringSubmatch(text, -1) {
		n := 0
		fmt.Sscan(c[2], &n)
		sum[c[1]] += n
	}
	var taken, seen, joined int
	for line := range strings.Lines(text) {
		switch word, _, _ := strings.Cut(line, " "); word {
		case "took":
			taken++
		case "seen":
			seen++
		case "joined":
			joined++
		}
	}
	result := fmt.Sprintf("%d tries: %d answers, %d taken, %d joined, %d kinds of packets seen elsewhere", sum["tries"], sum["answers"], taken, joined, seen)
	t.Log(result)
	if strings.Contains(text, "failed:") || sum["tries"] < 1000 {
		t.Errorf("the probe did not do its work:\n%s", text)
	}
	if none := sum["answers"]+taken+seen == 0; holds != none || !holds && (sum["answers"] < 100 || taken < 10 || seen < 10) {
		t.Errorf("%s; want that it holds: %v\n%s", result, holds, text)
	}
}

// The links of a VRF work for what is in it, also those that were added by hand since.
func testMembers(t *testing.T, m *Machine) {
	m.Sh(t, `user="rdexec -v mgmt -u nobody --"
		ll=$(scoped lan lan0)
		rdexec -v mgmt -- ping -c 1 -W 5 -I eth1 10.20.30.1; rdexec -v mgmt -- ping -c 1 -W 5 10.20.30.1
		rdexec -v mgmt -- ping -c 1 -W 5 $ll%eth1; $user ping -c 1 -W 5 2001:db8:1::1; $user ping -c 1 -W 5 $ll%eth1
		ip netns exec lan probe receive 10.20.30.1:9 >/run/test/received & echo $! >/run/test/pid
		await grep -q receiving /run/test/received
		$user probe escape eth1 10.20.30.1:9; await grep -qx IP_PKTINFO /run/test/received; kill $(cat /run/test/pid)
		$user socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7:10.20.30.40
		$user socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7:eth1
		! $user socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7:w0
		ip link add eth3 type veth peer name lan3 netns lan; sysctl -qw net.ipv6.conf.eth3.accept_dad=0
		ip -n lan address add 10.20.31.1/24 dev lan3; ip -n lan link set lan3 up
		ip netns exec lan probe listen 10.20.31.1:7007 >/run/test/listens 2>&1 & echo $! >/run/test/pid
		await grep -q listening /run/test/listens
		ip address add 10.20.31.40/24 dev eth3; ip link set eth3 up
		rdexec -v mgmt -- sh -c "echo; await test -e /run/test/known; ping -c 1 -W 5 10.20.31.1 >/run/test/pinged" & inside=$!
		ip link set eth3 master mgmt
		rdexec -v mgmt -- ping -c 1 -W 5 10.20.31.1; ip link set eth3 nomaster
		! rdexec -v mgmt -- ping -c 1 -W 2 -I eth3 10.20.31.1
		rm -f /run/test/watched; rdomain watch >/run/test/watched 2>&1 & watch=$!
		ip link set eth3 master mgmt; await sh -c 'touch /run/test/known; rdexec -v mgmt -- ping -c 1 -W 5 10.20.31.1'
		wait $inside; cat /run/test/pinged
		kill $watch $(cat /run/test/pid); ip link del eth3`)
}
