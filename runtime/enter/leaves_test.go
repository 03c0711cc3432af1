package enter

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rdgen/test/need"
)

// leaving has a user try to leave the link home, in all ways of the probe, to a host on the
// link out, which is of no domain, and to what serves on lo; and asks from both what he
// serves. $1 is the probe, and the rest is the command that the probe is started by. It
// prints what came of it.
const leaving = `probe=$1; shift
await() { for n in $(seq 600); do "$@" && return; sleep 0.1; done; echo "waited for $*"; }
mount -t tmpfs none /run/netns; dir=$(mktemp -d); cd $dir
ip netns add world; ip -n world link set lo up
ip link add home type bridge; ip link set home up; ip address add 10.20.30.40/24 dev home
ip link add out type veth peer name out0 netns world
sysctl -qw net.ipv6.conf.out.accept_dad=0 net.ipv4.ping_group_range='0 2147483647'
ip netns exec world sysctl -qw net.ipv6.conf.out0.accept_dad=0
ip link set out up; ip address add 192.0.2.1/24 dev out; ip address add 2001:db8:2::1/64 dev out
ip -n world link set out0 up; ip -n world address add 192.0.2.9/24 dev out0; ip -n world address add 2001:db8:2::9/64 dev out0
ip netns exec world $probe answer >answer.1 2>&1 & a=$!
$probe answer >answer.2 2>&1 & b=$!
ip netns exec world $probe watch >watch 2>&1 & w=$!
for f in answer.1 answer.2 watch; do await grep -q ing $f; done
ll=$(ip -n world -6 -o address show dev out0 scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,')
"$@" $(command -v setpriv) --reuid=65534 --regid=65534 --clear-groups $probe attack home \
	out/link/192.0.2.9,2001:db8:2::9,$ll out/all/192.0.2.255,239.7.7.7 \
	lo/self/127.0.0.1,::1,192.0.2.1,2001:db8:2::1 lo/all/127.255.255.255 >inside 2>&1 & p=$!
await grep -q ports inside
ports=$(sed -n 's/^ports //p' inside)
ip netns exec world $probe poke 192.0.2.1,2001:db8:2::1 "$ports"
$probe poke 127.0.0.1,::1 "$ports"
await grep -q ^answers inside
kill $p $w; wait $w || echo "failed: the watch"; kill $a $b
cat inside; sed 's/^/seen /' watch; rm -r $dir
`

// TestNothingLeaves: whatever an ordinary user calls whose sockets are kept, no packet
// leaves, and none is taken; where they are not kept, hundreds are. What is told the routers
// by calls of 32 bits is left.
func TestNothingLeaves(t *testing.T) {
	needHostRoot(t)
	need.Tools(t, need.Root, "ip", "setpriv")
	probe, err := need.Program("test/vm/probe")
	if err != nil {
		t.Fatal(err)
	}
	_, path := testCgroup(t)
	for _, kept := range []bool{false, true} {
		t.Run(map[bool]string{false: "free", true: "kept"}[kept], func(t *testing.T) {
			h := newHost(t)
			by := []string{"env"}
			if kept {
				self, err := os.Executable()
				h.must(err)
				// It binds itself to link 2: that is the first that is made after lo.
				by = []string{"env", childEnv + "=bind", self, "own", "2", path + "/rdexec/vrf/mgmt"}
			}
			r := h.run(append([]string{"/bin/sh", "-c", leaving, "sh", probe}, by...)...)
			sum := func(what string) (n int) {
				for _, m := range regexp.MustCompile(`(?m)^`+what+` (\d+)$`).FindAllStringSubmatch(r.out, -1) {
					one, _ := strconv.Atoi(m[1])
					n += one
				}
				return n
			}
			count := func(line string) int { return len(regexp.MustCompile(`(?m)^`+line).FindAllString(r.out, -1)) }
			tries, answers := sum("tries"), sum("answers")
			taken, seen, told := count("took "), count("seen .* asks "), count("seen .* join ")
			t.Logf("%d tries, %d answers, %d taken, %d packets seen, %d joins", tries, answers, taken, seen, told)
			none := answers+taken+seen+told == 0
			if tries < 800 || strings.Contains(r.out, "failed") || kept && !none || !kept && (answers < 200 || taken < 50 || seen < 200 || told == 0) {
				t.Errorf("%s%s", r.out, r.err)
			}
		})
	}
}
