package systemd

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnters(t *testing.T) {
	for line, want := range map[string]Entering{
		"/sbin/ip netns exec other /bin/x":                                      {By: "ip netns exec", Netns: "other"},
		"-/usr/sbin/ip -6 netns exec other /bin/x":                              {By: "ip netns exec", Netns: "other"},
		"+/bin/sh -c 'test -e x && ip vrf exec mgmt x -n'":                      {By: "ip vrf exec", VRF: "mgmt"},
		"/usr/bin/nsenter --net=/run/netns/a /bin/x":                            {By: "nsenter --net=/run/netns/a", Netns: "a"},
		"/usr/bin/nsenter -n/var/run/netns/a /bin/x":                            {By: "nsenter -n/var/run/netns/a", Netns: "a"},
		"/usr/bin/nsenter -t 1 -n /bin/x":                                       {By: "nsenter -n"},
		"/usr/bin/unshare -mn /bin/x":                                           {By: "unshare -mn"},
		"/usr/sbin/rdexec -n a -v b /bin/x":                                     {By: "rdexec", Netns: "a", VRF: "b"},
		"/usr/sbin/rdexec --netns a --vrf=b -u web:web -- /bin/x -n c":          {By: "rdexec", Netns: "a", VRF: "b"},
		"/usr/sbin/rdexec -u web -na -vb /bin/x":                                {By: "rdexec", Netns: "a", VRF: "b"},
		"/usr/sbin/rdexec -u web -- /bin/x -n a":                                {},
		"/usr/sbin/rdexec --version":                                            {},
		"/usr/sbin/rdomain exec b@a -- /bin/x":                                  {By: "rdomain exec", ID: "b@a"},
		"/usr/sbin/rdomain up a":                                                {},
		"/sbin/ip net e two /bin/x":                                             {By: "ip netns exec", Netns: "two"},
		"/sbin/ip v exec two /bin/x":                                            {By: "ip vrf exec", VRF: "two"},
		"/sbin/ip ne show":                                                      {},
		"/usr/bin/nsenter -at 1 /bin/x":                                         {By: "nsenter -at"},
		"/usr/bin/nsenter -m/proc/1/ns/mnt /bin/x":                              {},
		"/usr/bin/systemd-run --scope /bin/x":                                   {By: "systemd-run", Asks: "systemd"},
		"/usr/bin/docker run --rm web":                                          {By: "docker", Asks: "dockerd"},
		"/sbin/ip -n one netns exec two /bin/x":                                 {By: "ip netns exec", Netns: "two"},
		"/sbin/ip -f inet -all netns exec /bin/x":                               {By: "ip netns exec", Netns: "/bin/x"},
		"/sbin/ip netn ex two /bin/x -n":                                        {By: "ip netns exec", Netns: "two"},
		"@/sbin/ip ip netns exec other /bin/x":                                  {By: "ip netns exec", Netns: "other"},
		"/usr/bin/lxc-attach -n web -- /bin/x":                                  {By: "lxc-attach"},
		"/usr/bin/lxc-unshare -s 'NETWORK|IPC' /bin/x":                          {By: "lxc-unshare"},
		"/usr/bin/lxc-unshare -s MOUNT /bin/x":                                  {},
		"/usr/bin/pasta --config-net /bin/x":                                    {By: "pasta", Contains: true},
		"/bin/busybox nsenter -t 1 -n /bin/x":                                   {By: "nsenter -n"},
		"/usr/bin/unshare --net /bin/x":                                         {By: "unshare --net"},
		"/usr/bin/setpriv --reuid root batch":                                   {By: "batch", Asks: "atd"},
		"/usr/bin/nice -n 5 unshare -m batch":                                   {By: "batch", Asks: "atd"},
		"/usr/bin/timeout 5 grep at":                                            {},
		"/usr/bin/setpriv --reuid=root /bin/x at":                               {},
		"/usr/bin/virsh net-start default":                                      {By: "virsh", Asks: "libvirtd"},
		"/usr/bin/docker ps":                                                    {},
		"/sbin/ip link set eth0 up":                                             {},
		"/sbin/ip -n other link set eth0 up":                                    {By: "ip -n other", Netns: "other"},
		"/sbin/ip -netns other route":                                           {By: "ip -n other", Netns: "other"},
		"/usr/bin/nsenter -t 1 --all /bin/x":                                    {By: "nsenter --all"},
		"/sbin/runuser -u web -- ip netns exec two /bin/x":                      {By: "ip netns exec", Netns: "two"},
		"/usr/bin/chpst -u web ip vrf exec two /bin/x":                          {By: "ip vrf exec", VRF: "two"},
		"/usr/bin/env A=1 nsenter --net=/run/netns/a x":                         {By: "nsenter --net=/run/netns/a", Netns: "a"},
		"/usr/bin/firejail --netns=two /bin/x":                                  {By: "firejail --netns=two", Netns: "two"},
		"/usr/bin/firejail --net=none /bin/x":                                   {By: "firejail --net=none"},
		"/usr/bin/firejail --noprofile /bin/x":                                  {},
		"/usr/bin/bwrap --unshare-net /bin/x":                                   {By: "bwrap --unshare-net"},
		"/usr/bin/systemd-nspawn --network-namespace-path=/run/netns/a -D /srv": {By: "systemd-nspawn --network-namespace-path=/run/netns/a", Netns: "a"},
		"/usr/bin/vrf task exec mgmt /bin/x":                                    {By: "vrf exec", VRF: "mgmt"},
		"/usr/bin/systemd-run -p NetworkNamespacePath=/x y":                     {By: "systemd-run", Asks: "systemd"},
		"/bin/sh -c 'cd /; at now </srv/job'":                                   {By: "at", Asks: "atd"},
		"/bin/sh -c 'exec at now </srv/job'":                                    {By: "at", Asks: "atd"},
		"/bin/echo look at this":                                                {},
		"/bin/sh -c 'echo the vrf exec is at work'":                             {},
		"/usr/bin/nsenter -t 1 -m /bin/x":                                       {},
		"/usr/bin/unshare --mount /bin/x":                                       {},
		"/usr/sbin/nginx -n netns exec":                                         {},
		"/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock":        {By: "dockerd", Asks: "containerd", Contains: true},
		"/usr/bin/containerd":                                                   {By: "containerd", Contains: true, Serves: true},
		"/bin/x containerd":                                                     {},
		"/usr/bin/systemd-nspawn -D /srv":                                       {By: "systemd-nspawn", Contains: true},
		"/usr/bin/systemd-nspawn --keep-unit -D /srv":                           {},
		"/usr/bin/podman run --rm --network host box x":                         {By: "podman run", Contains: true, Again: true},
		"/usr/bin/podman --log-level info run box nsenter -n x":                 {By: "podman run", Contains: true, Again: true},
		"/usr/bin/podman run --network ns:/run/netns/a box x":                   {By: "podman run --network ns:/run/netns/a", Netns: "a", Contains: true},
		"/usr/bin/podman run --net=ns:/proc/1/ns/net box x":                     {By: "podman run --network ns:/proc/1/ns/net", Netns: "/proc/1/ns/net", Contains: true},
		"/usr/bin/podman run --network container:web box x":                     {By: "podman run --network container:web", Netns: "container:web", Contains: true},
		"/usr/bin/podman run -d --pod-id-file %t/p-pod.pod-id box x":            {By: "podman run", Contains: true, Pod: true},
		"/usr/bin/podman pod create --network host --pod-id-file=%t/x y":        {By: "podman pod create", Contains: true, Again: true},
		"/usr/bin/podman pod start --pod-id-file=%t/x":                          {By: "podman pod start", Contains: true},
		"/usr/bin/podman pod stop x":                                            {},
		"/usr/bin/podman start web":                                             {By: "podman start", Contains: true},
		"/usr/bin/podman kube play x.yaml --network ns:/run/netns/a":            {By: "podman kube play --network ns:/run/netns/a", Netns: "a", Contains: true},
		"/usr/bin/podman --log-level=info system service":                       {By: "podman system service", Contains: true, Serves: true},
		"/usr/bin/podman --remote run box x":                                    {By: "podman --remote", Asks: "podman"},
		"/usr/bin/podman compose up":                                            {By: "podman compose", Asks: "podman"},
		"/usr/bin/podman network create --ignore run":                           {},
		"/usr/bin/podman --log-level info exec web start":                       {},
		"/usr/bin/podman rm -f web":                                             {},
		"/usr/bin/env A=1 podman run --network=ns:/run/netns/a box":             {By: "podman run --network ns:/run/netns/a", Netns: "a", Contains: true},
	} {
		var got Entering
		for _, e := range Enters(&Unit{Name: "x.service", Settings: Read("x", []byte("[Service]\nExecStart="+line+"\n"))}) {
			got = e
		}
		program, _, _ := strings.Cut(got.By, " ")
		first := strings.Fields(line)[0]
		executes := slices.Contains([]string{"/usr/bin/env", "/bin/busybox", "/usr/bin/nice"}, first) // what follows, in its place
		if got.All != (got.By != "" && (strings.HasSuffix(first, "/"+program) || executes)) {
			t.Errorf("%s: that it is all of it: %v", line, got.All)
		}
		got.Setting, got.All = Setting{}, false
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", line, d)
		}
	}
}
