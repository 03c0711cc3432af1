package imports

import (
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/runtime/domain"
)

// A password that a command of a hook has, one whose name ends in a number, and a key that stands
// alone in its line were shown; and a key that stands where something else belongs, in the error.
func TestNoSecretIsShown(t *testing.T) {
	const key, word = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "sesame"
	const vrf, card = "iface red\n\tvrf-table 10\niface eth0\n\tvrf red\n", "[Interface]\nPrivateKey = " + key + "\nAddress = 10.7.0.2/32\n"
	for _, c := range []struct{ format, text, want string }{
		{"ifupdown", vrf + "\twireless-key1 s:" + word + "\n", "wireless-key1 (not shown)"},
		{"ifupdown", vrf + "\tup sshpass -p " + word + " ssh host\n", "post-up sshpass (not shown)"},
		{"ifupdown", vrf + "\tup PASS=" + word + " connect\n", "post-up PASS (not shown)"},
		{"ifupdown", vrf + "\tup curl -u admin:" + word + " https://host\n", "post-up curl (not shown) https://host: rdomain runs no commands"},
		{"ifupdown", vrf + "\tup wget https://admin:" + word + "@host/x\n", "post-up wget https:(not shown)host/x: rdomain runs no commands"},
		{"ifupdown", vrf + "\tup mount -u /data nfs://host/x\n", "post-up mount -u /data nfs://host/x: rdomain runs no commands"},
		{"wg-quick", card + key + "\n", "(not shown)"},
		{"wg-quick", card + "ListenPort = " + key + "\n", "ListenPort=(not shown): expected a number"},
		{"wg-quick", card + "Address = " + key + "\n", `"(not shown)" is no address`},
	} {
		in, err := domain.Parse("z", "")
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		r, err := Read(fstest.MapFS{"etc/f": {Data: []byte(c.text)}}, c.format, []string{"/etc/f"}, in.Netns)
		if err != nil {
			said = err.Error()
		} else {
			for _, d := range r.Domains {
				said += string(d.Text)
			}
		}
		if !strings.Contains(said, c.want) || strings.Contains(said, word) || strings.Contains(said, key[:20]) {
			t.Errorf("%s of\n%s= %s\nwant %q and no secret", c.format, c.text, said, c.want)
		}
	}
}
