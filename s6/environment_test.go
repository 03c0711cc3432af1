package s6_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/s6"
	"rdgen/test/need"
)

// TestEnvironmentFile reads each text, where rdgen does, by the real envfile too.
func TestEnvironmentFile(t *testing.T) {
	need.Tools(t, need.S6, "execlineb")
	for _, c := range []struct{ text, want string }{ // want: NAME=VALUE, or the error
		{"A=1\nB = two words \n\n# C=3\n  # D\n_E9=\n", "A=1|B=two words|_E9="},
		{"A=\"-a  -b \" \nA='x'\n", "!2: has quotes"},
		{"A=\"a \\\" \\\\ $B `c`\"", "A=a \" \\ $B `c`"},
		{"A=it's #1; x=y", "A=it's #1; x=y"},
		{"A=1\nA=2\n", "A=1|A=2"},
		{"A='-a -b'", "!1: has quotes"},
		{"A=a\"b\"", "!1: has quotes"},
		{"A=a\\b", "!1: has quotes"},
		{"A=\"a\" b", "!1: has more than one pair"},
		{"A=\"a\\nb\"", "!1: has more than one pair"},
		{"A=\"a\nb\"", "!1: has more than one pair"},
		{"export A=1", "!1: is no NAME=VALUE"},
		{"A\n", "!1: is no NAME=VALUE"},
		{"1A=b\n", "!1: is no NAME=VALUE"},
		{"; a\n", "!1: is a comment"},
		{"A=b\\\nC=d\n", "!1: goes on"},
		{"# a \\\nC=d\n", "!1: goes on"},
		{"A=b\r\n", "!1: has a byte"},
		{"A=\xff\n", "!1: has a byte"},
	} {
		list, err := s6.EnvironmentFile("/f", []byte(c.text))
		var got []string
		for _, a := range list {
			got = append(got, a.Name+"="+a.Text)
		}
		if want, fails := strings.CutPrefix(c.want, "!"); fails || err != nil {
			if err == nil || !strings.Contains(err.Error(), "/f:"+want) {
				t.Errorf("of %q: %q, %v; want an error at line %s", c.text, got, err, want)
			}
			continue
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("of %q: %q; want %q", c.text, got, c.want)
		}
		last := map[string]string{}
		for _, a := range list {
			last[a.Name] = a.Text
		}
		file := filepath.Join(t.TempDir(), "f")
		os.WriteFile(file, []byte(c.text), 0o644)
		out, err := exec.Command("execlineb", "-Pc", "envfile "+file+" env").CombinedOutput()
		if err != nil {
			t.Errorf("envfile of %q: %v: %s", c.text, err, out)
		}
		for name, value := range last {
			if !strings.Contains("\n"+string(out), "\n"+name+"="+value+"\n") {
				t.Errorf("of %q, envfile does not set %s=%q:\n%s", c.text, name, value, out)
			}
		}
	}
}
