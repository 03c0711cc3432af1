package caller

import (
	"os"
	"strings"
	"testing"

	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// What the environment says is the tool's, or was let through by it: two that differ, root and
// what is no number are nobody.
func TestAsked(t *testing.T) {
	sandbox.Need(t)
	sandbox.Sh(t, `printf 'root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nzero:x:0:0::/:/bin/sh\n' >/etc/passwd`)
	for _, c := range []struct {
		environ, err string
		uid          uint32
	}{
		{"SUDO_UID=1000 SUDO_USER=alice", "", 1000},
		{"PKEXEC_UID=1000", "", 1000},
		{"DOAS_USER=alice", "", 1000},
		{"DOAS_USER=alice SUDO_UID=1000", "", 1000},
		{"", "is not known", 0},
		{"SUDO_USER=alice", "is not known", 0},
		{"SUDO_UID=0", "root has called", 0},
		{"DOAS_USER=root", "root has called", 0},
		{"DOAS_USER=zero", "root has called", 0},
		{"SUDO_UID=1001 DOAS_USER=alice", "two users have called", 0},
		{"DOAS_USER=alice SUDO_UID=1001", "two users have called", 0},
		{"PKEXEC_UID=1000 SUDO_UID=0", "two users have called", 0},
		{"SUDO_UID=1000 SUDO_UID=1001", "two users have called", 0},
		{"SUDO_UID=", `SUDO_UID="" is no user`, 0},
		{"SUDO_UID=-1", "is no user", 0},
		{"SUDO_UID=4294967295", "is no user", 0},
		{"SUDO_UID=4294967296", "is no user", 0},
		{"SUDO_UID=alice", "is no user", 0},
		{"DOAS_USER=mallory", "not in /etc/passwd", 0},
		{"DOAS_USER=", "is not a user", 0},
	} {
		uid, err := asked(strings.Fields(c.environ))
		if uid != c.uid || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("asked(%q) = %d, %v; want %d, %q", c.environ, uid, err, c.uid, c.err)
		}
	}
}

// A process is the caller's only if all of it is, and if it is above.
func TestFindRefuses(t *testing.T) {
	sandbox.Need(t)
	as := func(args ...string) int { return sandbox.Held(t, append([]string{"setpriv"}, args...)...) }
	for _, c := range []struct {
		what string
		pid  int
		want string
	}{
		{"it has not called", as("--reuid=1000", "--regid=1000", "--clear-groups"), "has not called this one"},
		{"another user's", as("--reuid=1001", "--regid=1000", "--clear-groups"), "it is not one of user 1000 alone"},
		{"root's", os.Getpid(), "it is not one of user 1000 alone"},
		{"one that was root, and may know what root knew", as("--ruid=1000", "--euid=0", "--regid=1000", "--clear-groups"), // sh drops it
			"it is not one that user 1000 may look into"},
		{"set-gid", as("--reuid=1000", "--rgid=1000", "--egid=5", "--clear-groups"), "it is not one of user 1000 alone"},
		{"gone", 1 << 22, "there is no process"},
	} {
		if _, err := Find([]string{"SUDO_UID=1000"}, c.pid); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.what, err, c.want)
		}
	}
}
