package process

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"rdgen/test/need"
)

func TestCgroup(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                             {"", ""},
		"0::/\n":                       {"", ""},
		"0::/system.slice/a.service\n": {"/system.slice/a.service", "a.service"},
		"0::/system.slice/a.service/sub (deleted)\n":                           {"/system.slice/a.service/sub", "a.service"},
		"0::/system.slice/system-a.slice/a@b.service\n":                        {"/system.slice/system-a.slice/a@b.service", "a@b.service"},
		"0::/user.slice/user-0.slice/user@0.service/app.slice/b.service\n":     {"/user.slice/user-0.slice/user@0.service/app.slice/b.service", "user@0.service"},
		"0::/openrc.sshd/rdexec/vrf/mgmt\n":                                    {"/openrc.sshd/rdexec/vrf/mgmt", "sshd"},
		"0::/../../a.service\n":                                                {"/../../a.service", ""},
		"0::/sshd\n":                                                           {"/sshd", "sshd"},
		"2:cpu:/other\n1:name=openrc:/sshd\n0::/\n":                            {"/sshd", "sshd"},
		"1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n": {"/system.slice/b.service", "b.service"},
	} {
		path := cgroupOf(text)
		if unit := Unit(path); path != want[0] || unit != want[1] {
			t.Errorf("cgroup of %q = %q, of unit %q; want %q", text, path, unit, want)
		}
	}
}

func TestAll(t *testing.T) {
	began := time.Now()
	child := exec.Command("sleep", "infinity")
	if err := child.Start(); err != nil {
		need.Missing(t, need.Root, err.Error())
	}
	defer child.Wait()
	defer child.Process.Kill()
	list, err := All()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(list, func(p Process) bool { return p.PID == child.Process.Pid })
	if at < 0 {
		t.Fatal("a child is not among all processes")
	}
	// What /proc says is rounded to hundredths.
	if p := list[at]; p.Parent != os.Getpid() || p.Began.Before(began.Add(-time.Second/ticks)) || p.Began.After(time.Now()) || p.Supervises != "" {
		t.Errorf("a child is %+v; it was made by %d after %v", p, os.Getpid(), began)
	}
}

func TestListeners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	inodes, err := Sockets(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, s := range Listeners("thread-self") {
		if slices.Contains(inodes, s.Inode) {
			found = append(found, s.Protocol+" "+s.At.String())
		}
	}
	if want := "tcp " + l.Addr().String(); !slices.Contains(found, want) {
		t.Errorf("this process listens at %v; want %q", found, want)
	}
}

func TestParseListeners(t *testing.T) {
	const text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n" +
		"   1: 0100007F:0036 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n" +
		"   2: short\n"
	list := parseListeners("tcp", text)
	if len(list) != 1 || list[0].Inode != 4711 || list[0].At.Port() != 53 {
		t.Errorf("parseListeners = %v; want the one that listens", list)
	}
}

// TestClosesPAM: a name alone is not systemd's own.
func TestClosesPAM(t *testing.T) {
	for _, name := range []string{"(sd-pam)", "sleep"} {
		// Who may not see pid 1 is told so.
		is, err := ClosesPAM(Process{PID: os.Getpid(), Command: name})
		if is || err != nil && (name == "sleep" || !errors.Is(err, fs.ErrPermission)) {
			t.Errorf("ClosesPAM of this test, as %s = %v, %v; want that it is not systemd's", name, is, err)
		}
	}
}

func TestResolverOf(t *testing.T) {
	own, err := ResolverOf(os.Getpid())
	host, wrong := FileAt("/etc/resolv.conf")
	if err != nil || wrong != nil || own != host {
		t.Errorf("ResolverOf(self) = %v, %v; want that of this root, %v, %v", own, err, host, wrong)
	}
	if none, err := FileAt("/etc/none/such"); err != nil || none != (Resolver{}) {
		t.Errorf("FileAt a missing file = %v, %v; want none", none, err)
	}
}
