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

// systemctl restart -dash.service was refused: the name was read as options.
func TestOperands(t *testing.T) {
	for want, names := range map[string][]string{
		`web.service a-b.service`:      {"web.service", "a-b.service"},
		`-- web.service -dash.service`: {"web.service", "-dash.service"},
		``:                             nil,
	} {
		if got := Command(Operands(names)...); got != want {
			t.Errorf("Operands(%q) = %s; want %s", names, got, want)
		}
	}
	want := "rdgen s6 -o / -- -dash|rdgen s6 web -o /"
	if got := Command(append([]string{"rdgen", "s6"}, Operands([]string{"-dash"}, "-o", "/")...)...) + "|" +
		Command(append([]string{"rdgen", "s6"}, Operands([]string{"web"}, "-o", "/")...)...); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
