package domain

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseArgs(t *testing.T) {
	both := Domain{Netns: NetnsName{"t1"}, VRF: LinkName{"mgmt"}}
	for _, c := range []struct {
		in   string // words separated by spaces; "''" is an empty word
		want Command
	}{
		{"true", Command{Prog: []string{"true"}}},
		{"-- -x", Command{Prog: []string{"-x"}}},
		{"-n t1 -v mgmt -- ping -n 1", Command{Domain: both, Prog: []string{"ping", "-n", "1"}}},
		{"-nt1 -vmgmt ping -n 1", Command{Domain: both, Prog: []string{"ping", "-n", "1"}}},
		{"--netns t1 --vrf=mgmt ping", Command{Domain: both, Prog: []string{"ping"}}},
		{"-v mgmt -c /openrc.sshd -u www-data:adm id", Command{
			Domain: Domain{VRF: LinkName{"mgmt"}}, Cgroup: "/openrc.sshd", User: "www-data:adm", Prog: []string{"id"}}},
		{"--look -n t1 --vrf=mgmt", Command{Domain: both, Look: true}},
		{"-n t1 - x", Command{Domain: Domain{Netns: NetnsName{"t1"}}, Prog: []string{"-", "x"}}},
	} {
		got, err := ParseArgs(words(c.in))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseArgs(%q) = %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseArgsRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "no program given"},
		{"-n t1", "no program given"},
		{"-n t1 --", "no program given"},
		{"-n t1 -- ''", "no program given"},
		{"-n", "option -n needs a value"},
		{"-n '' true", "option -n is empty"},
		{"--vrf= true", "option -v is empty"},
		{"-n a -n b true", "option -n is given twice"},
		{"-n a --netns=b true", "option -n is given twice"},
		{"-x true", `unknown option "-x"`},
		{"--net t1 true", `unknown option "--net"`},
		{"-n ../x true", `contains "/"`},
		{"-v red%d true", `contains "%"`},
		{"-c /x true", "option -c needs -v"},
		{"-v m -c x true", "is not a path below"},
		{"-v m -c / true", "is not a path below"},
		{"-v m -c /a/../b true", "is not a clean path"},
		{"--look", "option --look takes -n, -v or both"},
		{"--look -n t1 true", "option --look takes -n, -v or both"},
		{"--look -n t1 --", "option --look takes -n, -v or both"},
		{"--look -v m -c /x", "option --look takes -n, -v or both"},
		{"--look --look -n t1", "option --look takes -n, -v or both"},
		{"-n t1 --look", `unknown option "--look"`},
		{"-u : true", "is not USER or USER:GROUP"},
		{"-u a: true", "is not USER or USER:GROUP"},
		{"-u a:b:c true", "is not USER or USER:GROUP"},
		{"-u -r true", "is not USER or USER:GROUP"},
	} {
		got, err := ParseArgs(words(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseArgs(%q) = %+v, %v; want an error with %q", c.in, got, err, c.want)
		}
		if !reflect.DeepEqual(got, Command{}) {
			t.Errorf("ParseArgs(%q) = %+v beside an error; want nothing", c.in, got)
		}
	}
	for _, in := range []string{"-h", "--help", "-n t1 --help"} {
		if _, err := ParseArgs(words(in)); !errors.Is(err, ErrHelp) {
			t.Errorf("ParseArgs(%q) = %v; want ErrHelp", in, err)
		}
	}
}

func words(s string) []string {
	w := strings.Fields(s)
	for i := range w {
		if w[i] == "''" {
			w[i] = ""
		}
	}
	return w
}

// FuzzArgs holds Args and ParseArgs together: whatever ParseArgs accepts, Args
// spells so that ParseArgs reads the same again.
func FuzzArgs(f *testing.F) {
	for _, s := range []string{
		"-n\x00t1\x00-v\x00mgmt\x00--\x00ping\x00-n", "-nt1\x00true", "--vrf=m\x00-c\x00/a\x00x",
		"-u\x00a:b\x00--\x00--\x00y", "--\x00\x00", "-n", "-\x00-n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseArgs(strings.Split(s, "\x00"))
		if err != nil {
			if !reflect.DeepEqual(c, Command{}) {
				t.Fatalf("ParseArgs(%q) = %+v beside an error", s, c)
			}
			return
		}
		again, err := ParseArgs(c.Args())
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("ParseArgs(%q.Args()) = %+v, %v; want %+v", c.Args(), again, err, c)
		}
	})
}
