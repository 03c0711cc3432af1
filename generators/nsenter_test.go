package generators_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"rdgen/systemd"
	"rdgen/test/need"
)

// TestNsenterReads runs util-linux's own nsenter and unshare in a namespace: what is read of
// their options is where the program is.
func TestNsenterReads(t *testing.T) {
	need.Uid0(t)
	need.Tools(t, need.Sh, "nsenter", "unshare", "readlink")
	moved, stayed := 0, 0
	for _, command := range strings.Split("nsenter -t PID -u|nsenter -t PID -n|nsenter -t PID -mn|nsenter -t PID -un|nsenter -t PID -Fn|nsenter -Ft PID -n|"+
		"nsenter -n/proc/PID/ns/net|nsenter -n=/proc/PID/ns/net|nsenter -u/proc/PID/ns/uts|nsenter --net=/proc/PID/ns/net|nsenter --net=/proc/self/ns/net|"+
		"nsenter --tar PID --uts|nsenter --tar=PID --net|nsenter -t PID --ut|nsenter -r/proc/self/root|nsenter -w/n -t PID -u|nsenter -t PID -u --|"+
		"nsenter -n/proc/PID/ns/net -n/proc/self/ns/net|nsenter -n/proc/self/ns/net -n/proc/PID/ns/net|nsenter -n/proc/self/ns/net -a -t PID|nsenter -at PID|"+
		"unshare -m|unshare -mn|unshare -nm|unshare -w /|unshare -R /|unshare --uts|unshare --net|unshare --map-root-user --mount", "|") {
		command = strings.ReplaceAll(command, "PID", strconv.Itoa(os.Getpid()))
		words := append(strings.Fields(command), "/bin/readlink", "/proc/self/ns/net")
		out, _ := exec.Command("unshare", append([]string{"-n", "/bin/sh", "-c", `readlink /proc/self/ns/net; "$@"`, "sh"}, words...)...).CombinedOutput()
		lines := strings.Fields(string(out))
		said := systemd.InCommand(systemd.Setting{Value: strings.Join(words, " ")})
		if len(lines) != 2 || !strings.HasPrefix(lines[1], "net:") {
			t.Logf("%s: starts nothing: %s", command, out)
			continue
		}
		if is := lines[0] != lines[1]; is != (len(said) > 0) {
			t.Errorf("%s: the program is in another namespace: %v; read as %+v", command, is, said)
		} else if is {
			moved++
		} else {
			stayed++
		}
	}
	if moved < 9 || stayed < 9 {
		t.Errorf("%d commands moved, %d stayed; want most of both", moved, stayed)
	}
}
