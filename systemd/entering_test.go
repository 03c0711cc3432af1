package systemd

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnters(t *testing.T) {
	for line, want := range map[string]Entering{
		"/sbin/ip netns exec other /bin/x":                             {By: "ip netns exec", Netns: "other"},
		"-/usr/sbin/ip -6 netns exec other /bin/x":                     {By: "ip netns exec", Netns: "other"},
		"+/bin/sh -c 'test -e x && ip vrf exec mgmt x -n'":             {By: "ip vrf exec", VRF: "mgmt"},
		"/usr/bin/nsenter --net=/run/netns/a /bin/x":                   {By: "nsenter --net=/run/netns/a", Netns: "a"},
		"/usr/bin/nsenter -n/var/run/netns/a /bin/x":                   {By: "nsenter -n/var/run/netns/a", Netns: "a"},
		"/usr/bin/nsenter -t 1 -n /bin/x":                              {By: "nsenter -n", Netns: HostNetns},
		"/usr/bin/nsenter -t 1 -m /bin/x -n":                           {},
		"/usr/bin/nsenter -m -t 1 -- /bin/x --net":                     {},
		"/bin/sh -c 'nsenter -t 1 -m x; grep -n y'":                    {},
		"/usr/bin/nsenter -r/srv/web/n /bin/x":                         {},
		"/usr/bin/nsenter --root=/srv -wn /bin/x":                      {},
		"/usr/bin/nsenter -m/run/netns/a -t 1 /bin/x":                  {},
		"/usr/bin/nsenter --tar 1 --mount /bin/x -a":                   {},
		"/usr/bin/nsenter -S 0 -G n -m -t 1 /bin/x":                    {},
		"/usr/bin/nsenter -n=/run/netns/a /bin/x":                      {By: "nsenter -n=/run/netns/a", Netns: "a"},
		"/usr/bin/nsenter -n /run/netns/a /bin/x":                      {By: "nsenter -n"},
		"/usr/bin/nsenter --net=//run/netns/../netns/a /bin/x":         {By: "nsenter --net=//run/netns/../netns/a", Netns: "a"},
		"/usr/bin/nsenter -mn/run/netns/a -t 1 /bin/x":                 {}, // -m has "n/run/netns/a" for its file
		"/usr/bin/nsenter -t 1 -mun /bin/x":                            {},
		"/usr/bin/nsenter -t 1 -Fun /bin/x":                            {},
		"/usr/bin/nsenter -t 1 -Fn /bin/x":                             {By: "nsenter -Fn", Netns: HostNetns},
		"/usr/bin/nsenter -n/run/netns/b -n/run/netns/a /bin/x":        {By: "nsenter -n/run/netns/a", Netns: "a"},
		"/usr/bin/nsenter --net -t 77 /bin/x":                          {By: "nsenter --net", Netns: "/proc/77/ns/net"},
		"/usr/bin/nsenter -t $MAINPID -n /bin/x":                       {},
		"/usr/bin/nsenter --target=${MAINPID} --all /bin/x":            {},
		"/usr/bin/nsenter --net=/proc/self/ns/net /bin/x":              {},
		"/usr/bin/nsenter -N 3 -t 77 /bin/x":                           {By: "nsenter -N", Netns: "/proc/77/fd/3"},
		"/usr/bin/nsenter -c -t 1 /bin/x":                              {By: "nsenter -c", Moves: true},
		"/usr/bin/nsenter -cn -t 1 /bin/x":                             {By: "nsenter -cn", Netns: HostNetns, Moves: true},
		"/usr/bin/nsenter $OPTS /bin/x":                                {By: "nsenter $OPTS", Unsure: true},
		"/usr/bin/nsenter -t $PID -m /bin/x":                           {By: "nsenter $PID", Unsure: true},
		"/usr/bin/nsenter -t ${PID} -m /bin/x":                         {},
		"/bin/sh -c 'nsenter -t $(pidof y) -m x'":                      {By: "nsenter $", Unsure: true},
		"/usr/bin/nsenter --ne=/run/netns/a /bin/x":                    {By: "nsenter --ne=/run/netns/a", Unsure: true},
		"/usr/bin/nsenter -t 1 -Fq /bin/x":                             {By: "nsenter -Fq", Unsure: true},
		"/usr/bin/nsenter \"--wd=/a b\" -n -t 1 /bin/x":                {By: "nsenter --wd=/a", Unsure: true},
		"/usr/bin/nsenter -t 1 \\x2dn /bin/x":                          {By: "nsenter \\x2dn", Unsure: true},
		"/bin/sh -c 'nsenter -t 1 -m'":                                 {},
		"/usr/bin/unshare -R /srv/n -w /n /bin/x -n":                   {},
		"/usr/bin/unshare --net=/run/netns/a /bin/x":                   {By: "unshare --net=/run/netns/a"},
		"/usr/bin/unshare --map-user 0 --net /bin/x":                   {By: "unshare --net"},
		"/usr/bin/unshare -m nsenter -t 1 -n /bin/x":                   {By: "nsenter -n", Netns: HostNetns},
		"/usr/bin/unshare -mn /bin/x":                                  {By: "unshare -mn"},
		"/usr/sbin/rdexec -n a -v b /bin/x":                            {By: "rdexec", Netns: "a", VRF: "b"},
		"/usr/sbin/rdexec --netns a --vrf=b -u web:web -- /bin/x -n c": {By: "rdexec", Netns: "a", VRF: "b"},
		"/usr/sbin/rdexec -u web -na -vb /bin/x":                       {By: "rdexec", Netns: "a", VRF: "b"},
		"/usr/sbin/rdexec -u web -- /bin/x -n a":                       {},
		"/usr/sbin/rdexec --version":                                   {},
		"/usr/sbin/rdomain exec b@a -- /bin/x":                         {By: "rdomain exec", ID: "b@a"},
		"/usr/sbin/rdomain up a":                                       {},
		"/sbin/ip net e two /bin/x":                                    {By: "ip netns exec", Netns: "two"},
		"/sbin/ip v exec two /bin/x":                                   {By: "ip vrf exec", VRF: "two"},
		"/sbin/ip ne show":                                             {},
		"/usr/bin/nsenter -at 1 /bin/x":                                {By: "nsenter -at", Netns: HostNetns},
		"/usr/bin/nsenter -m/proc/1/ns/mnt /bin/x":                     {},
		"/usr/bin/systemd-run --scope /bin/x":                          {By: "systemd-run", Asks: "systemd"},
		"/usr/bin/docker run --rm web":                                 {By: "docker", Asks: "dockerd"},
		"/sbin/ip -n one netns exec two /bin/x":                        {By: "ip netns exec", Netns: "two"},
		"/sbin/ip -f inet -all netns exec /bin/x":                      {By: "ip netns exec", Netns: "/bin/x"},
		"/sbin/ip netn ex two /bin/x -n":                               {By: "ip netns exec", Netns: "two"},
		"@/sbin/ip ip netns exec other /bin/x":                         {By: "ip netns exec", Netns: "other"},
		"/usr/bin/lxc-attach -n web -- /bin/x":                         {By: "lxc-attach"},
		"/usr/bin/lxc-unshare -s 'NETWORK|IPC' /bin/x":                 {By: "lxc-unshare"},
		"/usr/bin/lxc-unshare -s MOUNT /bin/x":                         {},
		"/usr/bin/pasta --config-net /bin/x":                           {By: "pasta", Contains: true},
		"/bin/busybox nsenter -t 1 -n /bin/x":                          {By: "nsenter -n", Netns: HostNetns},
		"/usr/bin/unshare --net /bin/x":                                {By: "unshare --net"},
		"/usr/bin/setpriv --reuid root batch":                          {By: "batch", Asks: "atd"},
		"/usr/bin/nice -n 5 unshare -m batch":                          {By: "batch", Asks: "atd"},
		"/usr/bin/timeout 5 grep at":                                   {},
		"/usr/bin/setpriv --reuid=root /bin/x at":                      {},
		"/usr/bin/virsh net-start default":                             {By: "virsh", Asks: "libvirtd"},
		"/usr/bin/env machinectl shell web@.host /bin/x":               {By: "machinectl", Asks: "systemd-machined"},
		"/usr/bin/nice -n 5 machinectl -q login web":                   {By: "machinectl", Asks: "systemd-machined"},
		"/usr/bin/machinectl list":                                     {},
		"/usr/bin/setpriv --reuid 5 -- run0 /bin/x":                    {By: "run0", Asks: "systemd"},
		"/usr/bin/env busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit": {By: "busctl", Asks: "systemd"},
		"/usr/bin/dbus-send --system --dest=org.freedesktop.machine1 /x org.freedesktop.machine1.Manager.OpenMachineShell":                {By: "dbus-send", Asks: "systemd"},
		"/usr/bin/busctl call org.freedesktop.resolve1 /x y z":                                                                            {},
		"/usr/bin/loginctl enable-linger web":                                   {By: "loginctl", Asks: "systemd-logind"},
		"/usr/bin/loginctl list-sessions":                                       {},
		"/usr/bin/docker --context far run web":                                 {By: "docker", Asks: "dockerd"},
		"/usr/bin/docker container start web":                                   {By: "docker", Asks: "dockerd"},
		"/usr/bin/docker -H unix:///x ps":                                       {},
		"/usr/bin/docker rm run":                                                {},
		"/usr/bin/virsh -c qemu:///system start web":                            {By: "virsh", Asks: "libvirtd"},
		"/usr/bin/flock -n /run/x lxc start web":                                {By: "lxc", Asks: "lxd"},
		"/usr/bin/flock /run/x batch":                                           {By: "batch", Asks: "atd"},
		"/usr/sbin/chroot /srv containerd":                                      {By: "containerd", Contains: true, Serves: true},
		"/usr/bin/numactl --cpunodebind=0 at now":                               {By: "at", Asks: "atd"},
		"/usr/bin/taskset ff libvirtd":                                          {By: "libvirtd", Contains: true, Serves: true},
		"/usr/bin/s6-setuidgid web vrf exec mgmt /bin/x":                        {By: "vrf exec", VRF: "mgmt"},
		"/usr/bin/docker ps":                                                    {},
		"/sbin/ip link set eth0 up":                                             {},
		"/sbin/ip -n other link set eth0 up":                                    {By: "ip -n other", Netns: "other"},
		"/sbin/ip -netns other route":                                           {By: "ip -n other", Netns: "other"},
		"/usr/bin/nsenter -t 1 --all /bin/x":                                    {By: "nsenter --all", Netns: HostNetns},
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
		_, executes := wrappers[path.Base(first)] // what follows, in its place
		if got.All != (got.By != "" && (strings.HasSuffix(first, "/"+program) || executes)) {
			t.Errorf("%s: that it is all of it: %v", line, got.All)
		}
		got.Setting, got.All = Setting{}, false
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", line, d)
		}
	}
}

// TestBehindWrappers: what a command executes in its own place is what it is judged by.
func TestBehindWrappers(t *testing.T) {
	for command, want := range map[string]string{
		"su - web": "su-l", "/usr/bin/env A=1 su - web": "su-l", "nice -n 5 login": "login", "flock /run/x runuser -l web": "runuser-l",
		"/bin/x su - web": "", "": "", "flock -n /run/l su -pl web": "su-l", "env -u A su web -c x": "su",
		"sudo -nu web -i": "sudo-i", "sudo -uirc x -i": "sudo", "sudo -p x --login": "sudo-i", "sudo -u web x -i": "sudo",
	} {
		if stack, _ := SessionOf(strings.Fields(command)); stack != want {
			t.Errorf("SessionOf(%s) = %q; want %q", command, stack, want)
		}
	}
	if got := Programs([]string{"/usr/bin/env", "podman", "run", "x"}); !slices.Contains(got, "podman") || slices.Contains(got, "run") {
		t.Errorf("Programs = %v; want podman among them, and nothing behind it", got)
	}
}
