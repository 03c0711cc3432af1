package problem

import "testing"

// The hint of a unit whose name has a backslash restarted another one when it was pasted.
func TestCommand(t *testing.T) {
	for want, words := range map[string][]string{
		`systemctl restart web.service a@1.service`: {"systemctl", "restart", "web.service", "a@1.service"},
		`systemctl restart 'a@my\x2dvpn.service'`:   {"systemctl", "restart", `a@my\x2dvpn.service`},
		`rc-service 'a; b' restart`:                 {"rc-service", "a; b", "restart"},
		`x '' 'it'\''s' '$(y)' netns=z`:             {"x", "", "it's", "$(y)", "netns=z"},
		``:                                          nil,
	} {
		if got := Command(words...); got != want {
			t.Errorf("Command(%q) = %s; want %s", words, got, want)
		}
	}
}
