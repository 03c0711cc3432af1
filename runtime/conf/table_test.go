package conf

import (
	"strings"
	"testing"
	"testing/fstest"
)

// A table's name is found where ip(8) looks: in /etc, instead of what the distribution has
// there, and in the folders. A name with two numbers is none.
func TestTableNames(t *testing.T) {
	const etc, usr = "etc/iproute2/rt_tables", "usr/share/iproute2/rt_tables"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  uint32
		fails string
	}{
		{"isp1", map[string]string{etc: "# 9 isp1\n\n100\tisp1\n"}, 100, ""},
		{"isp1", map[string]string{etc: "0x64 isp1 # uplink\n"}, 100, ""},
		{"isp1", map[string]string{usr: "100 isp1\n"}, 100, ""},
		{"isp1", map[string]string{"usr/lib/iproute2/rt_tables": "100 isp1\n"}, 100, ""},
		{"isp1", map[string]string{etc: "254 main\n", usr: "100 isp1\n"}, 0, "no table has that name"},
		{"isp1", map[string]string{etc: "254 main\n", etc + ".d/a.conf": "100 isp1\n", etc + ".d/b": "7 isp1\n"}, 100, ""},
		{"isp1", map[string]string{etc: "100 isp1\n", etc + ".d/a.conf": "100 isp1\n"}, 100, ""},
		{"isp1", map[string]string{etc: "100 isp1\n", etc + ".d/a.conf": "\n101 isp1\n"}, 0,
			"it is 100 in /etc/iproute2/rt_tables:1, and 101 in /etc/iproute2/rt_tables.d/a.conf:2"},
		{"isp1", map[string]string{etc: "many isp1\n"}, 0, "/etc/iproute2/rt_tables:1 has no number of a table"},
		{"unspec", map[string]string{etc: "0 unspec\n"}, 0, "/etc/iproute2/rt_tables:1 has no number of a table"},
		{"main", nil, 254, ""},
	} {
		fsys := fstest.MapFS{}
		for name, text := range c.files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		f, err := Parse("f", id(t, "x"), []byte("[RoutingPolicyRule]\nPriority=1\nTable="+c.name+"\n"), fsys)
		switch {
		case c.fails != "":
			if err == nil || !strings.HasPrefix(err.Error(), "f:3: Table="+c.name+": "+c.fails) {
				t.Errorf("Table=%s with %v: %v; want %s", c.name, c.files, err, c.fails)
			}
		case err != nil || f.Rules[0].Table != c.want:
			t.Errorf("Table=%s with %v: %v, %v; want %d", c.name, c.files, f, err, c.want)
		}
	}
}
