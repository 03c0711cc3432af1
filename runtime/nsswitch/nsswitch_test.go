package nsswitch

import (
	"strings"
	"testing"
)

// TestHosts reads lines as glibc does (nss/nss_database.c, nss/nss_action_parse.c).
func TestHosts(t *testing.T) {
	for text, want := range map[string]string{
		"hosts: files dns\n":                                      "files dns",
		"passwd: sss\n\n hosts:files  sss # wins\n":               "files sss",
		"hosts: sss\nhosts: dns":                                  "dns",
		"hosts: resolve [!UNAVAIL=return] sss [SUCCESS=merge]dns": "resolve sss dns",
		"#hosts: sss\nnetworks: files\n":                          "",
		"":                                                        "",
	} {
		var got []string
		for _, s := range Hosts(text) {
			got = append(got, s.Name)
			if want := 1 + strings.Count(text[:strings.LastIndex(text, "hosts:")], "\n"); s.Line != want {
				t.Errorf("Hosts(%q): %s is in line %d; want %d", text, s.Name, s.Line, want)
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("Hosts(%q) = %s; want %s", text, got, want)
		}
	}
}

// TestOutside: what has its own sockets, or is hidden, is not outside.
func TestOutside(t *testing.T) {
	for want, sources := range map[bool]string{
		false: "files dns myhostname resolve mdns mdns4_minimal hesiod nis winbind",
		true:  "sss wins ldap mymachines libvirt libvirt_guest docker",
	} {
		for s := range strings.FieldsSeq(sources) {
			if got := Outside(s); (got != "") != want {
				t.Errorf("Outside(%s) = %q", s, got)
			}
		}
	}
}
