package systemd

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// tree makes a file system of "path: text" and "path -> target" entries.
func tree(entries ...string) fs.FS {
	m := fstest.MapFS{}
	for _, e := range entries {
		if name, target, ok := strings.Cut(e, " -> "); ok {
			m[name] = &fstest.MapFile{Mode: fs.ModeSymlink | 0o777, Data: []byte(target)}
			continue
		}
		name, text, _ := strings.Cut(e, ": ")
		m[name] = &fstest.MapFile{Mode: 0o644, Data: []byte(text)}
	}
	return m
}

func read(t *testing.T, entries ...string) *Units {
	t.Helper()
	u, err := ReadUnits(tree(entries...))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

const some = "[Service]\nExecStart=/bin/x\n"

func TestUnit(t *testing.T) {
	u := read(t,
		"lib/systemd/system/ssh.service: "+some,
		"etc/systemd/system/sshd.service -> /lib/systemd/system/ssh.service",
		"etc/systemd/system/mine.service: "+some,
		"usr/lib/systemd/system/mine.service: [Service]\nExecStart=/bin/vendor\n",
		"etc/systemd/system/off.service -> /dev/null",
		"usr/lib/systemd/system/off.service: "+some,
		"etc/systemd/system/empty.service: ",
		"etc/systemd/system/opt.service -> ../../../opt/pkg/opt.service",
		"opt/pkg/opt.service: "+some,
		"usr/lib/systemd/system/web@.service: "+some,
		"etc/systemd/system/www@.service -> web@.service",
		"etc/systemd/system/ring.service -> gnir.service",
		"etc/systemd/system/gnir.service -> ring.service",
		"etc/systemd/system/two.service -> ../../../srv/named-otherwise.service",
		"srv/named-otherwise.service: "+some,
	)
	for _, c := range []struct{ in, name, path string }{
		{"ssh.service", "ssh.service", "/lib/systemd/system/ssh.service"},
		{"sshd.service", "ssh.service", "/lib/systemd/system/ssh.service"},
		{"mine.service", "mine.service", "/etc/systemd/system/mine.service"},
		{"opt.service", "opt.service", "/etc/systemd/system/opt.service"},
		{"web@a.service", "web@a.service", "/usr/lib/systemd/system/web@.service"},
		{"www@a.service", "web@a.service", "/usr/lib/systemd/system/web@.service"},
		{"two.service", "two.service", "/etc/systemd/system/two.service"},
	} {
		got, err := u.Unit(c.in)
		if err != nil {
			t.Errorf("Unit(%s): %v", c.in, err)
		} else if got.Name != c.name || got.Path != c.path {
			t.Errorf("Unit(%s) = %s in %s; want %s in %s", c.in, got.Name, got.Path, c.name, c.path)
		}
	}
	for in, want := range map[string]error{
		"nope.service": fs.ErrNotExist, "off.service": ErrMasked, "empty.service": ErrMasked,
		"a b.service": ErrBadName, "a%.service": ErrBadName, "../x.service": ErrBadName,
		strings.Repeat("x", 260) + ".service": ErrBadName,
	} {
		if got, err := u.Unit(in); !errors.Is(err, want) {
			t.Errorf("Unit(%.20s) = %v, %v; want %v", in, got, err, want)
		}
	}
	if got, err := u.Unit("ring.service"); err == nil {
		t.Errorf("Unit of a ring of links = %v; want an error", got)
	}
}

// TestWhichAliases: which links are other names of a unit is systemd's to say. One that it passes
// over was believed, and the drop-in was another unit's.
func TestWhichAliases(t *testing.T) {
	u := read(t,
		"usr/lib/systemd/system/bar.service: "+some, "usr/lib/systemd/system/bar@.service: "+some, "usr/lib/systemd/system/bar.socket: [Socket]\n",
		"opt/bar.service: [Service]\nExecStart=/opt/x\n", "usr/local/lib/systemd/system/own.service: "+some, "usr/lib/systemd/system/own.service: "+some,
		"usr/lib/systemd/system/plain.service: "+some, "etc/systemd/system/plain.service -> /usr/lib/systemd/system/bar@.service",
		"usr/lib/systemd/system/type.service: "+some, "etc/systemd/system/type.service -> ../../../usr/lib/systemd/system/bar.socket",
		"usr/lib/systemd/system/tpl@.service: "+some, "etc/systemd/system/tpl@.service -> /usr/lib/systemd/system/bar.service",
		"usr/lib/systemd/system/of@.service: "+some, "etc/systemd/system/of@one.service -> /usr/lib/systemd/system/bar@two.service",
		"etc/systemd/system/of@three.service -> /usr/lib/systemd/system/bar@.service",
		"etc/systemd/system/bar@own.service -> /usr/lib/systemd/system/bar@.service",
		"etc/systemd/system/away.service -> ../../../opt/bar.service",
		"etc/systemd/system/own.service -> /usr/lib/systemd/system/own.service",
		"etc/systemd/system/gone.service -> /usr/lib/systemd/system/nosuch.service", "usr/lib/systemd/system/gone.service: "+some,
	)
	for in, want := range map[string]string{
		"plain.service":    "plain.service in /usr/lib/systemd/system/plain.service",
		"type.service":     "type.service in /usr/lib/systemd/system/type.service",
		"tpl@x.service":    "tpl@x.service in /usr/lib/systemd/system/tpl@.service",
		"of@one.service":   "of@one.service in /usr/lib/systemd/system/of@.service",
		"of@three.service": "bar@three.service in /usr/lib/systemd/system/bar@.service",
		"bar@own.service":  "bar@own.service in /usr/lib/systemd/system/bar@.service",
		"away.service":     "away.service in /etc/systemd/system/away.service",
		"own.service":      "own.service in /usr/local/lib/systemd/system/own.service",
		"gone.service":     "",
	} {
		got := ""
		if unit, err := u.Unit(in); err == nil {
			got = unit.Name + " in " + unit.Path
		}
		if got != want {
			t.Errorf("%s is %q; want %q", in, got, want)
		}
	}
}

// TestDropIns: the folder of units counts before the name (systemd --test says the same).
func TestDropIns(t *testing.T) {
	u := read(t,
		"usr/lib/systemd/system/a-b@.service: [Service]\nX=file\n",
		"usr/lib/systemd/system/a-b@i.service.d/10-x.conf: [Service]\nX=vendor instance\n",
		"etc/systemd/system/a-b@.service.d/10-x.conf: [Service]\nX=etc template\n",
		"etc/systemd/system/a-.service.d/20-x.conf: [Service]\nX=dash\n",
		"etc/systemd/system/service.d/05-x.conf: [Service]\nX=all\n",
		"run/systemd/system/service.d/05-x.conf: [Service]\nX=hidden by etc\n",
		"etc/systemd/system/a-b@i.service.d/zz-rdomain.conf: [Service]\nX=our own\n",
		"etc/systemd/system/a-b@i.service.d/60-x.notconf: [Service]\nX=no\n",
		"etc/systemd/system/a-b@i.service.d/.60-x.conf: [Service]\nX=hidden by its name\n",
	)
	unit, err := u.Unit("a-b@i.service")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range unit.Settings {
		got = append(got, s.Value)
	}
	if d := cmp.Diff([]string{"file", "all", "etc template", "dash"}, got); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
}

// TestDropInsOfAliases: an instance has the drop-ins also of those names that the aliases of
// its template give it (systemd --test says the same of 252 and 257).
func TestDropInsOfAliases(t *testing.T) {
	u := read(t,
		"usr/lib/systemd/system/a@.service: "+some,
		"usr/lib/systemd/system/owner.service: "+some,
		"etc/systemd/system/b@.service -> /usr/lib/systemd/system/a@.service",
		"etc/systemd/system/c@two.service -> /usr/lib/systemd/system/a@.service",
		"etc/systemd/system/b@other.service: "+some,
		"etc/systemd/system/b@.service.d/x.conf: [Service]\nX=b@\n",
		"etc/systemd/system/b@one.service.d/y.conf: [Service]\nX=b@one\n[Unit]\nPartOf=owner.service\n",
		"etc/systemd/system/b@other.service.d/y.conf: [Service]\nX=b@other\n",
		"etc/systemd/system/c@two.service.d/y.conf: [Service]\nX=c@two\n",
	)
	for name, want := range map[string][]string{
		"a@.service":      {"b@"},
		"a@one.service":   {"b@", "b@one"},
		"b@one.service":   {"b@", "b@one"},
		"a@two.service":   {"b@", "c@two"},
		"a@other.service": nil, // b@other is a unit of its own
		"b@other.service": {"b@", "b@other"},
	} {
		unit, err := u.Unit(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range unit.All("Service", "X") {
			got = append(got, s.Value)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if d := cmp.Diff([]string{"a@one.service", "a@two.service"}, u.Instances("a@.service")); d != "" {
		t.Errorf("Instances (-want +got):\n%s", d)
	}
	if got, _ := u.Companions("owner.service"); !cmp.Equal(got, []string{"a@one.service"}) {
		t.Errorf("Companions = %v; want the instance that its alias ties to the service", got)
	}
}

func TestBelonging(t *testing.T) {
	u := read(t,
		"lib/systemd/system/ssh.service: "+some,
		"lib/systemd/system/ssh@.service: "+some,
		"lib/systemd/system/ssh.socket: [Socket]\nListenStream=22\nAccept=yes\n",
		"lib/systemd/system/web.service: [Service]\nSockets=web-admin.socket gone.socket\n",
		"lib/systemd/system/web.socket: [Socket]\nService=other.service\n",
		"lib/systemd/system/web-admin.socket: [Socket]\nService=web.service\n",
		"lib/systemd/system/http.socket: [Socket]\nService=www.service\n",
		"etc/systemd/system/www.service -> /lib/systemd/system/web.service",
		"etc/systemd/system/https.socket -> /lib/systemd/system/http.socket",
		"lib/systemd/system/other.service: "+some,
		"lib/systemd/system/off.socket: [Socket]\nService=web.service\n",
		"etc/systemd/system/off.socket -> /dev/null",
		// What systemd expands in the names of units, and an empty Service=, which is none.
		"lib/systemd/system/y@.socket: [Socket]\nService=d@%i.service\n",
		"lib/systemd/system/d@.service: "+some,
		"lib/systemd/system/foo.service: [Service]\nSockets=%p-x.socket\nSockets=\n",
		"lib/systemd/system/foo-x.socket: [Socket]\nService=nobody.service\n",
		"lib/systemd/system/foo.socket: [Socket]\nService=%N.service\nService=\n",
		"lib/systemd/system/s-foo.socket: [Socket]\nService=%j.service\n",
		"lib/systemd/system/z@.socket: [Socket]\nService=%i.service\n",
		"lib/systemd/system/v@.socket: [Socket]\nService=fixed.service\n",
		"etc/systemd/system/v@2.socket.d/o.conf: [Socket]\nService=%p@%i.service\n",
		"lib/systemd/system/v@.service: "+some,
		"lib/systemd/system/acc@.socket: [Socket]\nAccept=yes\n",
		"lib/systemd/system/acc@.service: "+some,
	)
	for name, want := range map[string][]string{
		"ssh.service":   {"ssh.service", "ssh.socket", "ssh@.service", "z@ssh.socket"},
		"web.service":   {"web.service", "http.socket", "web-admin.socket", "z@web.socket", "z@www.socket"},
		"other.service": {"other.service", "web.socket", "z@other.socket"},
		"d@.service":    {"d@.service", "y@.socket"},
		"d@1.service":   {"d@1.service", "y@1.socket", "z@d@1.socket"},
		"foo.service":   {"foo.service", "foo-x.socket", "foo.socket", "s-foo.socket", "z@foo.socket"},
		"v@2.service":   {"v@2.service", "v@2.socket", "z@v@2.socket"},
		"acc@.service":  {"acc@.service", "acc@.socket"},
	} {
		unit, err := u.Unit(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.Belonging(unit)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("Belonging(%s): %v (-want +got):\n%s", name, err, d)
		}
	}
}

func TestAliases(t *testing.T) {
	u := read(t,
		"lib/systemd/system/ssh.service: [Install]\nAlias=sshd.service secure.service\n",
		"lib/systemd/system/other.service: [Install]\nAlias=x.service\n",
	)
	if d := cmp.Diff([]string{"ssh.service"}, u.Aliases("sshd.service")); d != "" {
		t.Errorf("Aliases (-want +got):\n%s", d)
	}
	if got := u.Aliases("y.service"); got != nil {
		t.Errorf("Aliases of a name that nobody has = %q", got)
	}
}

func TestHugeUnitIsRefused(t *testing.T) {
	u := read(t, "lib/systemd/system/x.service: "+strings.Repeat("#", maxSize+1))
	if got, err := u.Unit("x.service"); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("Unit = %v, %v; want that it is too large", got, err)
	}
}
