package openrc_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/openrc"
)

// TestSockets: one line lets a service's sockets stay in the default domain, and what
// is nearly that line is an error, not a socket that nobody can reach.
func TestSockets(t *testing.T) {
	for _, c := range []struct {
		text string
		line int    // that says so; 0 if none does
		err  string // or what is wrong
	}{
		{"netns=a\n", 0, ""},
		{"netns=a\nsocket_domain=default\n", 2, ""},
		{"netns=a\nexport socket_domain='default' # for the proxy\n", 2, ""},
		{"where=default\nnetns=a\nsocket_domain=$where\n", 3, ""},
		{"netns=a\nsocket_domain=\n", 0, ""},
		{"netns=a\nsocket_domain= # none\n", 0, ""},
		{"netns=a\nsocket_domain=default\nsocket_domain=\n", 0, ""},
		{"netns=a\n# socket_domain = default\nsocket=/run/a\nsockets=3\n", 0, ""},
		{"netns=a\nsocket_domain=outside\n", 0, "/etc/conf.d/a:2: socket_domain=outside is not known"},
		{"netns=a\nsocket_domain=Default\n", 0, "/etc/conf.d/a:2: socket_domain=Default is not known"},
		{"netns=a\nsocket_domain=$(hostname)\n", 0, "/etc/conf.d/a:2: "},
		{"netns=a\nsocket_domain = default\n", 0, "/etc/conf.d/a:2: this does not set socket_domain"},
		{"netns=a\nsocket_domain= default\n", 0, "/etc/conf.d/a:2: this does not set socket_domain"},
		{"netns=a\nsocket_domain default\n", 0, "/etc/conf.d/a:2: this does not set socket_domain"},
		{"netns=a\nsocket_domain: default\n", 0, "/etc/conf.d/a:2: this does not set socket_domain"},
		{"netns=a\nSOCKET_DOMAIN=default\n", 0, "/etc/conf.d/a:2: SOCKET_DOMAIN= is not read"},
		{"netns=a\nsockets_domain=default\n", 0, "/etc/conf.d/a:2: sockets_domain= is not read"},
		{"netns=a\nsocket_domian=default\n", 0, "/etc/conf.d/a:2: socket_domian= is not read"},
		{"netns=a\nsocketdomain=default\n", 0, "/etc/conf.d/a:2: socketdomain= is not read"},
		{"netns=a\nsocket_netns=default\n", 0, "/etc/conf.d/a:2: socket_netns= is not read"},
		{"netns=a\nif false; then\nsocket_domain=default\nfi\n", 0, "/etc/conf.d/a:3: socket_domain=default depends on"},
		{"netns=a\n: <<E\nsocket_domain=default\nE\n", 0, "/etc/conf.d/a:3: socket_domain= stands here"},
	} {
		conf, err := openrc.ReadConf(fstest.MapFS{"etc/conf.d/a": {Data: []byte(c.text)}}, "a")
		if err != nil {
			t.Fatal(err)
		}
		pos, err := conf.Sockets()
		switch {
		case c.err == "" && (err != nil || pos.Line != c.line):
			t.Errorf("%q: line %d, %v; want line %d", c.text, pos.Line, err, c.line)
		case c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err)):
			t.Errorf("%q: line %d, %v; want %s", c.text, pos.Line, err, c.err)
		}
	}
}
