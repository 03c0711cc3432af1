package readers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// terminal starts a shell on a terminal of its own.
func terminal(t *testing.T, argv ...string) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200})
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.Env = []string{"HOME=/run/home", "TERM=xterm", "PATH=/run/stubs:/usr/bin:/usr/sbin:/bin", "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		master.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return master
}

// shells are how each is started by somebody who has set up nothing.
var shells = []struct {
	name, rc, text string
	argv           []string
}{
	{"bash", ".bashrc", "PS1='$ '\n. /usr/share/bash-completion/bash_completion\n", []string{"bash", "-i"}},
	{"zsh", ".zshrc", "PS1='$ '\nautoload -U compinit\ncompinit -u\n", []string{"zsh", "-i"}},
	{"fish", ".config/fish/config.fish", "function fish_prompt; echo '$ '; end\nset -U fish_greeting\n", []string{"fish", "-i"}},
}

// TestShells types the beginning of words and the tabulator into each shell, after make
// install: what the shell then executes has the whole words.
func TestShells(t *testing.T) {
	rdgen := start(t)
	for _, name := range []string{"rdomain", "rdexec"} {
		if _, err := need.Program("cmd/" + name); err != nil {
			t.Fatal(err)
		}
	}
	sandbox.Sh(t, `
		cd ../..
		unset MAKEFLAGS MFLAGS
		make -s install-doc BUILT=`+strings.TrimSuffix(rdgen, "/rdgen")+` PREFIX=/usr ZSHCOMPDIR=/usr/share/zsh/vendor-completions >/dev/null
		install `+rdgen+` /usr/bin/rdgen
		mkdir -p /run/stubs /run/home/.config/fish /etc/conf.d /etc/init.d
		for p in rdgen rdomain rdexec; do
			printf '#!/bin/sh\ncase $1 in __complete*) exec /usr/bin/rdgen "$@";; esac\necho "<${0##*/} $*>"\n' >/run/stubs/$p
			chmod +x /run/stubs/$p
		done
		printf '[Domain]\nKind=netns\n' >/etc/rdomain/private.conf
		printf '[Domain]\nKind=vrf\nTable=10\n' >/etc/rdomain/mgmt.conf
		printf '#!/sbin/openrc-run\ncommand=/bin/web\n' >/etc/init.d/webserver
		ip link add link-of-mine type veth peer name other-end
		mount -t sysfs sysfs /sys`)
	t.Cleanup(func() { sandbox.Sh(t, "umount /sys; ip link del link-of-mine; rm /etc/rdomain/*") })
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) {
			if err := os.WriteFile("/run/home/"+shell.rc, []byte(shell.text), 0o644); err != nil {
				t.Fatal(err)
			}
			tty := terminal(t, shell.argv...)
			for _, c := range []struct{ typed, want string }{
				{"rdgen stat", "rdgen status"},
				{"rdgen set webs", "rdgen set webserver"},
				{"rdgen set webserver netns=pri", "rdgen set webserver netns=private"},
				{"rdgen unset webserver net", "rdgen unset webserver netns"},
				{"rdgen graph --format merm", "rdgen graph --format mermaid"},
				{"rdgen status --prom", "rdgen status --prometheus"},
				{"rdgen s6 web --flavor art", "rdgen s6 web --flavor artix"},
				{"rdgen init a --kind vrf --link link-of", "rdgen init a --kind vrf --link link-of-mine"},
				{"rdomain relo", "rdomain reload"},
				{"rdomain up mg", "rdomain up mgmt"},
				{"rdomain reload --al", "rdomain reload --all"},
				{"rdomain exec priv", "rdomain exec private"},
				{"rdexec --net", "rdexec --netns"},
				{"rdexec -n priv", "rdexec -n private"},
				{"rdexec -v mg", "rdexec -v mgmt"},
			} {
				if _, err := tty.WriteString(c.typed + "\t\n"); err != nil {
					t.Fatal(err)
				}
				if got := executed(t, tty); got != c.want {
					t.Errorf("%q and the tabulator executes %q; want %q", c.typed, got, c.want)
				}
			}
		})
	}
}

// executed is what the shell executes next.
func executed(t *testing.T, tty *os.File) string {
	t.Helper()
	var text strings.Builder
	b := make([]byte, 1)
	for {
		if _, err := tty.Read(b); err != nil {
			t.Fatalf("%v; the terminal shows %q", err, text.String())
		}
		text.Write(b)
		if _, after, begun := strings.Cut(text.String(), "<rd"); begun && b[0] == '>' {
			return strings.TrimSpace("rd" + strings.TrimSuffix(after, ">"))
		}
	}
}
